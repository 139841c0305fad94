/**
 * Governance: proposals as data, their ids, the calldata of each step, and what the chain says about votes. A proposal is a list of
 * calls that the timelock makes once a vote has passed and its delay is over. Who sends the calldata is up to the caller.
 */
import {
  encodeAbiParameters,
  encodeFunctionData,
  hexToBigInt,
  keccak256,
  pad,
  toHex,
  type Address,
  type Hex,
} from 'viem';

import { dpuGovernorAbi, marketAbi } from './abi/generated.ts';
import type { Deployment } from './deployment.ts';

/** What is to be called if the vote passes, and why. The four parts together are the proposal: change one and it is another. */
export interface Proposal {
  targets: readonly Address[];
  /** Wei sent with each call. */
  values: readonly bigint[];
  calldatas: readonly Hex[];
  /** For people; ends with the proposer's mark, see `describe`. */
  description: string;
}

/** The numbers of one parameter version, as in `Params.sol`: basis points, tenths, seconds. */
export interface Params {
  feeBps: number;
  bondTenths: number;
  noShowBps: number;
  burnBps: number;
  retryBps: number;
  /** Base rates of audits, two bits for each of the runtimes 0 … 7; see `baseAuditBps`. */
  auditRates: number;
  revealWindow: number;
  auditWindow: number;
  openFor: number;
  drawStep: number;
  drawOpenAfter: number;
}

/** States of a proposal, in the contract's order. */
export const PROPOSAL_STATES = [
  'pending',
  'active',
  'canceled',
  'defeated',
  'succeeded',
  'queued',
  'expired',
  'executed',
] as const;

/** How far a proposal is. */
export type ProposalState = (typeof PROPOSAL_STATES)[number];

/** Choices of a vote, in the contract's order. */
export const CHOICES = ['against', 'for', 'abstain'] as const;

/** What a voter says. `abstain` counts for the quorum only. */
export type Choice = (typeof CHOICES)[number];

/** Where governance is. */
export interface GovernanceContracts {
  governor: Address;
  timelock: Address;
}

/** Thrown when a deployment names no governor: one from before governance, or one that is owned otherwise. */
export class NoGovernance extends Error {
  constructor() {
    super(
      'This deployment names no governor. Deploy again, or use a deployment file that has "governor" and "timelock".',
    );
    this.name = 'NoGovernance';
  }
}

/** Thrown when the contracts answer with a state or a choice that this version does not know. */
export class UnknownProposalState extends Error {
  constructor(value: number) {
    super(
      `The governor answers state ${value}, which this version does not know. Use an SDK that belongs to the deployment.`,
    );
    this.name = 'UnknownProposalState';
  }
}

/** The deployment's governor and timelock. @throws NoGovernance */
export function governanceOf({ governor, timelock }: Pick<Deployment, 'governor' | 'timelock'>): GovernanceContracts {
  if (!governor || !timelock) throw new NoGovernance();
  return { governor, timelock };
}

/** The name of state `value`. @throws UnknownProposalState */
export function proposalState(value: number): ProposalState {
  const name = PROPOSAL_STATES[value];
  if (!name) throw new UnknownProposalState(value);
  return name;
}

/* PROPOSALS */

/**
 * The text with the mark that ties the proposal to `proposer`: nobody else can propose it, so nobody who sees it on its way can
 * make it his own and cancel it.
 */
export function describe(text: string, proposer: Address): string {
  return `${text.trimEnd()}\n\n#proposer=${proposer}`;
}

