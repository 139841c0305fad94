/** How long nodes would have been heard: three weeks, a short restart, an outage of some hours, and a day on which nobody listened. */
import { UPTIME_SPAN_SECONDS, type Uptime } from '@dpu/sdk/apiSaid';

const DAY = 86_400;
const SPANS = DAY / UPTIME_SPAN_SECONDS;
/** Days since the nodes were first heard. */
const DAYS = 22;

/** Answers `/v1/nodes/:id/uptime`. @param now Unix seconds. */
export function uptimeAnswer(node: number, now: number): Uptime {
  const today = now - (now % DAY);
  const days = Array.from({ length: DAYS }, (_, index) => {
    const ago = DAYS - 1 - index;
    const so = ago === 0 ? Math.floor((now % DAY) / UPTIME_SPAN_SECONDS) : SPANS;
    const missed = { 3: 1, 9: 10, 14: 60 }[(ago + node) % 20] ?? 0;
    const listened = (ago + node) % 20 === 6 ? 0 : so;
    return { at: today - ago * DAY, listened, heard: Math.max(0, listened - missed) };
  });
  return { node, listening: true, days };
}
