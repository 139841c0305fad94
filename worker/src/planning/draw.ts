import { readRules } from '@dpu/sdk/rules';
import type { Terms } from '@dpu/sdk/terms';
import { encodeAbiParameters, keccak256, type Hex } from 'viem';

import type { NodeView } from '../chain/chain.ts';

/** The draw starts with this many nodes expected for each seat (`DRAW_START` of the contract). */
const DRAW_START = 2n;
const BPS = 10_000n;

/** Everything that decides when a node may claim. Times are block time, unix seconds. */
export interface DrawFacts {
  job: Hex;
  first: number;
  node: number;
  nodeView: NodeView;
  /** When the job was posted, unix seconds. */
  postedAt: number;
  /** Stake of all nodes that offer the job's runtime. */
  runtimeStake: bigint;
  /** When claiming opened and the price ramp began. */
  from: number;
  /** Hash of the block after the post. `pending`: not mined yet. `gone`: out of the contract's reach, the draw is over. */
  seed: Hex | 'pending' | 'gone';
}

/**
 * First second at which the node may take the lease at `first`: the contract's `_drawnAt`, computed here so that the claim can leave in
 * the same moment as the block that seeds the draw arrives. The contract has the last word; a dry run asks it before anything is paid.
 * Undefined while the seed's block is not mined.
 */
export function drawnAt(terms: Terms, facts: DrawFacts): number | undefined {
  const { from, nodeView, seed } = facts;
  const rules = readRules(terms.rules);
  if (terms.node !== 0) return Math.max(from, terms.start);
  if (seed === 'pending') return undefined;
  const openToAll = from + rules.drawOpenAfter;
  // Younger than the seed: such a node has to wait for everybody.
  if (nodeView.since >= facts.postedAt || facts.runtimeStake === 0n) return openToAll;
  if (seed === 'gone') return Math.max(from, terms.start);
  const share = ((nodeView.stake * BigInt(nodeView.record) * BigInt(terms.seats)) << 64n) / (facts.runtimeStake * BPS);
  if (share === 0n) return openToAll;
  const factor = rollOf(seed, facts.job, facts.first, facts.node) / share + 1n;
  const at = factor <= DRAW_START ? from : from + Number(factor - DRAW_START) * rules.drawStep;
  return Math.max(Math.min(at, openToAll), terms.start);
}

/** The node's roll, uniform on [0, 2^64). */
export function rollOf(seed: Hex, job: Hex, first: number, node: number): bigint {
  const encoded = encodeAbiParameters(
    [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'uint32' }, { type: 'uint32' }],
    [seed, job, first, node],
  );
  return BigInt(keccak256(encoded)) & ((1n << 64n) - 1n);
}
