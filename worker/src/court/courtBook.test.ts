import { disputeCost } from '@dpu/sdk/court';
import { expect, test } from 'vitest';

import { ChainBook } from '../chain/chainBook.ts';
import { Journal } from '../sending/journal.ts';
import { CHALLENGER, courtEvents as say, DISPUTE, HOLDER, JURORS } from '../testing/courtSamples.ts';
import { bytes32, JOB, NODE, sampleLease, sampleTerms } from '../testing/samples.ts';
import { CourtBook } from './courtBook.ts';
import type { CourtEvent } from './courtEvents.ts';

const terms = sampleTerms({ bond: 40n });
const { juror, challenging, appealing } = disputeCost(terms);

/** A book that has seen the job and these events, one block for each. */
function setup(...events: CourtEvent[]) {
  const journal = new Journal({ file: ':memory:' });
  const book = new ChainBook(journal);
  const court = new CourtBook(journal, book);
  book.advance(
    [{ name: 'JobPosted', block: 10, logIndex: 0, job: JOB, terms }],
    { number: 10, hash: bytes32(10) },
    NODE,
  );
  const advance = (...more: CourtEvent[]): void => {
    for (const event of more) book.advance([], { number: event.block, hash: bytes32(event.block) }, NODE, [event]);
  };
  advance(...events);
  return { book, court, advance };
}

const seated = [say.challenged(), ...JURORS.map((node, at) => say.served(node, 31 + at))];

test('a dispute is folded from its events, and gone once it is over', () => {
  const { court, advance } = setup(...seated, say.spoke(NODE, 40, 'invalid'));
  const [dispute] = court.open();
  expect(dispute).toMatchObject({
    ...{ key: DISPUTE, job: JOB, index: 1, verdict: 'none', ended: undefined, terms },
    lease: { node: HOLDER, first: 0, deadline: 1_100 },
    challenger: { node: CHALLENGER },
  });
  expect(dispute!.rounds[0]!.jurors.map(({ node }) => node)).toEqual(JURORS);
  expect([...dispute!.rounds[0]!.votes]).toEqual([[NODE, 'invalid']]);
  advance(say.judged(41, 'invalid', 1), say.ended(42, 'invalid'));
  expect(court.open()).toEqual([]);
  expect(court.dispute(DISPUTE)).toMatchObject({ verdict: 'invalid', ended: { verdict: 'invalid' } });
});

test('a reorg takes back what it undid, and nothing else', () => {
  const { book, court, advance } = setup(...seated, say.judged(41, 'invalid', 5), say.ended(42, 'invalid'));
  book.rewind(40);
  expect(court.open()[0]).toMatchObject({ verdict: 'none', rounds: [{ judged: undefined }] });
  book.rewind(32);
  expect(court.open()[0]!.rounds[0]!.jurors.map(({ node }) => node)).toEqual(JURORS.slice(0, 2));
  advance(say.served(14, 33));
  expect(court.open()[0]!.rounds[0]!.jurors.map(({ node }) => node)).toEqual([...JURORS.slice(0, 2), 14]);
  book.rewind(29);
  expect(court.open()).toEqual([]);
});

test('what disputes lock of a node is known at every step', () => {
  const { court, advance } = setup(...seated);
  const locked = (node: number): bigint => court.lockedBeside(node, []);
  expect([CHALLENGER, NODE, HOLDER, 99].map(locked)).toEqual([challenging, juror, 0n, 0n]);
  advance(say.judged(41, 'valid', 5));
  expect([CHALLENGER, NODE].map(locked)).toEqual([challenging - 5n * juror, 0n]);
  advance(say.appealed(42), say.served(20, 43, 2));
  expect([CHALLENGER, HOLDER, NODE, 20].map(locked)).toEqual([challenging - 5n * juror, appealing, 0n, juror]);
  advance(say.judged(50, 'valid', 1, 2));
  expect([HOLDER, 20].map(locked)).toEqual([appealing - juror, 0n]);
  advance(say.ended(51, 'valid'));
  expect([CHALLENGER, HOLDER, NODE, 20].map(locked)).toEqual([0n, 0n, 0n, 0n]);
});

test('what a jury took of a bond that still stands is missing', () => {
  const lease = sampleLease({ phase: 'revealed', lease: { node: HOLDER } });
  const { court } = setup(...seated, say.judged(41, 'valid', 5), say.ended(42, 'withheld', 25n));
  expect(court.about(lease)).toHaveLength(1);
  expect(court.lockedBeside(HOLDER, [lease])).toBe(-25n);
  const again = sampleLease({ phase: 'revealed', lease: { node: HOLDER, deadline: 1_200 } });
  expect(court.lockedBeside(HOLDER, [again]), 'a lease that was taken again is another one').toBe(0n);
});

test('the first testimony stays, and checks are remembered', () => {
  const { court } = setup();
  const said = {
    node: NODE,
    verdict: 'invalid',
    hash: bytes32(1),
    units: 5n,
    evidence: bytes32(2),
    salt: bytes32(3),
  } as const;
  court.promise(DISPUTE, 1, said);
  court.promise(DISPUTE, 1, { ...said, verdict: 'valid' });
  expect(court.testimony(DISPUTE, 1)).toEqual(said);
  expect(court.testimony(DISPUTE, 2)).toBeUndefined();
  const check = { job: JOB, lease: { first: 0, deadline: 1_100, node: HOLDER }, shard: 1 };
  expect(court.checked(check)).toBeUndefined();
  court.addCheck(check, 'same');
  expect(court.checked(check)).toBe('same');
  expect(court.checked({ ...check, lease: { ...check.lease, deadline: 1_101 } })).toBeUndefined();
});
