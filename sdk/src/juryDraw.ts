/** Who may serve on a jury, and from when: the draw of `src-contracts/court/Juries.sol`, with the same sortition as that for leases. */
import { encodeAbiParameters, isAddressEqual, keccak256, type Address, type Hex } from 'viem';

import { placeFor, printOf } from './bench.ts';
import { jurySeats, serveUntil, type Dispute } from './court.ts';
import { readRules } from './rules.ts';
import type { Terms } from './terms.ts';

/** The draw starts with this many nodes expected for each seat (`DRAW_START` of the contract). */
const DRAW_START = 2n;
const BPS = 10_000n;

/** What the draw asks of a node. */
export interface DrawnNode {
  owner: Address;
  /** DPU wei at stake. */
  stake: bigint;
  /** Basis points. */
  record: number;
  /** Last second at which stake or runtimes changed. */
  since: number;
  /** Bit r is set when the node offers runtime r. */
  runtimes: number;
  tier: number;
  tierUntil: number;
}

/** Everything that decides when a node may serve. Times are block time, unix seconds. */
export interface JuryFacts {
  /** The dispute's key. */
  key: Hex;
  dispute: Pick<Dispute, 'state' | 'round' | 'at'>;
  node: number;
  view: DrawnNode;
  /** Owners with a side: the holder's, the challenger's, an appellant's. The requester is in the terms. */
  parties: readonly Address[];
  /** Nodes on the range of a judged seat: neighbours are no jurors. Empty for a lease that is alone. */
  neighbours: readonly number[];
  /** Benches of the rounds: of the one that runs, and of the first. */
  bench: bigint;
  firstBench: bigint;
  /** Stake of all nodes that offer the job's runtime. */
  runtimeStake: bigint;
  /** Hash of the block after the round began. `pending`: not mined yet. `gone`: out of the contract's reach. */
  seed: Hex | 'pending' | 'gone';
}

/**
 * First second at which the node may serve if nothing else changes, as `drawnToJury` says at second `time`; undefined when it never may, or
 * while the seed's block is not mined.
 */
export function juryDrawnAt(terms: Terms, facts: JuryFacts, time: number): number | undefined {
  const { dispute, view, seed, node } = facts;
  if (dispute.state !== 'serving' || time > serveUntil(terms, dispute)) return undefined;
  if (!mayServe(terms, view, time) || isParty(terms, facts) || !isFree(facts)) return undefined;
  if (seed === 'pending') return undefined;
  const rules = readRules(terms.rules);
  const openToAll = dispute.at + rules.drawOpenAfter;
  // Younger than the seed: such a node has to wait for everybody.
  if (view.since >= dispute.at) return openToAll;
  if (seed === 'gone') return dispute.at;
  if (facts.runtimeStake === 0n) return openToAll;
  const { seats } = jurySeats(dispute.round);
  const share = ((view.stake * BigInt(view.record) * BigInt(seats)) << 64n) / (facts.runtimeStake * BPS);
  if (share === 0n) return openToAll;
  const factor = juryRoll(seed, facts.key, dispute.round, node) / share + 1n;
  if (factor <= DRAW_START) return dispute.at;
  return Math.min(dispute.at + Number(factor - DRAW_START) * rules.drawStep, openToAll);
}

/** Whether the node can compute the job, whoever the job was meant for. */
export function mayServe(
  terms: Pick<Terms, 'runtime' | 'tier'>,
  view: Pick<DrawnNode, 'runtimes' | 'tier' | 'tierUntil'>,
  time: number,
): boolean {
  if (((view.runtimes >>> terms.runtime) & 1) === 0) return false;
  return terms.tier === 0 || (view.tier >= terms.tier && time <= view.tierUntil);
}

/** The node's roll, uniform on [0, 2^64). */
export function juryRoll(seed: Hex, key: Hex, round: number, node: number): bigint {
  const encoded = encodeAbiParameters(
    [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'uint32' }, { type: 'uint32' }],
    [seed, key, round, node],
  );
  return BigInt(keccak256(encoded)) & ((1n << 64n) - 1n);
}

/** The prints of a jury's nodes as its bench holds them; the chain below them is left out. */
export function juryBench(key: Hex, nodes: readonly number[]): bigint {
  return nodes.reduce((bench, node, place) => bench | (BigInt(printOf(key, node)) << BigInt(168 + 8 * place)), 0n);
}

function isParty({ requester }: Terms, { view, parties, neighbours, node }: JuryFacts): boolean {
  return neighbours.includes(node) || [requester, ...parties].some((party) => isAddressEqual(party, view.owner));
}

/** Whether a seat is left, and the node's print sits in neither jury. Two nodes share one by chance, 1 in 255. */
function isFree({ key, dispute, node, bench, firstBench }: JuryFacts): boolean {
  const print = printOf(key, node);
  const place = placeFor(bench, print);
  if (place === undefined || place >= jurySeats(dispute.round).seats) return false;
  if (dispute.round === 1) return true;
  // The first jury never fills all places, so no place means that the print is there.
  return placeFor(firstBench, print) !== undefined;
}
