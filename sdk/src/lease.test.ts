import { concat, encodePacked, keccak256, pad, toHex, type ContractFunctionArgs, type Hex } from 'viem';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { marketAbi } from './abi/generated.ts';
import {
  asClaimed,
  claimedWord,
  commitmentOf,
  committedWord,
  DIRECT,
  flagsOf,
  lapsedWord,
  leaseOfWord,
  leaseWordOf,
  packLease,
  readWord,
  revealedWord,
  standsFor,
  SOLO,
} from './lease.ts';
import type { Lease, PackedLease, Result } from './lease.ts';
import { LEASE, RESULT, TERMS } from './testing.ts';

const committed: Lease = { ...LEASE, commitment: keccak256(toHex('commitment')), committedBlock: 77 };
const AT = 1_700_000_100;

/** An independent reading of `flags 8 | at 40 | body 208`: packed bytes instead of shifts. */
const packed = (flags: number, at: number, body: Hex): bigint =>
  BigInt(encodePacked(['uint8', 'uint40', 'bytes26'], [flags, at, body]));
const readable = (lease: Lease): Hex =>
  encodePacked(['uint32', 'uint16', 'uint96', 'uint64'], [lease.node, lease.count, lease.price, lease.bonus]);
const hashed = (...words: Hex[]): Hex => keccak256(concat(words)).slice(0, 2 + 52) as Hex;
const word = (value: bigint | number): Hex => pad(toHex(value));

describe('a lease word', () => {
  test('while claimed holds the deadline and the claim', () => {
    expect(claimedWord(LEASE)).toBe(packed(0x01, LEASE.deadline, readable(LEASE)));
    expect(claimedWord({ ...LEASE, flags: SOLO | DIRECT })).toBe(packed(0xc1, LEASE.deadline, readable(LEASE)));
  });

  test('after the commit holds its second and a hash', () => {
    const solo = { ...committed, flags: SOLO };
    const body = hashed(word(claimedWord(solo)), committed.commitment, word(77));
    expect(committedWord(solo, AT)).toBe(packed(0x82, AT, body));
  });

  test('after the reveal holds its second and a hash of the claim and the result', () => {
    const direct = { ...LEASE, flags: DIRECT };
    const body = hashed(word(claimedWord(direct)), RESULT.root, word(RESULT.units), RESULT.manifest);
    expect(revealedWord(direct, RESULT, AT)).toBe(packed(0x43, AT, body));
  });

  test('after a lapse holds its second, the node, the count and the bonus, without flags', () => {
    expect(lapsedWord(LEASE, AT)).toBe(packed(0x04, AT, readable({ ...LEASE, price: 0n })));
  });

  test('follows from what is known of the lease', () => {
    expect(leaseWordOf(LEASE, AT)).toBe(claimedWord(LEASE));
    expect(leaseWordOf(committed, AT)).toBe(committedWord(committed, AT));
    expect(leaseWordOf(committed, AT, RESULT)).toBe(revealedWord(committed, RESULT, AT));
    expect(asClaimed(committed)).toEqual(LEASE);
  });

  test('stands for its result once revealed, and while shards of it are before juries', () => {
    const word = revealedWord(LEASE, RESULT, 1_000);
    const phase = (6n - 3n) << 248n;
    const disputed = ((word >> 16n) << 16n) + phase + 2n;
    for (const one of [word, disputed, disputed | (0x10n << 248n)]) {
      expect(standsFor(one, LEASE, RESULT)).toBe(true);
      expect(standsFor(one, LEASE, { ...RESULT, units: 10n })).toBe(false);
    }
    expect(readWord(disputed)).toMatchObject({ phase: 'disputed', at: 1_000 });
    expect(standsFor(word + 1n, LEASE, RESULT)).toBe(false);
    expect(standsFor(committedWord(LEASE, 1_000), LEASE, RESULT)).toBe(false);
  });

  test('can be read back as far as it is readable', () => {
    const { node, count, price, bonus, deadline } = LEASE;
    const holder = { node, count, price, bonus };
    expect(readWord(claimedWord({ ...LEASE, flags: SOLO }))).toEqual({
      phase: 'claimed',
      at: deadline,
      flags: SOLO,
      holder,
    });
    expect(readWord(committedWord(committed, AT))).toEqual({ phase: 'committed', at: AT, flags: 0 });
    const direct = { ...LEASE, flags: DIRECT };
    expect(readWord(revealedWord(direct, RESULT, AT))).toEqual({ phase: 'revealed', at: AT, flags: DIRECT });
    expect(readWord(lapsedWord(LEASE, AT))).toEqual({
      phase: 'lapsed',
      at: AT,
      flags: 0,
      holder: { ...holder, price: 0n },
    });
    expect(readWord(0n)).toEqual({ phase: 'none', at: 0, flags: 0 });
    expect(readWord(5n << 248n)).toEqual({ phase: 'seated', at: 0, flags: 0 });
    expect(readWord(9n << 248n)).toMatchObject({ phase: 'excused' });
    expect(() => readWord(10n << 248n)).toThrow('phase 10 does not exist');
  });
});

