import { expect, test } from 'vitest';

import { Journal } from '../sending/journal.ts';
import { silentLog } from '../log.ts';
import { FakeChain } from '../testing/fakeChain.ts';
import { Endpoints } from './endpoints.ts';
import { Witness } from './witness.ts';

const commit = { name: 'commit:x', kind: 'commit', deadline: 1_030 } as const;

/** A node that has read what its first endpoint says of blocks 1 … 10, an event in block 5 among them. */
async function setup({ count = 2, solo = true, journal = new Journal({ file: ':memory:' }) } = {}) {
  const fakes = Array.from({ length: count }, () => new FakeChain().mineTo(4).mine('', 'posted').mineTo(10));
  const said: string[] = [];
  const say = (message: string): void => void said.push(message);
  const log = { ...silentLog, warn: say, error: say, info: say };
  const heard: { witness?: Witness } = {};
  const [first, ...rest] = fakes.map(({ chain }, index) => ({ name: 'abc'[index] ?? '', chain }));
  const endpoints = new Endpoints(
    [first!, ...rest],
    { chainId: 1, lagBlocks: 3 },
    { log, onLogs: (from, logs) => heard.witness?.heard(from, logs) },
  );
  const witness = new Witness({ startBlock: 1, rangeBlocks: 4, forkBlocks: 3, solo }, { endpoints, journal, log });
  heard.witness = witness;
  const doubt = witness.takeDoubt();
  await endpoints.chain.logs(1, 10);
  const may = async (head = fakes[0]!.head(), act: Parameters<Witness['word']>[0] = commit) => {
    const word = await witness.word(act, head);
    return word.may ? 'may' : word.why;
  };
  return { fakes, endpoints, witness, journal, said, doubt, may };
}

test('with one endpoint everything may be done, and the log says so', async () => {
  const { may, said, doubt } = await setup({ count: 1 });
  expect([await may(), said, doubt]).toEqual([
    'may',
    ['One RPC endpoint: whatever it says is believed. Name a second one under rpc'],
    undefined,
  ]);
});

test('what two say the same of may be done, and is remembered over a restart', async () => {
  const { may, doubt, journal } = await setup();
  expect([doubt, await may()]).toEqual([1, 'may']);
  expect((await setup({ journal })).doubt).toBe(11);
});

test('what can be taken back, or what the contract checks by itself, waits for nobody', async () => {
  const { fakes, may } = await setup();
  fakes[1]!.down = true;
  expect(await may(fakes[0]!.head(), { name: 'claim:x', kind: 'claim' })).toBe('may');
});

test.each<[string, (second: FakeChain) => void, string]>([
  ['lags', (second) => second.cut(9), 'b does not have block 10 yet'],
  ['is silent', (second) => (second.down = true), 'b does not answer: nobody is there'],
  ['has another newest block', (second) => second.cut(9).mine('fork'), 'b has another block 10 yet'],
])('a second one that %s is waited for until half of the time is gone', async (_what, spoil, why) => {
  const { fakes, may, witness, said } = await setup();
  spoil(fakes[1]!);
  const head = fakes[0]!.head();
  expect(await may()).toBe(why);
  expect(await may({ ...head, timestamp: 1_019 })).toBe(why);
  expect(await may({ ...head, timestamp: 1_020 })).toBe('may');
  expect(witness.problem).toBeUndefined();
  expect(said).toEqual([
    'Irrevocable acts wait for a second RPC endpoint',
    'Acting on the word of one RPC endpoint, because time runs out',
  ]);
});

test('without leave to act alone, and for what has no deadline, it is waited for ever', async () => {
  const { fakes, may } = await setup({ solo: false });
  fakes[1]!.down = true;
  await may();
  expect(await may({ ...fakes[0]!.head(), timestamp: 1_030 })).toBe('b does not answer: nobody is there');
  const second = await setup();
  second.fakes[1]!.down = true;
  const settle = { name: 'settle:x', kind: 'settle' } as const;
  await second.may(second.fakes[0]!.head(), settle);
  expect(await second.may({ ...second.fakes[0]!.head(), timestamp: 9_999 }, settle)).toBe(
    'b does not answer: nobody is there',
  );
});

test('one that leaves an event out stops everything, until events are read again and are the same', async () => {
  const { fakes, may, witness, endpoints, said } = await setup();
  fakes[0]!.hidden.add(5);
  await endpoints.chain.logs(5, 10);
  expect(await may()).toBe('a and b answer with different events of block 5');
  expect(await may({ ...fakes[0]!.head(), timestamp: 1_029 })).toBe('a and b answer with different events of block 5');
  expect(witness.problem?.message).toBe(
    'RPC endpoints contradict each other: a and b answer with different events of block 5. Nothing is committed, shown, voted or settled until they agree. Find out which one is wrong and take it out of rpc.',
  );
  expect([witness.takeDoubt(), witness.takeDoubt()]).toEqual([5, undefined]);
  fakes[0]!.hidden.clear();
  await endpoints.chain.logs(5, 10);
  expect([await may(), witness.problem]).toEqual(['may', undefined]);
  expect(said.at(-1)).toBe('RPC endpoints agree again');
});

test('different chains, deeper than any reorganisation, stop everything', async () => {
  const { fakes, may } = await setup();
  fakes[1]!.cut(7).mineTo(10, 'other');
  expect(await may()).toBe('b has another block 10 yet');
  fakes[1]!.cut(6).mineTo(10, 'other');
  expect(await may()).toBe('a and b have different blocks 7');
});

test('of three, two that say the same are believed: the third is not used any more', async () => {
  const { fakes, may, witness, endpoints } = await setup({ count: 3 });
  fakes[0]!.hidden.add(5);
  await endpoints.chain.logs(1, 10);
  expect(await may()).toBe('a and b answer with different events of block 5');
  expect(endpoints.active).toBe('b');
  await endpoints.chain.logs(witness.takeDoubt() ?? 0, 10);
  expect([await may(), witness.problem]).toEqual(['may', undefined]);
});

test('blocks that are read again are confirmed again', async () => {
  const { fakes, may, endpoints } = await setup();
  expect(await may()).toBe('may');
  for (const fake of fakes) fake.cut(8).mine('new', 'taken').mineTo(11, 'new');
  fakes[1]!.hidden.add(9);
  await endpoints.chain.logs(9, 11);
  expect(await may()).toBe('a and b answer with different events of block 9');
});
