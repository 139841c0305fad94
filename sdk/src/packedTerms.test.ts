import fc from 'fast-check';
import { encodePacked, getAddress, toHex, type ContractFunctionArgs, type Hex } from 'viem';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { marketAbi } from './abi/generated.ts';
import { packTerms, unpackTerms, type PackedTerms } from './packedTerms.ts';
import type { Terms } from './terms.ts';
import { TERMS } from './testing.ts';

const uint = (bits: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** bits - 1 });
const wide = (bits: number): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n });
const bytes = (length: number): fc.Arbitrary<Hex> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((value) => toHex(value));
const address = bytes(20).map((value) => getAddress(value));
const anyTerms: fc.Arbitrary<Terms> = fc.record({
  requester: address,
  currency: address,
  minPrice: wide(96),
  maxPrice: wide(96),
  bond: wide(96),
  shards: uint(32),
  maxLease: uint(16),
  runtime: uint(8),
  tier: uint(8),
  seats: uint(8),
  direct: fc.boolean(),
  tolerant: fc.boolean(),
  auditBps: uint(16),
  rules: wide(152),
  node: uint(32),
  start: fc.maxSafeInteger().map((value) => Math.abs(value) % 2 ** 40),
  expiry: fc.maxSafeInteger().map((value) => Math.abs(value) % 2 ** 40),
  ramp: uint(32),
  exec: uint(32),
  window: uint(32),
  spec: bytes(32),
  afterJob: bytes(32),
  salt: wide(64),
});

describe('packed terms', () => {
  test('are what viem infers from the ABI', () => {
    expectTypeOf<PackedTerms>().toEqualTypeOf<ContractFunctionArgs<typeof marketAbi, 'nonpayable', 'post'>[0]>();
  });

  test('are seven words, each field in its place', () => {
    const terms: Terms = {
      ...TERMS,
      direct: true,
      tolerant: true,
      tier: 2,
      node: 9,
      auditBps: 500,
      start: 1_700_000_000,
    };
    const word = (types: string[], values: unknown[]): bigint => BigInt(encodePacked(types, values as never));
    expect(packTerms(terms)).toEqual({
      parties: word(['address', 'uint96'], [terms.requester, terms.bond]),
      money: word(['address', 'uint96'], [terms.currency, terms.maxPrice]),
      shape: word(
        ['uint96', 'uint32', 'uint32', 'uint32', 'uint16', 'uint16', 'uint8', 'uint8', 'uint8', 'uint8'],
        [terms.minPrice, 9, 8, 60, 500, 8, 1, 2, 1, 3],
      ),
      times: word(['uint64', 'uint40', 'uint40', 'uint32', 'uint32'], [7n, 1_700_000_000, 1_800_000_000, 300, 60]),
      rules: terms.rules,
      spec: terms.spec,
      afterJob: terms.afterJob,
    });
  });

  test('give the terms back', () => {
    fc.assert(
      fc.property(anyTerms, (terms) => {
        expect(unpackTerms(packTerms(terms))).toEqual(terms);
      }),
    );
  });

  test('are the same terms whatever stands in bits that no field uses', () => {
    const packed = packTerms(TERMS);
    const noisy = { ...packed, shape: packed.shape | 0xfcn, times: packed.times | (1n << 255n) };
    expect(unpackTerms(noisy)).toEqual(TERMS);
  });

  test.each<[keyof Terms, unknown, string]>([
    ['requester', '0x12', 'terms.requester is 0x12, but it must be 20 bytes of hex.'],
    ['currency', '0xzz', 'terms.currency is 0xzz, but it must be 20 bytes of hex.'],
    [
      'minPrice',
      1n << 96n,
      `terms.minPrice is ${1n << 96n}, but it must be a whole number from 0 to ${2n ** 96n - 1n}.`,
    ],
    ['maxPrice', -1n, `terms.maxPrice is -1, but it must be a whole number from 0 to ${2n ** 96n - 1n}.`],
    ['bond', 1n << 96n, `terms.bond is ${1n << 96n}, but it must be a whole number from 0 to ${2n ** 96n - 1n}.`],
    ['shards', 2 ** 32, 'terms.shards is 4294967296, but it must be a whole number from 0 to 4294967295.'],
    ['maxLease', 65_536, 'terms.maxLease is 65536, but it must be a whole number from 0 to 65535.'],
    ['runtime', 256, 'terms.runtime is 256, but it must be a whole number from 0 to 255.'],
    ['tier', -1, 'terms.tier is -1, but it must be a whole number from 0 to 255.'],
    ['seats', 1.5, 'terms.seats is 1.5, but it must be a whole number from 0 to 255.'],
    ['auditBps', 65_536, 'terms.auditBps is 65536, but it must be a whole number from 0 to 65535.'],
    ['rules', 1n << 152n, `terms.rules is ${1n << 152n}, but it must be a whole number from 0 to ${2n ** 152n - 1n}.`],
    ['node', 2 ** 32, 'terms.node is 4294967296, but it must be a whole number from 0 to 4294967295.'],
    ['start', 2 ** 40, 'terms.start is 1099511627776, but it must be a whole number from 0 to 1099511627775.'],
    ['expiry', Number.NaN, 'terms.expiry is NaN, but it must be a whole number from 0 to 1099511627775.'],
    ['ramp', 2 ** 32, 'terms.ramp is 4294967296, but it must be a whole number from 0 to 4294967295.'],
    ['exec', 2 ** 32, 'terms.exec is 4294967296, but it must be a whole number from 0 to 4294967295.'],
    ['window', Infinity, 'terms.window is Infinity, but it must be a whole number from 0 to 4294967295.'],
    ['spec', '0x', 'terms.spec is 0x, but it must be 32 bytes of hex.'],
    ['afterJob', '0x00', 'terms.afterJob is 0x00, but it must be 32 bytes of hex.'],
    ['salt', 1n << 64n, `terms.salt is ${1n << 64n}, but it must be a whole number from 0 to ${2n ** 64n - 1n}.`],
  ])('refuse a %s that does not fit', (field, value, message) => {
    expect(() => packTerms({ ...TERMS, [field]: value })).toThrow(new RangeError(message));
  });
});