/** The text without the proposer's mark, for display. */
export function textOf(description: string): string {
  return description.replace(/\s*#proposer=0x[0-9a-fA-F]{40}$/, '');
}

/** A proposal that calls the Market with each of `calldatas` (made by `Market.encode`), all or none. */
export function marketProposal(market: Address, calldatas: readonly Hex[], text: string, proposer: Address): Proposal {
  if (calldatas.length === 0) throw new RangeError('a proposal needs at least one call');
  return {
    targets: calldatas.map(() => market),
    values: calldatas.map(() => 0n),
    calldatas,
    description: describe(text, proposer),
  };
}

/** A proposal for a new version of the parameters. Jobs that are posted before it is executed keep theirs. */
export function addParamsProposal(market: Address, params: Params, text: string, proposer: Address): Proposal {
  const call = encodeFunctionData({ abi: marketAbi, functionName: 'addParams', args: [params] });
  return marketProposal(market, [call], text, proposer);
}

/** The fields in which two versions differ. */
export function paramsChanges(before: Params, after: Params): { name: keyof Params; before: number; after: number }[] {
  return (Object.keys(before) as (keyof Params)[])
    .filter((name) => before[name] !== after[name])
    .map((name) => ({ name, before: before[name], after: after[name] }));
}

/** keccak256 of the description: what `queue`, `execute` and `cancel` take instead of the text. */
export function descriptionHash(description: string): Hex {
  return keccak256(toHex(description));
}

/** The governor's id of a proposal. It does not depend on the governor. */
export function proposalId(proposal: Proposal): bigint {
  const { targets, values, calldatas, description } = proposal;
  const types = [{ type: 'address[]' }, { type: 'uint256[]' }, { type: 'bytes[]' }, { type: 'bytes32' }] as const;
  return hexToBigInt(keccak256(encodeAbiParameters(types, [targets, values, calldatas, descriptionHash(description)])));
}

/** The id under which the timelock keeps a proposal that `governor` has queued. */
export function operationId(governor: Address, proposal: Proposal): Hex {
  const { targets, values, calldatas, description } = proposal;
  const salt = hexToBigInt(pad(governor, { dir: 'right', size: 32 })) ^ hexToBigInt(descriptionHash(description));
  return keccak256(
    encodeAbiParameters(
      [{ type: 'address[]' }, { type: 'uint256[]' }, { type: 'bytes[]' }, { type: 'bytes32' }, { type: 'bytes32' }],
      [targets, values, calldatas, pad('0x', { size: 32 }), toHex(salt, { size: 32 })],
    ),
  );
}

/* CALLDATA, all to the governor */

/** Calldata that proposes. The caller must be the one named in the description and have the threshold's votes. */
export function encodePropose({ targets, values, calldatas, description }: Proposal): Hex {
  return encodeFunctionData({
    abi: dpuGovernorAbi,
    functionName: 'propose',
    args: [targets, values, calldatas, description],
  });
}

/** Calldata that votes, with all of the caller's votes at the snapshot. */
export function encodeVote(id: bigint, choice: Choice, reason?: string): Hex {
  const support = CHOICES.indexOf(choice);
  return reason === undefined
    ? encodeFunctionData({ abi: dpuGovernorAbi, functionName: 'castVote', args: [id, support] })
    : encodeFunctionData({ abi: dpuGovernorAbi, functionName: 'castVoteWithReason', args: [id, support, reason] });
}

/** Calldata that queues a proposal that has succeeded. Anyone may send it. */
export function encodeQueue(proposal: Proposal): Hex {
  return encodeFunctionData({ abi: dpuGovernorAbi, functionName: 'queue', args: hashed(proposal) });
}

/** Calldata that executes a queued proposal once the timelock's delay is over. Anyone may send it. */
export function encodeExecute(proposal: Proposal): Hex {
  return encodeFunctionData({ abi: dpuGovernorAbi, functionName: 'execute', args: hashed(proposal) });
}

/** Calldata that cancels: for the guardian in its term at any time before execution, for the proposer before the vote. */
export function encodeCancel(proposal: Proposal): Hex {
  return encodeFunctionData({ abi: dpuGovernorAbi, functionName: 'cancel', args: hashed(proposal) });
}

function hashed({ targets, values, calldatas, description }: Proposal) {
  return [targets, values, calldatas, descriptionHash(description)] as const;
}