describe('a lease', () => {
  test('in calldata is what viem infers from the ABI', () => {
    type Args = ContractFunctionArgs<typeof marketAbi, 'nonpayable', 'submit'>;
    expectTypeOf<PackedLease>().toEqualTypeOf<Args[1]>();
    expectTypeOf<Result>().toEqualTypeOf<Args[2]>();
  });

  test('in calldata is its claimed word, its place and what was committed', () => {
    const place = (77n << 32n) | 2n;
    expect(packLease(committed)).toEqual({ claimed: claimedWord(LEASE), place, commitment: committed.commitment });
    expect(packLease(LEASE).place).toBe(2n);
  });

  test('is known from its claimed word and its first shard', () => {
    const lease = { ...LEASE, flags: SOLO | DIRECT, first: 0xffff_ffff };
    expect(leaseOfWord(0xffff_ffff, claimedWord(lease))).toEqual(lease);
    expect(() => leaseOfWord(0, committedWord(committed, AT))).toThrow(/^The word 0x2[0-9a-f]{62} is no claim\.$/);
    expect(() => leaseOfWord(0, lapsedWord(LEASE, AT))).toThrow('is no claim.');
  });

  test.each([
    ['count', { count: 65_536 }, 'lease.count is 65536, but it must be a whole number from 0 to 65535.'],
    ['price', { price: -1n }, 'lease.price is -1, but'],
    ['bonus', { bonus: 1n << 64n }, 'lease.bonus is 18446744073709551616, but'],
    ['deadline', { deadline: 2 ** 40 }, 'lease.at is 1099511627776, but'],
    ['first', { first: 2 ** 32 }, 'lease.first is 4294967296, but'],
    ['committedBlock', { committedBlock: 0.5 }, 'lease.committedBlock is 0.5, but'],
  ])('whose %s does not fit is refused', (_field, over, message) => {
    expect(() => packLease({ ...LEASE, ...over })).toThrow(RangeError);
    expect(() => packLease({ ...LEASE, ...over })).toThrow(message);
  });

  test('is solo when it covers the whole job, and a seat when there are several', () => {
    expect([flagsOf(TERMS, 8), flagsOf(TERMS, 7)]).toEqual([SOLO, 0]);
    expect([flagsOf({ ...TERMS, direct: true }, 8), flagsOf({ ...TERMS, direct: true }, 7)]).toEqual([0xc0, 0x40]);
    expect([flagsOf({ ...TERMS, seats: 3 }, 8), flagsOf({ ...TERMS, seats: 3 }, 7)]).toEqual([0xa0, 0x20]);
  });
});

test('a commitment hashes eight words', () => {
  const id = keccak256(toHex('job'));
  const salt = keccak256(toHex('salt'));
  const words = [id, word(2), word(0), word(4), RESULT.root, word(RESULT.units), RESULT.manifest, salt];
  expect(commitmentOf({ id, first: 2, node: 4, result: RESULT, salt })).toBe(keccak256(concat(words)));
  words[2] = word(3);
  expect(commitmentOf({ id, first: 2, seat: 3, node: 4, result: RESULT, salt })).toBe(keccak256(concat(words)));
});
