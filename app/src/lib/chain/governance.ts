import type { Deployment } from '@dpu/sdk/deployment';
import { textOf, type Proposal } from '@dpu/sdk/governance';
import { decodeCalls, type DecodedCall } from '@dpu/sdk/governanceCalls';
import {
  readProposalHistory,
  readSwitches,
  type CastVote,
  type ProposalStep,
  type Switch,
} from '@dpu/sdk/governanceHistory';
import {
  findProposals,
  readGovernanceSettings,
  readProposal,
  readVotingPower,
  type FoundProposal,
  type GovernanceSettings,
  type ProposalStatus,
  type VotingPower,
} from '@dpu/sdk/governanceReads';
import { dpuGovernorAbi } from '@dpu/sdk/abi';
import { governanceOf } from '@dpu/sdk/governance';
import { inForceAt, readTurns } from '@dpu/sdk/governanceTurns';
import { readInForce } from '@dpu/sdk/governanceValues';
import type { Address, PublicClient } from 'viem';

import { currencyOf } from '../currency.ts';
import { changesOf, type Change } from '../governance/changes.ts';
import { openAfter } from '../governance/open.ts';
import type { Facts } from '../governance/settings.ts';
import { headline } from '../governance/text.ts';

/** A proposal as lists show it. */
export interface ListedProposal {
  id: bigint;
  proposer: Address;
  /** Texts of a stranger, plain. */
  title: string;
  body: string;
  changes: Change[];
  status: ProposalStatus;
}

/** A proposal as its page shows it. */
export interface FullProposal extends ListedProposal {
  /** As the governor's calls take it. */
  proposal: Proposal;
  calls: DecodedCall[];
  steps: ProposalStep[];
  votes: CastVote[];
  settings: GovernanceSettings;
}

/** What an account can do about one proposal. Votes are DPU wei. */
export interface Ballot {
  /** Votes at the snapshot; undefined until that is past. */
  weight: bigint | undefined;
  voted: boolean;
}

/** Thrown when no proposal has this id. */
export class ProposalNotFound extends Error {
  override readonly name = 'ProposalNotFound';
  readonly retryable = false;
  readonly action = 'Check the id and the network.';

  constructor() {
    super('No proposal with this id was made here.');
  }
}

/** Governance as the chain's logs and contracts tell it; nothing here needs the indexer. */
export interface Governance {
  settings(): Promise<GovernanceSettings>;
  /** What is in force now. */
  facts(): Promise<Facts>;
  /** Every proposal, newest first. */
  proposals(): Promise<ListedProposal[]>;
  /** Whether a proposal has this id. False on a network without a governor. */
  has(id: bigint): Promise<boolean>;
  /** @throws ProposalNotFound */
  proposal(id: bigint): Promise<FullProposal>;
  power(account: Address): Promise<VotingPower>;
  ballot(id: bigint, account: Address, snapshot: number): Promise<Ballot>;
}

/** Blocks that are read again each time, in case the newest were replaced. */
const RECENT = 64n;
const ENDED: readonly ProposalStatus['state'][] = ['executed', 'canceled', 'defeated', 'expired'];

