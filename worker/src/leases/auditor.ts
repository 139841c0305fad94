import { auditDraw } from '@dpu/sdk/assurance';
import { readRules } from '@dpu/sdk/rules';
import { isAddressEqual, type Address } from 'viem';

import { isAuditable } from './audit.ts';
import type { Chain, Head, NodeView } from '../chain/chain.ts';
import type { KnownLease } from '../chain/chainBook.ts';
import { drawnAt } from '../planning/draw.ts';
import type { ChainFacts } from '../chain/facts.ts';
import type { Range } from '../planning/plan.ts';

/** Where `auditRange` looks. */
export interface AuditSources {
  chain: Pick<Chain, 'node' | 'treasury' | 'marketBalance'>;
  facts: Pick<ChainFacts, 'block' | 'seed'>;
  head: Head;
  /** When the next block is expected, unix seconds. */
  nextTime: number;
  /** The node that would audit. */
  node: number;
  nodeView: NodeView;
  runtimeStake: () => Promise<bigint>;
  /** The DPU token. */
  token: Address;
}

/**
 * The range of `lease` as one that this node may audit; undefined when it was not drawn, or not any more, when the node belongs to one of its
 * parties, or when nobody would pay: the contract's `audit`, asked beforehand.
 */
export async function auditRange(lease: KnownLease, sources: AuditSources): Promise<Range | undefined> {
  const { chain, facts, head, nextTime, node, nodeView, token } = sources;
  const { job, terms, phase, seated } = lease;
  const { first, count, price, node: holder, committedBlock } = lease.lease;
  if (phase !== 'committed' || seated || terms.direct || holder === node || !isAuditable(terms)) return undefined;
  const seed = await facts.seed(committedBlock + 1, head);
  const committedAt = (await facts.block(committedBlock, head))?.timestamp;
  if (seed === 'pending' || committedAt === undefined) return undefined;
  // Its last second belongs to the holder, who may show its result from then on.
  if (nextTime > committedAt + readRules(terms.rules).auditWindow - 1) return undefined;
  const { drawn, pooled } = auditDraw(terms, job, first, seed);
  if (!drawn) return undefined;
  const party = (await chain.node(holder)).owner;
  if (isAddressEqual(nodeView.owner, party) || isAddressEqual(nodeView.owner, terms.requester)) return undefined;
  if (pooled) {
    // The protocol pays where a holder cannot roll again for nothing: in DPU, and for work that every node may take.
    if (terms.node !== 0 || !isAddressEqual(terms.currency, token)) return undefined;
    if ((await chain.marketBalance(terms.currency, await chain.treasury())) < price * BigInt(count)) return undefined;
  }
  // Drawn by the same block, also where the work itself was reserved.
  const at = drawnAt(
    { ...terms, node: 0 },
    {
      ...{ job, first, node, nodeView, seed },
      ...{ postedAt: committedAt, from: committedAt, runtimeStake: await sources.runtimeStake() },
    },
  );
  // Everyone may from the middle of its window on.
  const middle = committedAt + Math.floor(readRules(terms.rules).auditWindow / 2);
  const openAt = at === undefined ? undefined : Math.min(at, middle);
  return { kind: 'audit', first, count, holder, price, from: committedAt, drawnAt: openAt };
}
