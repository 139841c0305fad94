import { concat, encodeAbiParameters, keccak256, toHex, zeroHash, type Hex } from 'viem';
import { expect, test } from 'vitest';

import {
  boundOf,
  chainOf,
  chainOver,
  placeFor,
  PLACES,
  printOf,
  rangeKey,
  saidOf,
  saltIn,
  withheldOf,
} from './bench.ts';
import { claimedWord, commitmentOf, SEAT } from './lease.ts';
import { LEASE, RESULT } from './testing.ts';

const ID = keccak256(toHex('job'));
/** A bench whose places 0 … n − 1 hold these bytes. */
const benchOf = (...prints: number[]): bigint =>
  prints.reduce((word, print, place) => word | (BigInt(print) << BigInt(168 + 8 * place)), 5n);

test('a range lives in its own slot, or in that of the job that it is', () => {
  const own = keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'uint32' }], [ID, 3]));
  expect(rangeKey(ID, 3, false)).toBe(own);
  expect(rangeKey(ID, 0, true)).toBe(ID);
});

test('every node has a byte above zero on a bench, another one on the next', () => {
  const prints = Array.from({ length: 2_000 }, (_, node) => printOf(ID, node + 1));
  expect([Math.min(...prints), Math.max(...prints)]).toEqual([1, 255]);
  expect(printOf(rangeKey(ID, 3, false), 1)).not.toBe(printOf(ID, 1));
});

test('a node takes the first free place, and none where its byte has sat or every place was taken', () => {
  expect(placeFor(benchOf(), 9)).toBe(0);
  expect(placeFor(benchOf(7, 8), 9)).toBe(2);
  expect(placeFor(benchOf(7, 9, 8), 9)).toBeUndefined();
  const full = Array.from({ length: PLACES }, (_, place) => place + 1);
  expect(placeFor(benchOf(...full.slice(1)), 99)).toBe(PLACES - 1);
  expect(placeFor(benchOf(...full), 99)).toBeUndefined();
});

test('the chain holds 168 bits and depends on the order', () => {
  const [one, two] = [1, 2].map((node) => boundOf({ ...LEASE, node, flags: SEAT, commitment: keccak256(toHex(node)) }));
  const next = (before: bigint, { claimed, commitment }: { claimed: bigint; commitment: Hex }): bigint =>
    BigInt(
      keccak256(
        encodeAbiParameters(
          [{ type: 'uint256' }, { type: 'uint256' }, { type: 'bytes32' }],
          [before, claimed, commitment],
        ),
      ),
    ) &
    (2n ** 168n - 1n);
  expect(chainOver([])).toBe(0n);
  expect(chainOver([one!, two!])).toBe(next(next(0n, one!), two!));
  expect(chainOver([two!, one!])).not.toBe(chainOver([one!, two!]));
  expect(chainOf(benchOf(7, 8))).toBe(5n);
});

test('the salt of a seat is found wherever it stands in the calldata that showed it', () => {
  const parts = { id: ID, first: 2, node: 4, result: RESULT };
  const salt = keccak256(toHex('salt'));
  const commitment = commitmentOf({ ...parts, salt });
  for (const before of ['0x', '0xabcdef', `0x${'00'.repeat(33)}`] as const) {
    expect(saltIn(concat([before, salt, '0x01']), parts, commitment)).toBe(salt);
  }
  expect(saltIn(concat([salt.slice(0, 64) as Hex, '0xff']), parts, commitment)).toBeUndefined();
  expect(saltIn('0x', parts, commitment)).toBeUndefined();
});

test('a seat that shows nothing is named by its commitment', () => {
  const seat = { ...LEASE, flags: SEAT, commitment: keccak256(toHex('commitment')), committedBlock: 9 };
  const nothing = { root: zeroHash, units: 0n, manifest: zeroHash };
  expect(withheldOf(seat)).toEqual({ claimed: claimedWord(seat), result: nothing, salt: seat.commitment });
  expect(saidOf(seat, RESULT, ID)).toEqual({ claimed: claimedWord(seat), result: RESULT, salt: ID });
});
