/** Why the governor or the timelock refused, as data and in words. */
import { decodeErrorResult, type Hex } from 'viem';

import { dpuGovernorAbi, dpuTimelockAbi } from './abi/generated.ts';
import { explain, type Explanation } from './errors.ts';
import { proposalState } from './governance.ts';
import { decodeRevert, revertDataOf, type Revert } from './revert.ts';

const errorsAbi = [
  ...dpuGovernorAbi.filter((item) => item.type === 'error'),
  ...dpuTimelockAbi.filter((item) => item.type === 'error'),
];

/** What happened and what to do next, for the refusals that people meet. */
const SENTENCES: Record<string, (args: readonly unknown[]) => Omit<Explanation, 'name'>> = {
  GovernorInsufficientProposerVotes: ([, votes, threshold]) => ({
    sentence: `A proposal needs ${whole(threshold)} DPU of votes in the second before it; the account had ${whole(votes)}.`,
    action: 'Delegate DPU (liquid or staked) to the account, wait for the next block, and propose again.',
    retryable: true,
  }),
  GovernorRestrictedProposer: () => ({
    sentence: 'The description names another account as its proposer.',
    action: 'Propose from that account, or write a description of your own.',
    retryable: false,
  }),
  GovernorUnexpectedProposalState: ([, state]) => ({
    sentence: `The proposal is ${proposalState(Number(state))}, and this cannot be done in that state.`,
    action: 'Look at its times: voting, queueing and executing each have a window of their own.',
    retryable: false,
  }),
  GovernorAlreadyCastVote: () => ({
    sentence: 'The account has voted on this proposal already.',
    action: 'Nothing is left to do; a vote cannot be changed.',
    retryable: false,
  }),
  GovernorNonexistentProposal: () => ({
    sentence: 'There is no such proposal.',
    action: 'Check its calls and its description: a proposal that differs in one byte is another one.',
    retryable: false,
  }),
  GovernorUnableToCancel: () => ({
    sentence: 'The account may not cancel this proposal.',
    action: 'The guardian may, within its term; the proposer may before the vote begins.',
    retryable: false,
  }),
  GovernorOnlyExecutor: () => ({
    sentence: 'Only a proposal that was voted for may change this.',
    action: 'Make a proposal.',
    retryable: false,
  }),
  TimelockUnexpectedOperationState: () => ({
    sentence:
      'The timelock does not hold this operation in the state that the call needs; most often its delay is not over.',
    action: 'Wait for the time that the queued proposal shows, then try again.',
    retryable: true,
  }),
};

/** The error of the governor, the timelock or what they called, inside whatever was thrown; undefined when it is no known revert. */
export function governanceRevertOf(error: unknown): Revert | undefined {
  const data = revertDataOf(error);
  return data === undefined ? undefined : decodeGovernanceRevert(data);
}

/** Decodes the bytes that a call reverted with, or undefined when no known error made them. */
export function decodeGovernanceRevert(data: Hex): Revert | undefined {
  try {
    const { errorName, args } = decodeErrorResult({ abi: errorsAbi, data });
    return { name: errorName, args: (args as readonly unknown[] | undefined) ?? [] };
  } catch {
    return decodeRevert(data);
  }
}

/** Any error of a call to the governor, explained; what is not about governance is left to `explain`. */
export function explainGovernance(error: unknown): Explanation {
  const revert = governanceRevertOf(error);
  const sentence = revert && SENTENCES[revert.name];
  return sentence ? { name: revert.name, ...sentence(revert.args) } : explain(error);
}

function whole(wei: unknown): string {
  return ((wei as bigint) / 10n ** 18n).toLocaleString('en-US');
}
