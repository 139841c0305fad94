import { formatAmount, formatExactDuration, plainAmount } from '../format.ts';
import { say } from '../i18n/say.ts';
import type { Value } from './values.ts';

const percent = (bps: Value): string => plainAmount(bps as bigint, 2);
const time = (seconds: Value): string => formatExactDuration(seconds as bigint);
const factor = (tenths: Value): string => plainAmount(tenths as bigint, 1);
const dpu = (wei: Value): string => `${formatAmount(wei as bigint, 18, 18)} DPU`;

/** The new value, and the one in force where it is another: `3 d instead of 5 d`. */
const shift = (from: Value | undefined, to: Value, written: (value: Value) => string): string =>
  from === undefined || from === to
    ? written(to)
    : say('{to} instead of {from}', { to: written(to), from: written(from) });

type Effect = (from: Value | undefined, to: Value) => string;

/** One sentence for each setting, by its id. */
const EFFECTS: Readonly<Record<string, Effect>> = {
  'params.feeBps': (from, to) =>
    say('Of every 100 paid for work the treasury keeps {amount}; the node gets the rest.', {
      amount: shift(from, to, percent),
    }),
  'params.bondTenths': (from, to) =>
    say('For each shard of a job paid in DPU a node locks at least {factor} times its price.', {
      factor: shift(from, to, factor),
    }),
  'params.openFor': (from, to) =>
    say('A requester can cancel a job {time} after posting it.', { time: shift(from, to, time) }),
  'params.noShowBps': (from, to) =>
    say('A node that misses its deadline loses {share} % of its bond.', { share: shift(from, to, percent) }),
  'params.burnBps': (from, to) =>
    say('Of every 100 DPU slashed, {amount} are destroyed.', { amount: shift(from, to, percent) }),
  'params.retryBps': (from, to) =>
    say('Of every 100 DPU slashed, {amount} go to whoever takes the work over.', { amount: shift(from, to, percent) }),
  'params.revealWindow': (from, to) =>
    say('A node has {time} to show its result after committing to it.', { time: shift(from, to, time) }),
  'params.auditWindow': (from, to) =>
    say('A drawn audit must be answered within {time}.', { time: shift(from, to, time) }),
  'params.drawStep': (from, to) => say('One more node is let in every {time}.', { time: shift(from, to, time) }),
  'params.drawOpenAfter': (from, to) => say('Everyone may take a shard after {time}.', { time: shift(from, to, time) }),
  minStake: (from, to) =>
    say('A node with less than {amount} at stake gets no new work. Leases that run go on.', {
      amount: shift(from, to, dpu),
    }),
  unbonding: (from, to) =>
    say('Stake queued from then on leaves after {time}. Exits already queued keep their date.', {
      time: shift(from, to, time),
    }),
  seats: (_, to) =>
    to
      ? say('New jobs may ask for three or five nodes on each shard.')
      : say('New jobs get one node on each shard. Jobs that exist go on.'),
  treasury: (_, to) =>
    say('Fees and the treasury’s part of slashes go to {address} from then on.', { address: String(to) }),
  votingDelay: (from, to) =>
    say('There are {time} to read a proposal before its vote begins.', { time: shift(from, to, time) }),
  votingPeriod: (from, to) => say('A vote is open for {time}.', { time: shift(from, to, time) }),
  lateQuorumExtension: (from, to) =>
    say('When quorum is reached late, at least {time} are left to answer.', { time: shift(from, to, time) }),
  timelockDelay: (from, to) =>
    say('A decision waits {time} before it happens: the time to leave for who disagrees.', {
      time: shift(from, to, time),
    }),
  proposalThreshold: (from, to) => say('Proposing needs {amount} of votes.', { amount: shift(from, to, dpu) }),
  quorumPercent: (from, to) =>
    say('A vote counts when {share} % of all DPU vote for or abstain.', { share: shift(from, to, String) }),
};

/** What setting `id` to `to` means for people. */
export function effectOf(id: string, from: Value | undefined, to: Value): string {
  const effect = EFFECTS[id];
  if (effect) return effect(from, to);
  if (id.startsWith('audits.'))
    return say('{count} of 100 single-seat leases are computed again by a second node.', {
      count: shift(from, to, percent),
    });
  if (id.startsWith('runtime.'))
    return to ? say('New jobs may use it.') : say('New jobs may not use it any more. Jobs that exist go on.');
  return to
    ? say('It can be deposited to pay for jobs.')
    : say('It cannot be deposited any more. What is in the Market can be spent and withdrawn for ever.');
}
