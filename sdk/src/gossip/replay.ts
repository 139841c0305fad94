/** Which statements were heard already: per node and topic the highest sequence number and the 64 below it. */
import type { TopicName } from './topics.ts';

const WIDTH = 64;
const FULL = (1n << BigInt(WIDTH)) - 1n;

/** A statement's place in what its node says. */
export interface Place {
  node: number;
  topic: TopicName;
  sequence: number;
  /** Unix milliseconds. */
  time: number;
}

/**
 * A sliding window per node and topic, as in IPsec (RFC 4303, 3.4.3): messages may overtake each other, and none is heard twice. What is below the
 * window counts as heard.
 */
export class ReplayWindows {
  readonly #windows = new Map<string, { highest: number; heard: bigint; time: number }>();

  /** Whether a statement may be new. */
  isNew({ node, topic, sequence }: Omit<Place, 'time'>): boolean {
    const window = this.#windows.get(`${topic}:${node}`);
    if (!window || sequence > window.highest) return true;
    const below = window.highest - sequence;
    return below < WIDTH && ((window.heard >> BigInt(below)) & 1n) === 0n;
  }

  /** Marks a statement as heard. @returns false when it was before. */
  mark(place: Place): boolean {
    if (!this.isNew(place)) return false;
    const { node, topic, sequence, time } = place;
    const key = `${topic}:${node}`;
    const window = this.#windows.get(key);
    if (!window || sequence > window.highest) {
      const up = window ? sequence - window.highest : WIDTH;
      const heard = window && up < WIDTH ? ((window.heard << BigInt(up)) & FULL) | 1n : 1n;
      this.#windows.set(key, { highest: sequence, heard, time: Math.max(time, window?.time ?? 0) });
    } else {
      window.heard |= 1n << BigInt(window.highest - sequence);
      window.time = Math.max(window.time, time);
    }
    return true;
  }

  /** Forgets windows whose newest statement is older than `before` (unix milliseconds): its age alone refuses it from then on. */
  forget(before: number): void {
    for (const [key, { time }] of this.#windows) if (time < before) this.#windows.delete(key);
  }

  get size(): number {
    return this.#windows.size;
  }
}
