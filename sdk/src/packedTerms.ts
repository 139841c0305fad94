/** Terms in the seven words of calldata and of `JobPosted`. Mirrors `src-contracts/types/Terms.sol`. */
import { getAddress, numberToHex, type Address, type Hex } from 'viem';

import type { Terms } from './terms.ts';
import { packWord, unpackWord, type Layout } from './words.ts';

/** Terms as the contract takes and emits them, in viem's shape of the struct. */
export interface PackedTerms {
  parties: bigint;
  money: bigint;
  shape: bigint;
  times: bigint;
  rules: bigint;
  spec: Hex;
  afterJob: Hex;
}

const PARTIES = [
  ['requester', 160],
  ['bond', 96],
] as const satisfies Layout<keyof Terms>;
const MONEY = [
  ['currency', 160],
  ['maxPrice', 96],
] as const satisfies Layout<keyof Terms>;
const SHAPE = [
  ['minPrice', 96],
  ['node', 32],
  ['shards', 32],
  ['ramp', 32],
  ['auditBps', 16],
  ['maxLease', 16],
  ['runtime', 8],
  ['tier', 8],
  ['seats', 8],
  ['flags', 8],
] as const satisfies Layout<keyof Terms | 'flags'>;
/** Bits of `flags`. */
const [DIRECT, TOLERANT] = [1, 2];
const TIMES = [
  ['salt', 64],
  ['start', 40],
  ['expiry', 40],
  ['exec', 32],
  ['window', 32],
] as const satisfies Layout<keyof Terms>;
const RULES = [['rules', 152]] as const satisfies Layout<keyof Terms>;

/**
 * The words of `terms`.
 * @throws RangeError that names the first field that does not fit, e.g. a salt above 64 bits.
 */
export function packTerms(terms: Terms): PackedTerms {
  const values = {
    ...terms,
    requester: BigInt(bytesOf('requester', terms.requester, 20)),
    currency: BigInt(bytesOf('currency', terms.currency, 20)),
    flags: (terms.direct ? DIRECT : 0) | (terms.tolerant ? TOLERANT : 0),
  };
  return {
    parties: packWord('terms', PARTIES, values),
    money: packWord('terms', MONEY, values),
    shape: packWord('terms', SHAPE, values),
    times: packWord('terms', TIMES, values),
    rules: packWord('terms', RULES, values),
    spec: bytesOf('spec', terms.spec, 32),
    afterJob: bytesOf('afterJob', terms.afterJob, 32),
  };
}

/** The terms in the contract's words. Bits that no field uses are no part of them. */
export function unpackTerms(packed: PackedTerms): Terms {
  const parties = unpackWord(PARTIES, packed.parties);
  const money = unpackWord(MONEY, packed.money);
  const shape = unpackWord(SHAPE, packed.shape);
  const times = unpackWord(TIMES, packed.times);
  const flags = Number(shape.flags);
  return {
    requester: addressOf(parties.requester),
    currency: addressOf(money.currency),
    minPrice: shape.minPrice,
    maxPrice: money.maxPrice,
    bond: parties.bond,
    shards: Number(shape.shards),
    maxLease: Number(shape.maxLease),
    runtime: Number(shape.runtime),
    tier: Number(shape.tier),
    seats: Number(shape.seats),
    direct: (flags & DIRECT) !== 0,
    tolerant: (flags & TOLERANT) !== 0,
    auditBps: Number(shape.auditBps),
    rules: packed.rules,
    node: Number(shape.node),
    start: Number(times.start),
    expiry: Number(times.expiry),
    ramp: Number(shape.ramp),
    exec: Number(times.exec),
    window: Number(times.window),
    spec: packed.spec,
    afterJob: packed.afterJob,
    salt: times.salt,
  };
}

/** `value`, which must be that many bytes: the ABI would cut or fill others without a word. */
function bytesOf(field: string, value: Hex, bytes: number): Hex {
  if (new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`).test(value)) return value;
  throw new RangeError(`terms.${field} is ${value}, but it must be ${bytes} bytes of hex.`);
}

function addressOf(value: bigint): Address {
  return getAddress(numberToHex(value, { size: 20 }));
}
