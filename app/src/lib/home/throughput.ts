/** What of an event a rate needs. */
export interface Happening {
  type: string;
  /** Unix seconds. */
  timestamp: number;
}

/** How much happened in a slice of time. */
export interface Slice {
  /** Its first second, unix time. */
  from: number;
  /** Its length in seconds. */
  seconds: number;
  count: number;
}

/** Lengths of a slice that people can read, in seconds. */
const LENGTHS = [5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400];

/**
 * How often `type` happened in `slices` slices of time up to `now`. They are as long as the events reach back, so that the picture is full
 * whether the network is busy or quiet; what is older than the oldest event is not claimed to be empty.
 */
export function throughput(events: readonly Happening[], type: string, now: number, slices = 30): Slice[] {
  const oldest = Math.min(now, ...events.map(({ timestamp }) => timestamp));
  // Slices begin at round times, so that bars stay where they are while time goes on.
  const begins = (length: number): number => (Math.ceil((now + 1) / length) - slices) * length;
  const seconds = LENGTHS.find((length) => begins(length) <= oldest) ?? LENGTHS.at(-1) ?? 86_400;
  const begin = begins(seconds);
  const counts = Array.from({ length: slices }, (_, index): Slice => ({
    from: begin + index * seconds,
    seconds,
    count: 0,
  }));
  for (const event of events) {
    const slice = counts[Math.floor((event.timestamp - begin) / seconds)];
    if (slice && event.type === type) slice.count += 1;
  }
  return counts;
}