/** Governance of one deployment. Logs are read from where the last reading ended. */
export function createGovernance(client: PublicClient, deployment: Deployment): Governance {
  const found = follow((startBlock) => findProposals(client, { ...deployment, startBlock }), deployment.startBlock);
  const switches = follow<Switch>(
    (startBlock) => readSwitches(client, { ...deployment, startBlock }),
    deployment.startBlock,
  );
  const turns = follow((startBlock) => readTurns(client, { ...deployment, startBlock }), deployment.startBlock);
  const ended = new Map<bigint, ListedProposal>();

  const height = (): Promise<bigint> => client.getBlockNumber({ cacheTime: 0 });
  const currency = (address: string) => currencyOf(deployment, address);

  async function facts(): Promise<Facts> {
    const [force, all] = await Promise.all([readInForce(client, deployment), switches(await height())]);
    return { force, open: openAfter(all) };
  }

  /** What was in force at the end of `block`, from the logs: old states are kept by few endpoints. */
  async function factsAt(block: bigint, now: () => Promise<Facts>): Promise<Facts | undefined> {
    const last = await height();
    const [{ force }, turned, all] = await Promise.all([now(), turns(last), switches(last)]);
    const then = inForceAt(force, turned, block);
    return then && { force: then, open: openAfter(all, block) };
  }

  /** A decision changed what was in force just before it; one that came to nothing is read against the day it was made. */
  async function reading(
    proposal: FoundProposal,
    { state }: ProposalStatus,
    now: () => Promise<Facts>,
  ): Promise<Facts | undefined> {
    if (!ENDED.includes(state)) return now();
    if (state !== 'executed') return factsAt(proposal.block, now);
    const { steps } = await readProposalHistory(client, deployment, proposal);
    const executed = steps.find(({ step }) => step === 'executed');
    return executed && factsAt(executed.block - 1n, now);
  }

  async function listed(proposal: FoundProposal, now: () => Promise<Facts>): Promise<ListedProposal> {
    const kept = ended.get(proposal.id);
    if (kept) return kept;
    const { timestamp } = await client.getBlock();
    const status = await readProposal(client, deployment, proposal.id, Number(timestamp));
    const calls = decodeCalls(deployment, proposal);
    const made: ListedProposal = {
      id: proposal.id,
      proposer: proposal.proposer,
      ...headline(textOf(proposal.description)),
      changes: changesOf(calls, { facts: await reading(proposal, status, now), currencyOf: currency }),
      status,
    };
    if (ENDED.includes(status.state)) ended.set(proposal.id, made);
    return made;
  }

  const once = <Answer>(ask: () => Promise<Answer>): (() => Promise<Answer>) => {
    let answer: Promise<Answer> | undefined;
    return () => (answer ??= ask());
  };

  return {
    settings: () => readGovernanceSettings(client, deployment),
    facts,

    async proposals() {
      const all = await found(await height());
      const now = once(facts);
      return Promise.all(all.toReversed().map((proposal) => listed(proposal, now)));
    },

    async has(id) {
      if (!deployment.governor) return false;
      return (await found(await height())).some((proposal) => proposal.id === id);
    },

    async proposal(id) {
      const all = await found(await height());
      const proposal = all.find((candidate) => candidate.id === id);
      if (!proposal) throw new ProposalNotFound();
      const [list, history, settings] = await Promise.all([
        listed(proposal, facts),
        readProposalHistory(client, deployment, proposal),
        readGovernanceSettings(client, deployment),
      ]);
      return { ...list, ...history, proposal, calls: decodeCalls(deployment, proposal), settings };
    },

    power: (account) => readVotingPower(client, deployment, account),

    async ballot(id, account, snapshot) {
      const { governor } = governanceOf(deployment);
      const { timestamp } = await client.getBlock();
      const contract = { address: governor, abi: dpuGovernorAbi } as const;
      const [voted, weight] = await Promise.all([
        client.readContract({ ...contract, functionName: 'hasVoted', args: [id, account] }),
        BigInt(snapshot) < timestamp
          ? client.readContract({ ...contract, functionName: 'getVotes', args: [account, BigInt(snapshot)] })
          : undefined,
      ]);
      return { voted, weight };
    },
  };
}

/** Reads a list of logs in pieces: what is old enough stays, the newest blocks are read again. */
function follow<Item extends { block: bigint }>(
  read: (startBlock: number) => Promise<Item[]>,
  startBlock: number,
): (height: bigint) => Promise<Item[]> {
  let settled: Item[] = [];
  let from = BigInt(startBlock);
  return async (height) => {
    const fresh = await read(Number(from));
    const all = [...settled.filter(({ block }) => block < from), ...fresh];
    if (height > RECENT && height - RECENT > from) {
      from = height - RECENT;
      settled = all;
    }
    return all;
  };
}
