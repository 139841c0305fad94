import { keccak256, toHex, zeroHash } from 'viem';
import { expect, test } from 'vitest';

import {
  appealUntil,
  claimsFault,
  disputeCost,
  faultShard,
  findingOf,
  graver,
  jurySeats,
  provenShard,
  readDispute,
  serveUntil,
  silenceOf,
  speakUntil,
  type Verdict,
  type Vote,
} from './court.ts';
import { SPEC_FAULT } from './lease.ts';
import { merkleRoot, verifyProof } from './merkle.ts';
import { RESULT, TERMS } from './testing.ts';

const votes = (text: string): (Vote | 'none')[] =>
  [...text].map((letter) =>
    letter === 'v'
      ? 'valid'
      : letter === 'w'
        ? 'withheld'
        : letter === 'i'
          ? 'invalid'
          : letter === 'f'
            ? 'specFault'
            : 'none',
  );

test.each<[number, string, Verdict]>([
  [1, 'vvvv', 'valid'],
  [1, 'vvvi-', 'undecided'],
  [1, 'vvwwi', 'valid'],
  [1, 'vwwwi', 'withheld'],
  [1, 'iiii-', 'invalid'],
  [1, 'iiivv', 'undecided'],
  [1, 'ffffi', 'specFault'],
  [1, 'iii', 'none'],
  [1, '', 'none'],
  [1, '-----', 'undecided'],
  [2, 'iiiiiiii', 'invalid'],
  [2, 'iiiiiiivvvv', 'undecided'],
  [2, 'iiiiiii', 'none'],
])('a jury of round %i that votes %s finds %s', (round, text, found) => {
  expect(findingOf(round, votes(text))).toBe(found);
});

test('that a job cannot be done is right or wrong: any other finding shows that it can', () => {
  expect(findingOf(1, votes('ffffi'), true)).toBe('valid');
  expect(findingOf(1, votes('ivwif'), true)).toBe('invalid');
  expect(claimsFault({ ...RESULT, root: SPEC_FAULT })).toBe(true);
  expect(claimsFault(RESULT)).toBe(false);
});

test('what costs the bond is graver than what ends the lease, and that than what leaves it standing', () => {
  const order: Verdict[] = ['none', 'valid', 'withheld', 'undecided', 'specFault', 'invalid'];
  expect(order.reduce(graver)).toBe('invalid');
  for (const [at, verdict] of order.entries()) {
    for (const lighter of order.slice(0, at)) expect(graver(lighter, verdict)).toBe(verdict);
  }
});

test('a dispute costs ten jurors’ fees, an appeal eleven, and nothing where a juror cannot be paid', () => {
  expect(disputeCost({ bond: 17n })).toEqual({ challenging: 20n, juror: 2n, appealing: 22n });
  expect(disputeCost({ bond: 7n })).toEqual({ challenging: 0n, juror: 0n, appealing: 0n });
  expect([jurySeats(1), jurySeats(2)]).toEqual([
    { seats: 5, quorum: 4 },
    { seats: 11, quorum: 8 },
  ]);
});

test('times count from the beginning of a round, and from its judgement', () => {
  expect(serveUntil(TERMS, { at: 1_000 })).toBe(1_000 + 300 + 600);
  expect(speakUntil(TERMS, { at: 1_000 })).toBe(1_000 + 300 + 1_200);
  expect(appealUntil(TERMS, { round: 1, at: 2_000 })).toBe(2_599);
  expect(appealUntil(TERMS, { round: 2, at: 2_000 })).toBe(0);
});

test('a shard is challenged with its proof; of a claimed fault an index alone', () => {
  const leaves = [0, 1, 2].map((shard) => ({ shard, hash: keccak256(toHex(`${shard}`)), units: 1n }));
  const { index, hash, units, proof } = provenShard(leaves, 1);
  expect(verifyProof(merkleRoot(leaves), { shard: index, hash, units }, proof)).toBe(true);
  expect(provenShard([], 7)).toEqual(faultShard(7));
  expect(faultShard(7)).toEqual({ index: 7, hash: zeroHash, units: 0n, proof: [] });
});

test('a dispute knows who challenged: an account, or a node', () => {
  const raw = { state: 2, round: 1, verdict: 3, marks: 0, paid: 4, paidAgain: 0, at: 5, atBlock: 6 };
  const challenger = '0x0000000000000000000000000000000000000007';
  expect(readDispute({ ...raw, challenger })).toMatchObject({
    state: 'judged',
    verdict: 'invalid',
    challenger,
    byNode: 0,
  });
  expect(readDispute({ ...raw, marks: 1, challenger })).toMatchObject({ challenger: undefined, byNode: 7 });
  expect(silenceOf({ node: 7, commitment: zeroHash })).toMatchObject({ node: 7, verdict: 'none', salt: zeroHash });
});
