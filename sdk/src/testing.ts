/** Facts that the tests of this package share. */
import { keccak256, toHex, zeroHash } from 'viem';

import type { Lease, Result } from './lease.ts';
import { packRules, type Rules } from './rules.ts';
import type { Terms } from './terms.ts';

/** As `Parameters.initial()`, but that the protocol audits nothing. */
export const RULES: Rules = {
  version: 1,
  feeBps: 300,
  bondTenths: 40,
  auditRates: 0,
  revealWindow: 600,
  auditWindow: 1_800,
  drawStep: 30,
  drawOpenAfter: 1_800,
};

/** Terms of an eight-shard job paid in a token with 18 decimals. */
export const TERMS: Terms = {
  requester: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  currency: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512',
  minPrice: 10n ** 18n,
  maxPrice: 3n * 10n ** 18n,
  bond: 12n * 10n ** 18n,
  shards: 8,
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
  expiry: 1_800_000_000,
  ramp: 60,
  exec: 300,
  window: 60,
  spec: keccak256(toHex('spec')),
  afterJob: zeroHash,
  salt: 7n,
};

/** A lease of three shards in the middle of that job. */
export const LEASE: Lease = {
  first: 2,
  count: 3,
  node: 4,
  price: 2n * 10n ** 18n,
  bonus: 5n,
  deadline: 1_700_000_300,
  flags: 0,
  commitment: zeroHash,
  committedBlock: 0,
};

/** A result of it. */
export const RESULT: Result = { root: keccak256(toHex('root')), units: 9n, manifest: keccak256(toHex('manifest')) };
