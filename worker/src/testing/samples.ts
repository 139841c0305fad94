import { SEAT, type Lease, type Result } from '@dpu/sdk/lease';
import { packRules } from '@dpu/sdk/rules';
import { RULES } from '@dpu/sdk/testing';
import type { Terms } from '@dpu/sdk/terms';
import { zeroHash, type Hex } from 'viem';

import type { Head, NodeView } from '../chain/chain.ts';
import type { KnownLease } from '../chain/chainBook.ts';

/** 32 bytes that end in `n`. */
export const bytes32 = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`;

export const NODE = 7;
export const JOB = bytes32(0x10b);
export const CURRENCY = '0x0000000000000000000000000000000000000301';

/** Terms of a job of ten shards, posted at second 1,000 in block 10. */
export function sampleTerms(over: Partial<Terms> = {}): Terms {
  return {
    requester: '0x0000000000000000000000000000000000000101',
    currency: CURRENCY,
    minPrice: 100n,
    maxPrice: 200n,
    bond: 40n,
    shards: 10,
    maxLease: 8,
    runtime: 1,
    tier: 0,
    seats: 1,
    direct: false,
    tolerant: false,
    auditBps: 0,
    rules: packRules(RULES),
    node: 0,
    start: 0,
    expiry: 5_000,
    ramp: 100,
    exec: 60,
    window: 30,
    spec: bytes32(0x5bec),
    afterJob: zeroHash,
    salt: 1n,
    ...over,
  };
}

export function sampleNode(over: Partial<NodeView> = {}): NodeView {
  return {
    stake: 1_000n,
    locked: 0n,
    queued: 0n,
    since: 500,
    record: 5_000,
    operator: '0x0000000000000000000000000000000000000201',
    owner: '0x0000000000000000000000000000000000000202',
    runtimes: 2,
    tier: 0,
    tierUntil: 0,
    unstakeAt: 0,
    key: bytes32(0),
    endpoint: '',
    ...over,
  };
}

export function sampleHead(number: number, timestamp: number, over: Partial<Head> = {}): Head {
  return { number, timestamp, hash: bytes32(number), parentHash: bytes32(number - 1), baseFee: 1n, ...over };
}

export const RESULT: Result = { root: bytes32(0xa), units: 5n, manifest: bytes32(0xb) };

/** Our lease of shards 0 and 1, claimed with deadline 1,100. */
export function sampleLease(over: Partial<Omit<KnownLease, 'lease'>> & { lease?: Partial<Lease> } = {}): KnownLease {
  const { lease, ...rest } = over;
  return {
    job: JOB,
    terms: sampleTerms(),
    phase: 'claimed',
    seated: ((lease?.flags ?? 0) & SEAT) !== 0,
    claimedBlock: 12,
    bond: 80n,
    ...rest,
    lease: {
      first: 0,
      count: 2,
      node: NODE,
      price: 100n,
      bonus: 0n,
      deadline: 1_100,
      flags: 0,
      commitment: zeroHash,
      committedBlock: 0,
      ...lease,
    },
  };
}
