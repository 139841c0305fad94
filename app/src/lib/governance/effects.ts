import { formatAmount, formatExactDuration, plainAmount } from '../format.ts';
import type { Value } from './values.ts';

const percent = (bps: Value): string => plainAmount(bps as bigint, 2);
const time = (seconds: Value): string => formatExactDuration(seconds as bigint);
const factor = (tenths: Value): string => plainAmount(tenths as bigint, 1);
const dpu = (wei: Value): string => `${formatAmount(wei as bigint, 18, 18)} DPU`;

/** ` instead of …`, where the value before is known and another. */
const before = (from: Value | undefined, to: Value, say: (value: Value) => string): string =>
  from === undefined || from === to ? '' : ` instead of ${say(from)}`;

type Effect = (from: Value | undefined, to: Value) => string;

/** One sentence for each setting, by its id. */
const EFFECTS: Readonly<Record<string, Effect>> = {
  'params.feeBps': (from, to) =>
    `Of every 100 paid for work the treasury keeps ${percent(to)}${before(from, to, percent)}; the node gets the rest.`,
  'params.bondTenths': (from, to) =>
    `For each shard of a job paid in DPU a node locks at least ${factor(to)} times its price${before(from, to, factor)}.`,
  'params.openFor': (from, to) => `A requester can cancel a job ${time(to)} after posting it${before(from, to, time)}.`,
  'params.noShowBps': (from, to) =>
    `A node that misses its deadline loses ${percent(to)} % of its bond${before(from, to, (value) => `${percent(value)} %`)}.`,
  'params.burnBps': (from, to) => `Of every 100 DPU slashed, ${percent(to)} are destroyed${before(from, to, percent)}.`,
  'params.retryBps': (from, to) =>
    `Of every 100 DPU slashed, ${percent(to)} go to whoever takes the work over${before(from, to, percent)}.`,
  'params.revealWindow': (from, to) =>
    `A node has ${time(to)} to show its result after committing to it${before(from, to, time)}.`,
  'params.auditWindow': (from, to) => `A drawn audit must be answered within ${time(to)}${before(from, to, time)}.`,
  'params.drawStep': (from, to) => `One more node is let in every ${time(to)}${before(from, to, time)}.`,
  'params.drawOpenAfter': (from, to) => `Everyone may take a shard after ${time(to)}${before(from, to, time)}.`,
  minStake: (from, to) =>
    `A node with less than ${dpu(to)}${before(from, to, dpu)} at stake gets no new work. Leases that run go on.`,
  unbonding: (from, to) =>
    `Stake queued from then on leaves after ${time(to)}${before(from, to, time)}. Exits already queued keep their date.`,
  seats: (_, to) =>
    to
      ? 'New jobs may ask for three or five nodes on each shard.'
      : 'New jobs get one node on each shard. Jobs that exist go on.',
  treasury: (_, to) => `Fees and the treasury’s part of slashes go to ${String(to)} from then on.`,
  votingDelay: (from, to) =>
    `There are ${time(to)}${before(from, to, time)} to read a proposal before its vote begins.`,
  votingPeriod: (from, to) => `A vote is open for ${time(to)}${before(from, to, time)}.`,
  lateQuorumExtension: (from, to) =>
    `When quorum is reached late, at least ${time(to)}${before(from, to, time)} are left to answer.`,
  timelockDelay: (from, to) =>
    `A decision waits ${time(to)}${before(from, to, time)} before it happens: the time to leave for who disagrees.`,
  proposalThreshold: (from, to) => `Proposing needs ${dpu(to)}${before(from, to, dpu)} of votes.`,
  quorumPercent: (from, to) =>
    `A vote counts when ${String(to)} %${before(from, to, (value) => `${String(value)} %`)} of all DPU vote for or abstain.`,
};

/** What changes for people when setting `id` goes from one value to another. Parameters of jobs hold for jobs posted from then on. */
export function effectOf(id: string, from: Value | undefined, to: Value): string {
  const effect = EFFECTS[id];
  if (effect) return effect(from, to);
  if (id.startsWith('audits.'))
    return `${percent(to)} of 100 single-seat leases are computed again by a second node${before(from, to, percent)}.`;
  if (id.startsWith('runtime.'))
    return to ? 'New jobs may use it.' : 'New jobs may not use it any more. Jobs that exist go on.';
  return to
    ? 'It can be deposited to pay for jobs.'
    : 'It cannot be deposited any more. What is in the Market can be spent and withdrawn for ever.';
}
