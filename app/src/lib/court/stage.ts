import { appealUntil, disputeCost, jurySeats, serveUntil, speakUntil, type Verdict } from '@dpu/sdk/court';
import type { HistoryDispute } from '@dpu/sdk/historyDisputes';
import { endsUndone } from '@dpu/sdk/court';
import type { Terms } from '@dpu/sdk/terms';

/** Where a dispute stands at a moment. */
export interface Stage {
  name: 'serving' | 'speaking' | 'countable' | 'appealable' | 'waiting' | 'enforceable' | 'ended';
  /** Says what happens now. */
  sentence: string;
  /** Last good second of it, unix time; absent where nothing runs out. */
  until?: number;
}

/**
 * Where the dispute stands at second `now`. `windowEnd`: last second of the challenge window of its lease, for which a verdict that ends the
 * lease undone waits.
 */
export function stageOf(
  { juries, verdict, ended }: Pick<HistoryDispute, 'juries' | 'verdict' | 'ended'>,
  terms: Pick<Terms, 'exec' | 'rules'>,
  now: number,
  windowEnd = 0,
): Stage {
  const round = juries.length;
  const jury = juries.at(-1);
  if (ended || !jury) return { name: 'ended', sentence: 'The verdict was carried out.' };
  const { seats } = jurySeats(round);
  const { judged } = jury;
  if (judged) {
    const appeal = appealUntil(terms, { round, at: judged.at });
    if (round === 1 && now <= appeal)
      return {
        name: 'appealable',
        sentence: 'The jury has decided. Anybody may call a second one of eleven.',
        until: appeal,
      };
    if (endsUndone(verdict) && now <= windowEnd)
      return {
        name: 'waiting',
        sentence: 'Carried out when nobody may challenge the lease any more.',
        until: windowEnd,
      };
    return { name: 'enforceable', sentence: 'Nobody can appeal any more. Anybody may carry the verdict out.' };
  }
  const at = { at: jury.calledAt };
  const serve = serveUntil(terms, at);
  const full = jury.jurors.length >= seats;
  if (!full && now <= serve)
    return {
      name: 'serving',
      sentence: 'Drawn nodes compute the shard again and sit down with what they found, sealed.',
      until: serve,
    };
  const speak = speakUntil(terms, at);
  const allSpoke = jury.jurors.every(({ node }) => jury.votes.has(node));
  if (!allSpoke && now <= speak)
    return { name: 'speaking', sentence: 'All votes are bound. Jurors open them one after the other.', until: speak };
  return { name: 'countable', sentence: 'The votes can be counted; nodes do that themselves.' };
}

/** One chair of a jury: taken or not, and what its juror said. */
export interface Chair {
  /** Undefined while it is free. */
  node: number | undefined;
  vote: Verdict;
}

/** The chairs of a jury, free ones at the end. */
export function chairsOf(jury: HistoryDispute['juries'][number], round: number): Chair[] {
  const taken = jury.jurors.map(({ node }): Chair => ({ node, vote: jury.votes.get(node) ?? 'none' }));
  const free = Math.max(0, jurySeats(round).seats - taken.length);
  return [...taken, ...Array.from({ length: free }, (): Chair => ({ node: undefined, vote: 'none' }))];
}

/** Whether the court can be asked about jobs with these terms at all. */
export function isChallengeable(terms: Pick<Terms, 'bond' | 'window'>): boolean {
  return terms.window > 0 && disputeCost(terms).juror > 0n;
}
