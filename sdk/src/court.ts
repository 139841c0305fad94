/**
 * The court: disputes about one shard of a revealed lease, and the juries that decide them. Mirrors `src-contracts/types/Dispute.sol` and
 * `src-contracts/court/`. Who may serve is in `juryDraw.ts`.
 */
import { encodeAbiParameters, keccak256, zeroHash, type Address, type Hex } from 'viem';

import { chainOver } from './bench.ts';
import { claimedWord, SPEC_FAULT, type Lease, type Result } from './lease.ts';
import { merkleProof, type ShardLeaf } from './merkle.ts';
import { readRules } from './rules.ts';
import type { Terms } from './terms.ts';
import { VERDICTS, type Verdict } from './verdicts.ts';

export { VERDICTS, type Verdict } from './verdicts.ts';

/** What a juror may say. */
export type Vote = Exclude<Verdict, 'none' | 'undecided'>;

/** Where a dispute stands, in the order of the contract's enum. */
export const DISPUTE_STATES = ['none', 'serving', 'judged', 'ended'] as const;

/** serving: jurors sit down, then speak. judged: the round is counted. ended: the verdict is carried out. */
export type DisputeState = (typeof DISPUTE_STATES)[number];

/** Mark: the challenger's bond comes from a node's stake. */
export const BY_NODE = 1;
/** Mark: the result says that the job cannot be done. */
export const CLAIMS_FAULT = 2;
/** Mark: some juror of this round spoke by itself. */
export const SPOKE_ALONE = 4;
/** Mark: the lease is a seat among several, whose neighbours are no jurors. */
export const SEATED_DISPUTE = 8;
/** Mark: the second jury found something else than the first. */
export const OVERTURNED = 16;

/** A dispute as the chain tells it. Times are block time, unix seconds. */
export interface Dispute {
  state: DisputeState;
  /** 1, or 2 after an appeal. */
  round: number;
  /** What stands. */
  verdict: Verdict;
  /** `BY_NODE`, `CLAIMS_FAULT`, `SPOKE_ALONE`, `SEATED_DISPUTE`, `OVERTURNED`. */
  marks: number;
  /** Jurors paid in the first and in the second round. */
  paid: number;
  paidAgain: number;
  /** When the round began; once judged, when it was. */
  at: number;
  /** Block in which the round began; the one after it draws the jurors. */
  atBlock: number;
  /** Who challenged: an account, or undefined where a node's stake pays. */
  challenger: Address | undefined;
  /** The node whose stake pays; 0 for an account. */
  byNode: number;
}

/** What one juror has to say. */
export interface Testimony {
  node: number;
  /** `none` when it is silent, or has spoken before. */
  verdict: Vote | 'none';
  /** What it computed itself; zero when nothing. */
  hash: Hex;
  units: bigint;
  /** Digest of what it published; zero when nothing. */
  evidence: Hex;
  /** The salt of its commitment; where the verdict is `none`, the commitment itself. */
  salt: Hex;
}

/** A juror and what it is bound to. */
export interface Juror {
  node: number;
  commitment: Hex;
}

/** A testimony as the contract takes it, in viem's shape of the struct. */
export type PackedTestimony = Omit<Testimony, 'verdict'> & { verdict: number };

/** A shard with the proof that it is under its result's root, in viem's shape of the struct. */
export interface ProvenShard {
  index: number;
  hash: Hex;
  units: bigint;
  proof: readonly Hex[];
}

/** What a dispute costs, in DPU wei. */
export interface DisputeCost {
  /** The challenger's bond. */
  challenging: bigint;
  /** The fee of a juror, which is also its bond. */
  juror: bigint;
  /** The appellant's bond. */
  appealing: bigint;
}

/** Fields of a dispute that its times depend on. */
export type DisputeMoment = Pick<Dispute, 'state' | 'round' | 'at'>;

const FEE_PART = 8n;
const CHALLENGE_FEES = 10n;

/** Seats of a jury, and how many of them make two thirds. */
export function jurySeats(round: number): { seats: number; quorum: number } {
  return round === 1 ? { seats: 5, quorum: 4 } : { seats: 11, quorum: 8 };
}

/** What a dispute under these terms costs. All are zero when the bond is too small to pay a juror: then nothing can be challenged. */
export function disputeCost({ bond }: Pick<Terms, 'bond'>): DisputeCost {
  const juror = bond / FEE_PART;
  return { challenging: CHALLENGE_FEES * juror, juror, appealing: BigInt(jurySeats(2).seats) * juror };
}

/** The key of the dispute about shard `index` of the claim that `lease` describes, equal to the contract's `disputeKey`. */
export function disputeKey(id: Hex, lease: Lease, index: number): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'uint32' }, { type: 'uint256' }, { type: 'uint32' }, { type: 'string' }],
      [id, lease.first, claimedWord(lease), index, 'dispute'],
    ),
  );
}

