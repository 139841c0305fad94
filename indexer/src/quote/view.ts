/** What quotes and explanations need beside the tables. Both may be missing: without them answers rest on the chain's history alone. */
import type { DeclineCode } from '@dpu/sdk/declines';
import type { Terms } from '@dpu/sdk/terms';
import type { Address, Hex } from 'viem';

/** How a node said it is. */
export interface HeartbeatView {
  /** When it said so, unix seconds. */
  at: number;
  healthy: boolean;
  /** It takes no new work. */
  draining: boolean;
  /** Slots that are free. */
  free: number;
  /** Least price of a shard, by currency in lower case. */
  asks: ReadonlyMap<Hex, bigint>;
}

/** A signed refusal. */
export interface DeclineView {
  node: number;
  code: DeclineCode;
  at: number;
}

/** What nodes say to each other. */
export interface LiveView {
  heartbeatOf(node: number): HeartbeatView | undefined;
  declinesOf(job: Hex): readonly DeclineView[];
}

/** The chain, where only it knows the answer. Each may fail; the caller goes on without. */
export interface ChainView {
  /** DPU. */
  token(): Promise<Address>;
  worstCaseExit(terms: Terms): Promise<number>;
  gasPrice(): Promise<bigint>;
}

/** Older than this a heartbeat says nothing any more, seconds; nodes speak every 15. */
export const SILENT_AFTER = 60;
