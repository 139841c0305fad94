/** How long a node was heard, from the days that an indexer tells. Pure. */
import { UPTIME_DAYS, type UptimeDay } from '@dpu/sdk/apiSaid';

/** A day on the strip; before the node was first heard nothing is known of it. */
export interface UptimeBar {
  /** Its first second, UTC. */
  at: number;
  /** Part of the time listened to in which it was well, 0 to 1; undefined where nobody listened. */
  share: number | undefined;
}

/** From this part of a day on it counts as a good one, and from this on as a fair one: five minutes may be a restart, an hour is an outage. */
export const GOOD_SHARE = 0.99;
export const FAIR_SHARE = 0.95;

/** A bar for each of the last thirty days, today's as the last. @param now Unix seconds. */
export function barsOf(days: readonly UptimeDay[], now: number): UptimeBar[] {
  const today = now - (now % 86_400);
  return Array.from({ length: UPTIME_DAYS }, (_, index) => {
    const at = today - (UPTIME_DAYS - 1 - index) * 86_400;
    const day = days.find((one) => one.at === at);
    return { at, share: day && day.listened > 0 ? day.heard / day.listened : undefined };
  });
}

/** Part of all the time listened to in which the node was well; undefined before the first five minutes. */
export function shareOf(days: readonly UptimeDay[]): number | undefined {
  const listened = days.reduce((sum, day) => sum + day.listened, 0);
  return listened === 0 ? undefined : days.reduce((sum, day) => sum + day.heard, 0) / listened;
}
