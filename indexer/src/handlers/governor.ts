import { VOTE_SUPPORTS } from '@dpu/sdk/apiEnums';
import { proposal, proposalCall, vote } from '../../ponder.schema.ts';
import { happenedAt, touch } from '../network.ts';
import { keepSetting } from '../settings.ts';
import type { AnyContext, AnyEvent, ArgsOf, HandlersOf } from '../types.ts';

type Cast = ArgsOf<'Governor', 'VoteCast'>['event']['args'];

/** Proposals and votes: `docs/governance.md`. */
export const governorHandlers: HandlersOf<'Governor'> = {
  async ProposalCreated({ event, context }) {
    const { proposalId: id, proposer, targets, values, calldatas, voteStart, voteEnd, description } = event.args;
    await context.db.insert(proposal).values({
      ...{ id, proposer, description, voteStart: Number(voteStart), voteEnd: Number(voteEnd) },
      ...{ state: 'proposed', extended: false, eta: null, queuedAt: null, endedAt: null },
      ...{ votesFor: 0n, votesAgainst: 0n, votesAbstain: 0n, voters: 0 },
      ...{ event: event.id, proposedAt: Number(event.block.timestamp), transaction: event.transaction.hash },
    });
    for (const [place, target] of targets.entries()) {
      const call = { target, value: values[place] ?? 0n, data: calldatas[place] ?? ('0x' as const) };
      await context.db.insert(proposalCall).values({ proposal: id, place, ...call });
    }
    await touch(context, event);
  },

  async ProposalQueued({ event, context }) {
    const [eta, queuedAt] = [Number(event.args.etaSeconds), Number(event.block.timestamp)];
    await change(context, event, event.args.proposalId, { state: 'queued', eta, queuedAt });
  },
  async ProposalExecuted({ event, context }) {
    const endedAt = Number(event.block.timestamp);
    await change(context, event, event.args.proposalId, { state: 'executed', endedAt });
  },
  async ProposalCanceled({ event, context }) {
    const endedAt = Number(event.block.timestamp);
    await change(context, event, event.args.proposalId, { state: 'canceled', endedAt });
  },
  async ProposalExtended({ event, context }) {
    const voteEnd = Number(event.args.extendedDeadline);
    await change(context, event, event.args.proposalId, { voteEnd, extended: true });
  },

  VoteCast: ({ event, context }) => cast(context, event, event.args, '0x'),
  VoteCastWithParams: ({ event, context }) => cast(context, event, event.args, event.args.params),

  VotingDelaySet: ({ event, context }) => set(context, event, 'votingDelay', event.args.newVotingDelay),
  VotingPeriodSet: ({ event, context }) => set(context, event, 'votingPeriod', event.args.newVotingPeriod),
  LateQuorumVoteExtensionSet: ({ event, context }) =>
    set(context, event, 'lateQuorumExtension', event.args.newVoteExtension),
  ProposalThresholdSet: ({ event, context }) =>
    set(context, event, 'proposalThreshold', event.args.newProposalThreshold),
  QuorumNumeratorUpdated: ({ event, context }) => set(context, event, 'quorumNumerator', event.args.newQuorumNumerator),
  TimelockChange: ({ event, context }) => set(context, event, 'timelock', event.args.newTimelock),
  ProposalGuardianSet: ({ event, context }) => set(context, event, 'proposalGuardian', event.args.newProposalGuardian),
  ProposalGuardianTermSet: ({ event, context }) => set(context, event, 'proposalGuardianUntil', event.args.until),
};

async function change(
  context: AnyContext,
  event: AnyEvent,
  id: bigint,
  to: Partial<typeof proposal.$inferSelect>,
): Promise<void> {
  await context.db.update(proposal, { id }).set(to);
  await touch(context, event);
}

async function cast(context: AnyContext, event: AnyEvent, args: Cast, params: `0x${string}`): Promise<void> {
  const { voter, proposalId: id, support: number, weight, reason } = args;
  // The governor takes no other number.
  const support = VOTE_SUPPORTS[number]!;
  const row = { proposal: id, voter, support, weight, reason, params, event: event.id };
  await context.db.insert(vote).values({ ...row, ...happenedAt(event) });
  const column = ({ against: 'votesAgainst', for: 'votesFor', abstain: 'votesAbstain' } as const)[support];
  await context.db.update(proposal, { id }).set((now) => ({ [column]: now[column] + weight, voters: now.voters + 1 }));
  await touch(context, event);
}

async function set(context: AnyContext, event: AnyEvent, name: string, value: bigint | number | string): Promise<void> {
  await keepSetting(context, event, { contract: 'governor', name }, value);
  await touch(context, event);
}
