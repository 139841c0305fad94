/** What the chain says about governance: its settings, proposals and votes. */
import { getAbiItem, isAddressEqual, zeroAddress, type Address, type PublicClient } from 'viem';

import { dpuGovernorAbi, dpuTimelockAbi, dpuTokenAbi, marketAbi } from './abi/generated.ts';
import type { Deployment } from './deployment.ts';
import { governanceOf, proposalState, type Proposal, type ProposalState } from './governance.ts';
import { LOG_RANGE } from './logs.ts';

type Reader = Pick<PublicClient, 'readContract'>;
type LogReader = Pick<PublicClient, 'getLogs' | 'getBlockNumber'>;
type Contracts = Pick<Deployment, 'governor' | 'timelock' | 'token' | 'market'>;

/** The settings of governance as they are now; windows in seconds, votes in DPU wei. */
export interface GovernanceSettings {
  /** From a proposal to the begin of its vote. */
  votingDelay: number;
  votingPeriod: number;
  /** What is left of a vote at least, once quorum is reached. */
  lateQuorumExtension: number;
  /** From queue to execution. */
  timelockDelay: number;
  /** Votes that a proposer needs. */
  proposalThreshold: bigint;
  /** Share of the supply that must vote for or abstain, per cent. */
  quorumPercent: number;
  /** Who may cancel proposals; undefined when nobody may. */
  guardian: Address | undefined;
  /** Last second of the guardian's term, unix time. */
  guardianUntil: number;
}

/** A proposal's progress. Times are unix seconds, votes DPU wei. */
export interface ProposalStatus {
  state: ProposalState;
  proposer: Address;
  /** Votes count as they were delegated in this second; voting is open from the next one on. */
  snapshot: number;
  /** Last second of the vote; late quorum moves it. */
  deadline: number;
  /** First second in which it can be executed; undefined until it is queued. */
  eta: number | undefined;
  votes: { against: bigint; for: bigint; abstain: bigint };
  /** Votes for and abstentions that are needed together; undefined until the snapshot is past. */
  quorum: bigint | undefined;
}

/** A proposal as its event shows it. */
export interface FoundProposal extends Proposal {
  id: bigint;
  proposer: Address;
  block: bigint;
}

/** Where somebody's votes come from. DPU wei. */
export interface VotingPower {
  /** What the account can vote with: its own and what others delegated to it. */
  votes: bigint;
  /** DPU in the wallet, and who votes with them; undefined: nobody. */
  liquid: bigint;
  liquidDelegate: Address | undefined;
  /** DPU staked by this owner, all nodes together, and who votes with them. */
  staked: bigint;
  stakeDelegate: Address | undefined;
}

const someone = (account: Address): Address | undefined => (isAddressEqual(account, zeroAddress) ? undefined : account);

/** Reads the settings. @throws NoGovernance */
export async function readGovernanceSettings(client: Reader, deployment: Contracts): Promise<GovernanceSettings> {
  const { governor, timelock } = governanceOf(deployment);
  const contract = { address: governor, abi: dpuGovernorAbi } as const;
  const [votingDelay, votingPeriod, lateQuorum, threshold, quorum, guardian, guardianUntil, delay] = await Promise.all([
    client.readContract({ ...contract, functionName: 'votingDelay' }),
    client.readContract({ ...contract, functionName: 'votingPeriod' }),
    client.readContract({ ...contract, functionName: 'lateQuorumVoteExtension' }),
    client.readContract({ ...contract, functionName: 'proposalThreshold' }),
    client.readContract({ ...contract, functionName: 'quorumNumerator' }),
    client.readContract({ ...contract, functionName: 'proposalGuardian' }),
    client.readContract({ ...contract, functionName: 'proposalGuardianUntil' }),
    client.readContract({ address: timelock, abi: dpuTimelockAbi, functionName: 'getMinDelay' }),
  ]);
  return {
    votingDelay: Number(votingDelay),
    votingPeriod: Number(votingPeriod),
    lateQuorumExtension: lateQuorum,
    timelockDelay: Number(delay),
    proposalThreshold: threshold,
    quorumPercent: Number(quorum),
    guardian: someone(guardian),
    guardianUntil,
  };
}

