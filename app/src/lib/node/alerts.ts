/** What the owner of a node should know before it costs money. Pure. */
import type { NodeFacts } from '../chain/nodeFacts.ts';
import { formatMoney, type Currency } from '../currency.ts';
import { formatAmount, formatDuration } from '../format.ts';
import type { Heartbeat } from '../live/heartbeats.ts';

/** Something to act upon. */
export interface Alert {
  /** `danger`: it loses money or takes no work now; `warn`: it will. */
  tone: 'danger' | 'warn';
  sentence: string;
  /** What to do about it. */
  action: string;
}

/** Seconds without a word after which a node counts as silent; it speaks every 15. */
export const SILENT_SECONDS = 90;
/** Gas of claim, commit, reveal and settle of one lease, rounded up, and for how many leases a key should hold coin. */
const LEASE_GAS = 600_000n;
const LEASES = 25n;
/** How long before the end of a tier it is time to prove it again, seconds. */
const TIER_SOON = 3 * 86_400;
/** Basis points under which a record costs much of the draw. */
const LOW_RECORD = 7_000;

/** What holds of a node at second `now` of the chain, and `nowMs` of this machine. `coin` is the symbol that pays gas. */
export function alertsOf(
  node: Pick<
    NodeFacts,
    'stake' | 'locked' | 'queued' | 'unstakeAt' | 'record' | 'tier' | 'tierUntil' | 'minStake' | 'coin' | 'gasPrice'
  >,
  heartbeat: Heartbeat | undefined,
  { now, nowMs, dpu, coin }: { now: number; nowMs: number; dpu: Currency; coin: string },
): Alert[] {
  const alerts: Alert[] = [];
  const add = (tone: Alert['tone'], sentence: string, action: string): void =>
    void alerts.push({ tone, sentence, action });

  const silentFor = heartbeat && Math.floor((nowMs - heartbeat.saidAt) / 1_000);
  if (silentFor === undefined || silentFor > SILENT_SECONDS)
    add(
      'danger',
      silentFor === undefined
        ? 'Nobody hears your node.'
        : `Your node has been silent for ${formatDuration(silentFor)}.`,
      'Look at its status page and its log; leases that it holds lapse at their deadlines.',
    );
  else if (!heartbeat?.healthy)
    add(
      'danger',
      `Your node says that it is not well${heartbeat?.problems.length ? `: ${heartbeat.problems.join('; ')}` : ''}.`,
      'It takes no new work until that is mended.',
    );
  else if (heartbeat.draining)
    add(
      'warn',
      'Your node is draining: it finishes what it holds and takes nothing new.',
      'Start it again to work on.',
    );

  const works = node.gasPrice * LEASE_GAS;
  const leases = works > 0n ? node.coin / works : LEASES;
  if (leases < LEASES)
    add(
      leases === 0n ? 'danger' : 'warn',
      `Its key holds ${formatAmount(node.coin, 18, 5)} ${coin}, gas for about ${leases === 1n ? '1 lease' : `${leases} leases`}.`,
      `Send ${coin} to the operator’s address: a node that cannot pay gas misses its deadlines.`,
    );

  const staying = node.stake - node.queued;
  if (staying < node.minStake)
    add(
      'danger',
      `${formatMoney(staying, dpu)} stay at stake, less than the ${formatMoney(node.minStake, dpu)} that new work asks for.`,
      'Stake more, or cancel the exit.',
    );
  else if (staying - node.locked < node.minStake / 10n)
    add(
      'warn',
      'Nearly all of its stake is locked as bonds.',
      'It takes no more work until leases end; stake more for more at once.',
    );

  if (node.tier > 0 && now > node.tierUntil)
    add('danger', `Its tier ${node.tier} has run out.`, 'Prove it again: dpu-node prove.');
  else if (node.tier > 0 && node.tierUntil - now <= TIER_SOON)
    add(
      'warn',
      `Its tier ${node.tier} runs out in ${formatDuration(node.tierUntil - now)}.`,
      'Prove it again: dpu-node prove.',
    );

  if (node.record < LOW_RECORD)
    add('warn', `Its record is ${node.record / 100} %: it is drawn that much less.`, 'Work that is settled raises it.');
  if (node.queued > 0n && now >= node.unstakeAt)
    add(
      'warn',
      `${formatMoney(node.queued, dpu)} may leave now and earn nothing.`,
      'Take them out, or put them back to work.',
    );
  return alerts;
}
