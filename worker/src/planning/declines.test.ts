import { isDeclineOf, type SignedDecline } from '@dpu/sdk/declines';
import { marketDomain } from '@dpu/sdk/terms';
import { privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';

import { Journal } from '../sending/journal.ts';
import { bytes32, CURRENCY, NODE } from '../testing/samples.ts';
import { DeclineBook, type Decline } from './declines.ts';

const operator = privateKeyToAccount(bytes32(1));
const domain = marketDomain(31_337, CURRENCY);
const open = (journal: Journal, kept = 2) =>
  new DeclineBook({ node: NODE, domain, kept, signedPerBlock: 2 }, { journal, signer: operator });
const decline = (job: number, code: Decline['code'], detail: Decline['detail'] = {}): Decline => ({
  job: bytes32(job),
  code,
  detail,
});

test('keeps the newest, one per job and reason, with a sentence, also after a restart', () => {
  const journal = new Journal({ file: ':memory:' });
  const book = open(journal);
  expect(book.add([decline(1, 'price', { ask: '2' })], 10)).toHaveLength(1);
  expect(book.add([decline(1, 'price', { ask: '3' })], 11)).toEqual([]);
  book.add([decline(1, 'slots'), decline(2, 'price')], 12);
  const shown = [
    { job: bytes32(2), code: 'price', detail: {}, sentence: 'The job pays less than this node asks.', at: 12 },
    { job: bytes32(1), code: 'slots', detail: {}, sentence: 'All slots are taken.', at: 12 },
  ];
  expect(book.all()).toEqual(shown);
  const again = open(journal);
  expect(again.all()).toEqual(shown);
  expect(again.add([decline(2, 'price')], 13), 'known from before').toEqual([]);
  expect(again.add([decline(1, 'price')], 13), 'forgotten').toHaveLength(1);
});

test('signs what is new, up to the most of a block, and tells who listens', async () => {
  const book = open(new Journal({ file: ':memory:' }), 9);
  const heard: SignedDecline[] = [];
  const stop = book.subscribe((declines) => heard.push(...declines));
  const fresh = book.add([decline(1, 'price'), decline(2, 'vram'), decline(3, 'hot')], 20);
  await book.sign(fresh, 20);
  expect(heard.map(({ node, job, code, at }) => [node, job, code, at])).toEqual([
    [NODE, bytes32(1), 'price', 20],
    [NODE, bytes32(2), 'vram', 20],
  ]);
  for (const signed of heard) expect(await isDeclineOf(signed, operator.address, domain)).toBe(true);
  expect(book.signed(1)).toEqual([heard[1]]);
  expect(book.signed(9)).toEqual(heard.toReversed());

  stop();
  await book.sign(book.add([decline(4, 'price')], 21), 21);
  expect(heard).toHaveLength(2);
});

test('without a key nothing is signed', async () => {
  const options = { node: NODE, domain, kept: 9, signedPerBlock: 2 };
  const book = new DeclineBook(options, { journal: new Journal({ file: ':memory:' }), signer: undefined });
  await book.sign(book.add([decline(1, 'price')], 1), 1);
  expect([book.signed(9), book.all().length]).toEqual([[], 1]);
});