/** What a juror commits to, equal to the contract's `testimonyOf`. */
export function testimonyOf(dispute: Hex, round: number, said: Testimony): Hex {
  const { node, verdict, hash, units, evidence, salt } = packTestimony(said);
  return keccak256(
    encodeAbiParameters(
      [
        { type: 'bytes32' },
        { type: 'uint8' },
        { type: 'uint32' },
        { type: 'uint8' },
        { type: 'bytes32' },
        { type: 'uint64' },
        { type: 'bytes32' },
        { type: 'bytes32' },
      ],
      [dispute, round, node, verdict, hash, units, evidence, salt],
    ),
  );
}

/** A testimony as `testify` and `judge` take it. */
export function packTestimony(said: Testimony): PackedTestimony {
  return { ...said, verdict: VERDICTS.indexOf(said.verdict) };
}

/** What `judge` is given of a juror that is silent, or has spoken before in the words that the caller does not know. */
export function silenceOf({ node, commitment }: Juror): Testimony {
  return { node, verdict: 'none', hash: zeroHash, units: 0n, evidence: zeroHash, salt: commitment };
}

/** The chain on the bench of a jury, over what its jurors are bound to, in the order in which they sat down. */
export function juryChain(jurors: readonly Juror[]): bigint {
  return chainOver(jurors.map(({ node, commitment }) => ({ claimed: BigInt(node), commitment })));
}

/** The shard to challenge with its proof, from all leaves of the lease; of a result that says that the job cannot be done, an index alone. */
export function provenShard(leaves: readonly ShardLeaf[], index: number): ProvenShard {
  const leaf = leaves.find(({ shard }) => shard === index);
  if (!leaf) return faultShard(index);
  return { index, hash: leaf.hash, units: leaf.units, proof: merkleProof(leaves, index) };
}

/** Names a shard of a result that says that the job cannot be done: nothing is shown of it. */
export function faultShard(index: number): ProvenShard {
  return { index, hash: zeroHash, units: 0n, proof: [] };
}

/** Whether a result says that the job cannot be done as it is described. */
export function claimsFault({ root }: Pick<Result, 'root'>): boolean {
  return root.toLowerCase() === SPEC_FAULT;
}

/** Last second at which a juror may sit down in the round that began at `at`. */
export function serveUntil(terms: Pick<Terms, 'exec' | 'rules'>, { at }: Pick<Dispute, 'at'>): number {
  return at + terms.exec + readRules(terms.rules).revealWindow;
}

/** Last second at which a juror may speak in the round that began at `at`. */
export function speakUntil(terms: Pick<Terms, 'exec' | 'rules'>, dispute: Pick<Dispute, 'at'>): number {
  return serveUntil(terms, dispute) + readRules(terms.rules).revealWindow;
}

/** Last second at which a verdict may be appealed; 0 when it may not, and can be carried out at once. */
export function appealUntil(terms: Pick<Terms, 'rules'>, { round, at }: Pick<Dispute, 'round' | 'at'>): number {
  return round === 1 ? at + readRules(terms.rules).revealWindow - 1 : 0;
}

/** Whether a verdict ends its lease with part of the price: such a verdict waits until nobody may challenge any more. */
export function endsUndone(verdict: Verdict): boolean {
  return verdict === 'specFault' || verdict === 'undecided';
}

/** The graver of two verdicts about shards of one lease. */
export function graver(one: Verdict, other: Verdict): Verdict {
  return GRAVITY[other] > GRAVITY[one] ? other : one;
}

const GRAVITY: Record<Verdict, number> = { none: 0, valid: 1, withheld: 2, undecided: 3, specFault: 4, invalid: 5 };

/** What a jury of `round` finds from the votes of all who serve (`none`: silent), as `judge` counts them. `fault`: the result claims one. */
export function findingOf(round: number, votes: readonly (Vote | 'none')[], fault = false): Verdict {
  const { quorum } = jurySeats(round);
  const means = (vote: Vote | 'none'): Verdict =>
    !fault || vote === 'none' ? vote : vote === 'specFault' ? 'valid' : 'invalid';
  const meant = votes.map(means);
  const count = (...of: Verdict[]): number => meant.filter((vote) => of.includes(vote)).length;
  const right = count('valid', 'withheld');
  if (right >= quorum) return 2 * count('withheld') > right ? 'withheld' : 'valid';
  if (count('invalid') >= quorum) return 'invalid';
  if (count('specFault') >= quorum) return 'specFault';
  return votes.length < quorum ? 'none' : 'undecided';
}

/** What the contract's view `dispute` answers. */
export interface RawDispute {
  state: number;
  round: number;
  verdict: number;
  marks: number;
  paid: number;
  paidAgain: number;
  at: number;
  atBlock: number;
  challenger: Address;
}

/** A dispute from the contract's view. */
export function readDispute(raw: RawDispute): Dispute {
  const { state, verdict, challenger, ...rest } = raw;
  const byNode = (raw.marks & BY_NODE) !== 0;
  return {
    ...rest,
    state: DISPUTE_STATES[state] ?? 'none',
    verdict: VERDICTS[verdict] ?? 'none',
    challenger: byNode ? undefined : challenger,
    byNode: byNode ? Number(BigInt(challenger)) : 0,
  };
}
