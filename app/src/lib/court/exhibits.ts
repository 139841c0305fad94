import { compare } from '@dpu/sdk/compare/compare';
import { describeComparison } from '@dpu/sdk/compare/describe';
import { decodeManifest } from '@dpu/sdk/manifest';
import { downloadShard, verifyLease } from '@dpu/sdk/results';
import { digestToCid } from '@dpu/sdk/storage/cid';
import { sha256, zeroHash } from 'viem';

import type { App } from '../app.ts';
import type { CourtCase, Evidence } from '../chain/court.ts';

/** One of the two results, checked against what was said on chain. */
export interface Exhibit {
  bytes: Uint8Array;
  /** Who computed it. */
  node: number;
}

/** Both results of a shard, as far as they can be had. */
export interface Exhibits {
  shown?: Exhibit;
  /** Why what the node showed is not here. */
  shownMissing?: string;
  computed?: Exhibit;
  computedMissing?: string;
  /** What the comparator of the job's spec says of the two. */
  sentence?: string;
  same?: boolean;
}

/** Evidence that says something else than what was shown comes first: it is what the dispute is about. */
export function telling(evidence: readonly Evidence[], shown: `0x${string}`): Evidence | undefined {
  const published = evidence.filter(({ digest }) => digest !== zeroHash);
  return published.find(({ hash }) => hash.toLowerCase() !== shown.toLowerCase()) ?? published[0];
}

/** Fetches what the node showed and what a juror computed, checks both against the chain, and compares them. */
export async function loadExhibits(
  app: App,
  { job, terms, postedBlock, dispute, evidence }: CourtCase,
  signal: AbortSignal,
): Promise<Exhibits> {
  const [chain, storage] = await Promise.all([app.chain(), app.storage()]);
  const told = telling(evidence, dispute.hash);
  const endpoints = [dispute.lease.node, ...(told ? [told.node] : [])].map(async (node) =>
    storage.addHolder((await chain.market().node(node)).endpoint),
  );
  await Promise.all(endpoints).catch(() => undefined);
  const found: Exhibits = {};
  try {
    const history = await chain.history(job, { fromBlock: postedBlock, signal });
    const lease = [...history.leases, ...history.replaced].find(
      ({ lease: one }) => one.first === dispute.lease.first && one.node === dispute.lease.node,
    );
    if (!lease) throw new Error('The lease is not among those of the job.');
    const verified = await verifyLease(history, lease, storage.backend, { signal });
    const { bytes } = await downloadShard(verified, dispute.index, storage.backend, { signal });
    found.shown = { bytes, node: dispute.lease.node };
  } catch (error) {
    found.shownMissing = error instanceof Error ? error.message : String(error);
  }
  try {
    if (!told) throw new Error('No juror has shown its result yet.');
    const manifest = decodeManifest(await storage.backend.getBlock(digestToCid(told.digest, 'dag-cbor'), { signal }));
    const { bytes } = await downloadShard({ manifest }, dispute.index, storage.backend, { signal });
    if (sha256(bytes) !== told.hash.toLowerCase())
      throw new Error('What the juror published is not what it said on chain.');
    found.computed = { bytes, node: told.node };
  } catch (error) {
    found.computedMissing = error instanceof Error ? error.message : String(error);
  }
  if (found.shown && found.computed) {
    const spec = await storage.spec(terms.spec, signal).catch(() => undefined);
    const comparison = await compare(spec?.comparator ?? { kind: 'exact' }, found.shown.bytes, found.computed.bytes);
    found.sentence = describeComparison(comparison);
    found.same = comparison.same;
  }
  return found;
}
