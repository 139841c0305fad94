/** What happened to a proposal, and who voted what, from the governor's logs; and what governance has opened and closed. */
import { getAbiItem, type Address, type Hex, type PublicClient } from 'viem';

import { dpuGovernorAbi, marketAbi } from './abi/generated.ts';
import type { Deployment } from './deployment.ts';
import { CHOICES, governanceOf, UnknownProposalState, type Choice } from './governance.ts';
import { LOG_RANGE } from './logs.ts';

type LogReader = Pick<PublicClient, 'getLogs' | 'getBlock' | 'getBlockNumber'>;

/** A vote as it was cast. The reason is the text of a stranger. */
export interface CastVote {
  voter: Address;
  choice: Choice;
  /** DPU wei. */
  weight: bigint;
  reason: string;
  block: bigint;
  transaction: Hex;
}

/** A step of a proposal. `until` is the new last second of the vote (extended), or the first second of execution (queued). */
export interface ProposalStep {
  step: 'created' | 'extended' | 'queued' | 'executed' | 'canceled';
  block: bigint;
  /** Unix seconds. */
  timestamp: number;
  transaction: Hex;
  until?: number;
}

/** Something that governance opens and closes for new money and new jobs. */
export interface Switch {
  what: { kind: 'currency'; address: Address } | { kind: 'runtime'; id: number } | { kind: 'seats' };
  allowed: boolean;
  block: bigint;
}

const GOVERNOR_EVENTS = [
  getAbiItem({ abi: dpuGovernorAbi, name: 'ProposalCreated' }),
  getAbiItem({ abi: dpuGovernorAbi, name: 'ProposalExtended' }),
  getAbiItem({ abi: dpuGovernorAbi, name: 'ProposalQueued' }),
  getAbiItem({ abi: dpuGovernorAbi, name: 'ProposalExecuted' }),
  getAbiItem({ abi: dpuGovernorAbi, name: 'ProposalCanceled' }),
  getAbiItem({ abi: dpuGovernorAbi, name: 'VoteCast' }),
  getAbiItem({ abi: dpuGovernorAbi, name: 'VoteCastWithParams' }),
] as const;
const SWITCH_EVENTS = [
  getAbiItem({ abi: marketAbi, name: 'CurrencyAllowed' }),
  getAbiItem({ abi: marketAbi, name: 'RuntimeAllowed' }),
  getAbiItem({ abi: marketAbi, name: 'SeatsAllowed' }),
] as const;
const STEPS = {
  ProposalCreated: 'created',
  ProposalExtended: 'extended',
  ProposalQueued: 'queued',
  ProposalExecuted: 'executed',
  ProposalCanceled: 'canceled',
} as const;

/** Reads the steps and votes of the proposal `id`, which was made in `block`, oldest first. @throws NoGovernance */
export async function readProposalHistory(
  client: LogReader,
  deployment: Pick<Deployment, 'governor' | 'timelock'>,
  { id, block }: { id: bigint; block: bigint },
): Promise<{ steps: ProposalStep[]; votes: CastVote[] }> {
  const { governor } = governanceOf(deployment);
  const steps: Omit<ProposalStep, 'timestamp'>[] = [];
  const votes: CastVote[] = [];
  for await (const range of ranges(client, block)) {
    for (const log of await client.getLogs({ address: governor, events: GOVERNOR_EVENTS, strict: true, ...range })) {
      if (log.args.proposalId !== id) continue;
      const place = { block: log.blockNumber, transaction: log.transactionHash };
      if (log.eventName === 'VoteCast' || log.eventName === 'VoteCastWithParams') {
        const { voter, support, weight, reason } = log.args;
        const choice = CHOICES[support];
        if (!choice) throw new UnknownProposalState(support);
        votes.push({ voter, choice, weight, reason, ...place });
      } else if (log.eventName === 'ProposalExtended') {
        steps.push({ step: 'extended', ...place, until: Number(log.args.extendedDeadline) });
      } else if (log.eventName === 'ProposalQueued') {
        steps.push({ step: 'queued', ...place, until: Number(log.args.etaSeconds) });
      } else {
        steps.push({ step: STEPS[log.eventName], ...place });
      }
    }
  }
  const timed = await Promise.all(
    steps.map(async (step) => ({
      ...step,
      timestamp: Number((await client.getBlock({ blockNumber: step.block })).timestamp),
    })),
  );
  return { steps: timed, votes };
}

/** Reads everything that was opened or closed since `startBlock`, oldest first; of two about the same thing the later one holds. */
export async function readSwitches(
  client: Pick<LogReader, 'getLogs' | 'getBlockNumber'>,
  { market, startBlock }: Pick<Deployment, 'market' | 'startBlock'>,
): Promise<Switch[]> {
  const switches: Switch[] = [];
  for await (const range of ranges(client, BigInt(startBlock))) {
    for (const log of await client.getLogs({ address: market, events: SWITCH_EVENTS, strict: true, ...range })) {
      const found = { allowed: log.args.allowed, block: log.blockNumber };
      if (log.eventName === 'CurrencyAllowed')
        switches.push({ what: { kind: 'currency', address: log.args.currency }, ...found });
      else if (log.eventName === 'RuntimeAllowed')
        switches.push({ what: { kind: 'runtime', id: log.args.runtime }, ...found });
      else switches.push({ what: { kind: 'seats' }, ...found });
    }
  }
  return switches;
}

async function* ranges(
  client: Pick<LogReader, 'getBlockNumber'>,
  first: bigint,
): AsyncGenerator<{ fromBlock: bigint; toBlock: bigint }> {
  const last = await client.getBlockNumber({ cacheTime: 0 });
  for (let from = first; from <= last; from += BigInt(LOG_RANGE)) {
    const end = from + BigInt(LOG_RANGE) - 1n;
    yield { fromBlock: from, toBlock: end < last ? end : last };
  }
}