/** Reads how far proposal `id` is. `now`: time of the newest block. @throws NoGovernance, or viem's error for an id that is none */
export async function readProposal(
  client: Reader,
  deployment: Contracts,
  id: bigint,
  now: number,
): Promise<ProposalStatus> {
  const { governor } = governanceOf(deployment);
  const contract = { address: governor, abi: dpuGovernorAbi, args: [id] } as const;
  const [state, proposer, snapshot, deadline, eta, [against, inFavour, abstain]] = await Promise.all([
    client.readContract({ ...contract, functionName: 'state' }),
    client.readContract({ ...contract, functionName: 'proposalProposer' }),
    client.readContract({ ...contract, functionName: 'proposalSnapshot' }),
    client.readContract({ ...contract, functionName: 'proposalDeadline' }),
    client.readContract({ ...contract, functionName: 'proposalEta' }),
    client.readContract({ ...contract, functionName: 'proposalVotes' }),
  ]);
  const past = snapshot < BigInt(now);
  return {
    state: proposalState(state),
    proposer,
    snapshot: Number(snapshot),
    deadline: Number(deadline),
    eta: eta === 0n ? undefined : Number(eta),
    votes: { against, for: inFavour, abstain },
    quorum: past ? await client.readContract({ ...contract, functionName: 'quorum', args: [snapshot] }) : undefined,
  };
}

/** Reads every proposal from the chain's logs, oldest first. @throws NoGovernance */
export async function findProposals(
  client: LogReader,
  deployment: Pick<Deployment, 'governor' | 'timelock' | 'startBlock'>,
): Promise<FoundProposal[]> {
  const { governor } = governanceOf(deployment);
  const event = getAbiItem({ abi: dpuGovernorAbi, name: 'ProposalCreated' });
  const last = await client.getBlockNumber({ cacheTime: 0 });
  const found: FoundProposal[] = [];
  for (let from = BigInt(deployment.startBlock); from <= last; from += BigInt(LOG_RANGE)) {
    const end = from + BigInt(LOG_RANGE) - 1n;
    const range = { fromBlock: from, toBlock: end < last ? end : last };
    const logs = await client.getLogs({ address: governor, event, strict: true, ...range });
    for (const { args, blockNumber } of logs) {
      const { proposalId, proposer, targets, values, calldatas, description } = args;
      found.push({ id: proposalId, proposer, targets, values, calldatas, description, block: blockNumber });
    }
  }
  return found;
}

/** Reads what `account` can vote with now, and who votes with what it owns. */
export async function readVotingPower(client: Reader, deployment: Contracts, account: Address): Promise<VotingPower> {
  const token = { address: deployment.token, abi: dpuTokenAbi } as const;
  const surrogate = await client.readContract({
    address: deployment.market,
    abi: marketAbi,
    functionName: 'surrogateOf',
    args: [account],
  });
  const staker = someone(surrogate);
  const [votes, liquid, liquidDelegate, staked, stakeDelegate] = await Promise.all([
    client.readContract({ ...token, functionName: 'getVotes', args: [account] }),
    client.readContract({ ...token, functionName: 'balanceOf', args: [account] }),
    client.readContract({ ...token, functionName: 'delegates', args: [account] }),
    staker ? client.readContract({ ...token, functionName: 'balanceOf', args: [staker] }) : 0n,
    staker ? client.readContract({ ...token, functionName: 'delegates', args: [staker] }) : zeroAddress,
  ]);
  return {
    votes,
    liquid,
    liquidDelegate: someone(liquidDelegate),
    staked,
    stakeDelegate: someone(stakeDelegate),
  };
}
