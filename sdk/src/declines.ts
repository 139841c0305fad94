/**
 * Why a node did not take a job, said so that others can check who said it: a code, signed by the node's operator. Requesters see from them
 * what to change; nodes see what the network is short of. A decline promises nothing and costs nothing.
 */
import { isAddressEqual, recoverTypedDataAddress, type Address, type Hex } from 'viem';
import { z } from 'zod';

import type { MarketDomain } from './terms.ts';

/**
 * Every reason: its number on the wire, and what it says to somebody who waits for the job. Numbers are for good: a reason that is not used any
 * more keeps its own, a new one takes the next.
 */
export const DECLINES = {
  currency: { number: 1, sentence: 'This node names no price in the job’s currency.' },
  price: { number: 2, sentence: 'The job pays less than this node asks.' },
  runtime: { number: 3, sentence: 'This node does not offer the job’s runtime.' },
  reserved: { number: 4, sentence: 'The job is reserved for another node.' },
  tier: { number: 5, sentence: 'The job asks for a capability that this node has not proven.' },
  stake: { number: 6, sentence: 'The node’s free stake does not cover the bond.' },
  minStake: { number: 7, sentence: 'The node’s stake is below the network’s least.' },
  deadline: { number: 8, sentence: 'The job’s deadline is too short for this machine.' },
  slots: { number: 9, sentence: 'All slots are taken.' },
  specUnavailable: { number: 10, sentence: 'The job’s spec cannot be had from any gateway.' },
  specInvalid: { number: 11, sentence: 'The job’s spec breaks the rules.' },
  inputsUnavailable: { number: 12, sentence: 'The job’s inputs cannot be had from any gateway.' },
  inputsTooBig: { number: 13, sentence: 'The job’s inputs are larger than this node takes.' },
  noKey: { number: 14, sentence: 'The job is private, and this node has no key for private jobs.' },
  notRecipient: { number: 15, sentence: 'The job is private, and its envelope is not for this node.' },
  privateUnsound: { number: 16, sentence: 'The sealed part of the private job is not sound.' },
  memory: { number: 17, sentence: 'The job asks for more memory than this node gives.' },
  fails: { number: 18, sentence: 'The job fails as soon as it is started.' },
  failedBefore: { number: 19, sentence: 'The job failed on this node before.' },
  wallet: { number: 20, sentence: 'The operator’s wallet cannot pay for gas.' },
  paused: { number: 21, sentence: 'The network has stopped new claims for now.' },
  draining: { number: 22, sentence: 'The node is leaving and takes no new work.' },
  gas: { number: 23, sentence: 'At today’s fees the gas would eat the job’s price.' },
  cores: { number: 24, sentence: 'The job asks for more processor cores than this node gives.' },
  vram: { number: 25, sentence: 'The job asks for more GPU memory than this node has.' },
  busy: { number: 26, sentence: 'What is left of the machine beside its leases is too little for the job now.' },
  crowded: { number: 27, sentence: 'The job would make a lease late that the node holds already.' },
  notIdle: { number: 28, sentence: 'The node’s machine is used for something else now.' },
  hot: { number: 29, sentence: 'The node’s machine is too warm for more work now.' },
  power: { number: 30, sentence: 'The node’s GPU draws as much power as its operator allows.' },
  hours: { number: 31, sentence: 'It is outside the node’s working hours, or they end too soon.' },
} as const satisfies Record<string, { number: number; sentence: string }>;

/** Name of a reason. */
export type DeclineCode = keyof typeof DECLINES;

/** Names of all reasons, by number. */
export const DECLINE_CODES = Object.keys(DECLINES) as readonly DeclineCode[];

/** What a node says about a job. */
export interface NodeDecline {
  /** Id of the node. */
  node: number;
  job: Hex;
  code: DeclineCode;
  /** Block time of the decision, unix seconds. */
  at: number;
}

/** The same with the operator's signature. */
export interface SignedDecline extends NodeDecline {
  signature: Hex;
}

const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-f]{${bytes * 2}}$`), `must be ${bytes} bytes as lower-case hex`)
    .transform((text) => text as Hex);

/** A signed decline as JSON. Nothing else is let in: it comes from strangers. */
export const signedDeclineSchema = z.strictObject({
  node: z.int().min(1).max(0xffff_ffff),
  job: hex(32),
  code: z.enum(DECLINE_CODES as [DeclineCode, ...DeclineCode[]]),
  at: z.int().min(0).max(0xff_ffff_ffff),
  signature: hex(65),
});

const declineTypes = {
  Decline: [
    { name: 'node', type: 'uint32' },
    { name: 'job', type: 'bytes32' },
    { name: 'code', type: 'uint8' },
    { name: 'at', type: 'uint40' },
  ],
} as const;

/** What an operator signs: pass it to `signTypedData`. The domain is the Market's, so a decline says nothing on another network. */
export function declineTypedData({ node, job, code, at }: NodeDecline, domain: MarketDomain) {
  const message = { node, job, code: DECLINES[code].number, at };
  return { domain, types: declineTypes, primaryType: 'Decline', message } as const;
}

/** Anything that signs typed data, such as viem's local account. */
export interface DeclineSigner {
  signTypedData(data: ReturnType<typeof declineTypedData>): Promise<Hex>;
}

/** Signs a decline with the operator's key. */
export async function signDecline(
  decline: NodeDecline,
  domain: MarketDomain,
  signer: DeclineSigner,
): Promise<SignedDecline> {
  const { node, job, code, at } = decline;
  return { node, job, code, at, signature: await signer.signTypedData(declineTypedData(decline, domain)) };
}

/**
 * Whether `operator` signed it. Who the operator of `signed.node` is the caller reads from the chain (`market.node`): after a rotation
 * declines of the earlier key count no more. A signature that is no point of the curve is simply not the operator's.
 */
export async function isDeclineOf(signed: SignedDecline, operator: Address, domain: MarketDomain): Promise<boolean> {
  const { signature, ...decline } = signed;
  const signer = await recoverTypedDataAddress({ ...declineTypedData(decline, domain), signature }).catch(
    () => undefined,
  );
  return signer !== undefined && isAddressEqual(signer, operator);
}
