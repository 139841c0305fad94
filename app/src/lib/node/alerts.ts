/** What the owner of a node should know before it costs money. Pure. */
import type { NodeFacts } from '../chain/nodeFacts.ts';
import { formatMoney, type Currency } from '../currency.ts';
import { formatAmount, formatBps, formatDuration } from '../format.ts';
import { say } from '../i18n/say.ts';
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
        ? say('Nobody hears your node.')
        : say('Your node has been silent for {time}.', { time: formatDuration(silentFor) }),
      say('Look at its status page and its log; leases that it holds lapse at their deadlines.'),
    );
  else if (!heartbeat?.healthy)
    add(
      'danger',
      heartbeat?.problems.length
        ? say('Your node says that it is not well: {problems}.', { problems: heartbeat.problems.join('; ') })
        : say('Your node says that it is not well.'),
      say('It takes no new work until that is mended.'),
    );
  else if (heartbeat.draining)
    add(
      'warn',
      say('Your node is draining: it finishes what it holds and takes nothing new.'),
      say('Start it again to work on.'),
    );

  const works = node.gasPrice * LEASE_GAS;
  const leases = works > 0n ? node.coin / works : LEASES;
  const held = `${formatAmount(node.coin, 18, 5)} ${coin}`;
  if (leases < LEASES)
    add(
      leases === 0n ? 'danger' : 'warn',
      leases === 1n
        ? say('Its key holds {amount}, gas for about 1 lease.', { amount: held })
        : say('Its key holds {amount}, gas for about {count} leases.', { amount: held, count: leases }),
      say('Send {coin} to the operator’s address: a node that cannot pay gas misses its deadlines.', { coin }),
    );

  const staying = node.stake - node.queued;
  if (staying < node.minStake)
    add(
      'danger',
      say('{amount} stay at stake, less than the {least} that new work asks for.', {
        amount: formatMoney(staying, dpu),
        least: formatMoney(node.minStake, dpu),
      }),
      say('Stake more, or cancel the exit.'),
    );
  else if (staying - node.locked < node.minStake / 10n)
    add(
      'warn',
      say('Nearly all of its stake is locked as bonds.'),
      say('It takes no more work until leases end; stake more for more at once.'),
    );

  if (node.tier > 0 && now > node.tierUntil)
    add('danger', say('Its tier {number} has run out.', { number: node.tier }), say('Prove it again: dpu-node prove.'));
  else if (node.tier > 0 && node.tierUntil - now <= TIER_SOON)
    add(
      'warn',
      say('Its tier {number} runs out in {time}.', {
        number: node.tier,
        time: formatDuration(node.tierUntil - now),
      }),
      say('Prove it again: dpu-node prove.'),
    );

  if (node.record < LOW_RECORD)
    add(
      'warn',
      say('Its record is {share}: it is drawn that much less.', { share: formatBps(node.record) }),
      say('Work that is settled raises it.'),
    );
  if (node.queued > 0n && now >= node.unstakeAt)
    add(
      'warn',
      say('{amount} may leave now and earn nothing.', { amount: formatMoney(node.queued, dpu) }),
      say('Take them out, or put them back to work.'),
    );
  return alerts;
}
