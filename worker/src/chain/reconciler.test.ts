import { claimedWord, committedWord, revealedWord } from '@dpu/sdk/lease';
import { expect, test } from 'vitest';

import type { Chain } from './chain.ts';
import type { ChainBook, KnownLease } from './chainBook.ts';
import { silentLog } from '../log.ts';
import { agrees, Reconciler } from './reconciler.ts';
import type { Scan } from './scan.ts';
import { bytes32, NODE, RESULT, sampleHead, sampleLease } from '../testing/samples.ts';

const claimed = sampleLease();
const committed = sampleLease({ phase: 'committed', lease: { commitment: bytes32(0xc), committedBlock: 20 } });
const revealed: KnownLease = { ...committed, phase: 'revealed', result: RESULT };
const word = {
  claimed: claimedWord(claimed.lease),
  committed: committedWord(committed.lease, 1_050),
  revealed: revealedWord(claimed.lease, RESULT, 1_060),
};

test.each([
  ['claimed', claimed, word.claimed, true],
  ['claimed', { ...claimed, lease: { ...claimed.lease, price: 101n } }, word.claimed, false],
  ['committed', committed, word.committed, true],
  ['committed', { ...committed, lease: { ...committed.lease, commitment: bytes32(0xd) } }, word.committed, false],
  ['committed', { ...committed, lease: { ...committed.lease, committedBlock: 21 } }, word.committed, false],
  ['revealed', revealed, word.revealed, true],
  ['revealed', { ...revealed, result: { ...RESULT, units: 6n } }, word.revealed, false],
  ['claimed on chain, committed here', committed, word.claimed, false],
  ['gone on chain', claimed, 0n, false],
])('a lease that is %s agrees with the word it is, and no other', (_phase, lease, found, expected) => {
  expect(agrees(lease, found)).toBe(expected);
});

function setup(words: bigint[], locked: bigint[] = [80n]) {
  const done: string[] = [];
  const chain = {
    leaseWord: async () => (words.length > 1 ? words.shift() : words[0]),
    node: async () => ({ locked: locked.length > 1 ? locked.shift() : locked[0] }),
  } as unknown as Chain;
  const book = { ownLiving: () => [claimed] } as unknown as ChainBook;
  const scan = {
    rescan: (from: number) => done.push(`rescan ${from}`),
    advance: async () => done.push('advance'),
  } as unknown as Scan;
  const reconciler = new Reconciler(
    { node: NODE, rescanBlocks: 50 },
    { chain, book, scan, court: { lockedBeside: () => 0n }, log: silentLog },
  );
  return { reconciler, done };
}
const head = sampleHead(100, 1_050);

test('does nothing while journal and chain agree', async () => {
  const { reconciler, done } = setup([word.claimed]);
  expect(await reconciler.reconcile(head)).toBe(0);
  expect(await reconciler.reconcile(head)).toBe(0);
  expect(done).toEqual([]);
});

test('a difference that goes by itself was a race', async () => {
  const { reconciler, done } = setup([word.committed, word.claimed, word.claimed]);
  expect(await reconciler.reconcile(head)).toBe(1);
  expect(await reconciler.reconcile(head)).toBe(0);
  expect(done).toEqual([]);
});

test('a difference that is seen twice has the events read again, from the claim on', async () => {
  const { reconciler, done } = setup([word.committed]);
  await reconciler.reconcile(head);
  await reconciler.reconcile(head);
  expect(done).toEqual(['rescan 12', 'advance']);
});

test('a bond that the journal knows nothing of has the last blocks read again', async () => {
  const { reconciler, done } = setup([word.claimed], [120n]);
  await reconciler.reconcile(head);
  await reconciler.reconcile(head);
  expect(done).toEqual(['rescan 50', 'advance']);
});
