import { marketAbi } from '@dpu/sdk/abi';
import { boundOf, chainOver, saidOf, shownOf, withheldOf } from '@dpu/sdk/bench';
import { claimedWord, commitmentOf, packLease, revealedWord, SEAT, type Lease } from '@dpu/sdk/lease';
import { packTerms } from '@dpu/sdk/packedTerms';
import { AUDIT_SEATS, panelWord, type Panel } from '@dpu/sdk/panel';
import { RULES } from '@dpu/sdk/testing';
import { decodeFunctionData, type Hex } from 'viem';
import { expect, test } from 'vitest';

import type { Chain } from '../chain/chain.ts';
import type { ChainBook, KnownLease } from '../chain/chainBook.ts';
import { type Executor, leaseKeyOf } from '../work/executor.ts';
import { ChainFacts } from '../chain/facts.ts';
import { Journal } from '../sending/journal.ts';
import { Keeper } from './keeper.ts';
import { silentLog } from '../log.ts';
import { panelTimes, patienceOf } from './panels.ts';
import { Outbox } from '../sending/outbox.ts';
import { PromiseBook } from './promiseBook.ts';
import { Proposer } from '../sending/proposer.ts';
import { Prover } from './prover.ts';
import { Reconciler } from '../chain/reconciler.ts';
import type { Scan } from '../chain/scan.ts';
import type { Sender } from '../sending/sender.ts';
import { Settler } from './settler.ts';
import { bytes32, CURRENCY, JOB, NODE, RESULT, sampleHead, sampleLease, sampleTerms } from '../testing/samples.ts';
import { Timings } from '../timings.ts';

/** Opened at second 1,000; nodes join until 1,120. */
const PANEL: Panel = {
  ...{ flags: 0, openedAt: 1_000, postBlock: 10, postedAt: 990, rampFrom: 990, movedAt: 1_030 },
  ...{ count: 2, sitting: 3, committed: 3, asked: 3, convicted: 0, marks: 0 },
};
const TERMS = sampleTerms({ seats: 3 });
const QUICK = sampleTerms({ seats: 3, window: 0 });
const SALT = bytes32(0x5a17);
const saltOf = (node: number): Hex => bytes32(0x5a00 + node);

/** A seat that committed in block 20; revealed, where `block` is given, in that block. Blocks are second 1,000 + number. */
function seat(node: number, block?: number, over: Partial<Lease> = {}): KnownLease {
  const parts = { id: JOB, first: 0, node, result: RESULT, salt: node === NODE ? SALT : saltOf(node) };
  const lease = { node, flags: SEAT, commitment: commitmentOf(parts), committedBlock: 20, ...over };
  if (block === undefined) return sampleLease({ terms: TERMS, phase: 'committed', lease });
  const shown = { result: RESULT, revealedBlock: block };
  return sampleLease({ terms: TERMS, phase: 'revealed', lease, ...shown });
}
/** The same seats of a job without a challenge window. */
const quick = (seats: KnownLease[]): KnownLease[] => seats.map((one) => ({ ...one, terms: QUICK }));
const claimedSeat = (node: number): KnownLease =>
  sampleLease({ terms: TERMS, lease: { node, flags: SEAT, deadline: 1_060 } });

function setup(seats: KnownLease[], { time, panel = {} }: { time: number; panel?: Partial<Panel> | 'gone' }) {
  const chain = {
    leaseWord: async () => (panel === 'gone' ? 0n : panelWord({ ...PANEL, ...panel })),
    block: async (number: number) => sampleHead(number, 1_000 + number),
    dryRun: async () => ({ ok: true, gas: 1n }),
  } as unknown as Chain;
  const book = {
    range: () => ({ standing: 'held', leases: seats, bench: seats.map(({ lease }) => lease.node), closed: false }),
    ownLiving: () => seats.filter(({ lease, phase }) => lease.node === NODE && phase !== 'lapsed'),
    ownJudged: () => seats.filter(({ lease, judged }) => lease.node === NODE && judged),
    cursor: () => ({ number: 200, hash: bytes32(200) }),
  } as unknown as ChainBook;
  const journal = new Journal({ file: ':memory:' });
  const outbox = new Outbox(journal);
  const sent: { functionName: string; args: readonly unknown[] }[] = [];
  const sender = {
    submit: async (intent: Parameters<Sender['submit']>[0]) => {
      const { functionName, args } = decodeFunctionData({ abi: marketAbi, data: intent.data });
      if (outbox.add(intent)) sent.push({ functionName, args: args ?? [] });
    },
  } as unknown as Sender;
  const head = sampleHead(200, time - 1);
  const nextTime = (): number => time;
  const proposer = new Proposer({ market: CURRENCY, operator: CURRENCY }, { chain, outbox, sender, nextTime });
  const [log, timings, clockMs] = [silentLog, new Timings(), (): number => 0];
  const promises = new PromiseBook(journal);
  const settler = new Settler({ batch: 2, closeJobs: true }, { book, promises, proposer, log, timings, clockMs });
  const prover = new Prover({ promises, proposer, scanned: () => 200, log, timings, clockMs });
  const facts = new ChainFacts(chain);
  const executor = { isRunning: () => true, hasFailed: () => false } as unknown as Executor;
  const keeper = new Keeper(
    { node: NODE, revealConfirmations: 1, lapseGraceSeconds: 5 },
    {
      ...{ chain, book, facts, nextTime, executor, settler, log, promises, prover },
    },
  );
  const own = seats.find(({ lease }) => lease.node === NODE) as KnownLease;
  promises.promise(leaseKeyOf(own), { result: RESULT, salt: SALT });
  return { keeper, sent, head, times: () => panelTimes(own, { chain, book, facts, head, nextTime: time }) };
}

const READY = { opens: 1_030, closes: 1_030 + RULES.revealWindow };

test('nothing is shown while somebody may still commit', async () => {
  const waiting = { reveal: undefined, boundBlock: 20, agreeAt: undefined, lastWord: 'no' };
  const two = { sitting: 2, committed: 2 };
  expect(await setup([seat(5), seat(NODE)], { time: 1_120, panel: two }).times()).toEqual(waiting);
  const late = { sitting: 3, committed: 2 };
  const withLate = [seat(5), seat(NODE), claimedSeat(9)];
  expect(await setup(withLate, { time: 1_200, panel: late }).times()).toEqual(waiting);
  expect(await setup([seat(NODE)], { time: 1_200, panel: 'gone' }).times()).toEqual(waiting);
});

test('seats are shown when all have committed, counted from the last commit', async () => {
  const seats = [seat(5), seat(NODE), seat(9, undefined, { committedBlock: 33 })];
  expect(await setup(seats, { time: 1_040 }).times()).toMatchObject({ reveal: READY, boundBlock: 33 });
});

test('two seats of three are shown once nobody can join any more', async () => {
  const { times } = setup([seat(5), seat(NODE)], { time: 1_121, panel: { sitting: 2, committed: 2 } });
  expect((await times()).reveal).toEqual({ opens: 1_121, closes: 1_121 + RULES.revealWindow });
});

test.each([
  [
    'the first seat, when all were shown, right after the window of the last',
    [seat(NODE, 40), seat(8, 45), seat(9, 41)],
    1_076,
  ],
  ['the second seat, a turn later', [seat(5, 40), seat(NODE, 45), seat(9, 41)], 1_078],
  ['the third, two turns later', [seat(4, 40), seat(5, 45), seat(NODE, 41)], 1_080],
  [
    'a seat beside one that withholds, after the time to reveal',
    [seat(5), seat(NODE, 45), seat(9, 41)],
    READY.closes + 1,
  ],
  ['the withholder, after the others', [seat(5, 45), seat(NODE), seat(9, 41)], READY.closes + 1 + 4],
])('the panel is ended by %s', async (_who, seats, agreeAt) => {
  expect((await setup(seats, { time: 1_050 }).times()).agreeAt).toBe(agreeAt);
});

/** A seat that was shown in block `block` and that a jury found wrong since. */
const convicted = (node: number, block: number): KnownLease => ({
  ...seat(node, block),
  phase: 'lapsed',
  judged: 'invalid',
});

test('a panel of which juries have dealt with every seat is ended by those who sat, in turns', async () => {
  const seats = [convicted(5, 41), convicted(NODE, 45)];
  const { times } = setup(seats, { time: 1_050, panel: { convicted: 2 } });
  expect((await times()).agreeAt).toBe(1_076 + 2);
  const [five, own] = seats.map(({ lease }) => lease) as [Lease, Lease];
  for (const [time, calls] of [
    [1_077, 0],
    [1_078, 1],
  ] as const) {
    const { keeper, sent, head } = setup(seats, { time, panel: { convicted: 2 } });
    await keeper.tick(head, 0);
    await keeper.tick(head, 0);
    expect(sent, `at ${time}`).toHaveLength(calls);
    if (calls > 0) expect(sent[0]!.args).toEqual([packTerms(TERMS), 0, [withheldOf(five), withheldOf(own)]]);
  }
});

test('a seat that still lives ends the panel itself', async () => {
  const { keeper, sent, head } = setup([convicted(NODE, 41), seat(8, 45)], { time: 2_000, panel: { convicted: 1 } });
  await keeper.tick(head, 0);
  expect(sent).toEqual([]);
});

test('a panel that has ended is left alone', async () => {
  const { keeper, sent, head } = setup([convicted(NODE, 41)], { time: 2_000, panel: 'gone' });
  await keeper.tick(head, 0);
  expect(sent).toEqual([]);
});

test('all who committed are named in the order of their commits, a withheld result by its commitment', async () => {
  const seats = [seat(9, 41), seat(5), seat(NODE, 45), { ...seat(11), phase: 'lapsed' as const }];
  const { keeper, sent, head } = setup(seats, { time: READY.closes + 3 });
  await keeper.tick(head, 0);
  await keeper.tick(head, 0);
  const [nine, five, own] = seats.map(({ lease }) => lease) as [Lease, Lease, Lease];
  const said = [shownOf(nine, RESULT), withheldOf(five), shownOf(own, RESULT)];
  expect(sent).toEqual([{ functionName: 'agree', args: [packTerms(TERMS), 0, said] }]);
});

test('a seat is shown with all who are bound, and by its place among them', async () => {
  const seats = [seat(9), seat(NODE), seat(5)];
  const { keeper, sent, head } = setup(seats, { time: 1_040 });
  await keeper.tick(head, 0);
  const bound = seats.map(({ lease }) => boundOf(lease));
  expect(sent).toEqual([{ functionName: 'revealSeat', args: [packTerms(TERMS), 0, bound, 1n, RESULT, SALT] }]);
});

test('without a challenge window the last to commit waits for the others and ends the panel with its own result', async () => {
  const half = READY.opens + RULES.revealWindow / 2;
  const waiting = quick([seat(9, 41), seat(5), seat(NODE)]);
  const early = setup(waiting, { time: half - 1 });
  expect((await early.times()).lastWord).toBe('wait');
  await early.keeper.tick(early.head, 0);
  expect(early.sent).toEqual([]);
  const late = setup(waiting, { time: half });
  await late.keeper.tick(late.head, 0);
  expect(late.sent.map(({ functionName }) => functionName)).toEqual(['revealSeat']);

  const shown = quick([seat(9, 41), seat(5, 42), seat(NODE)]);
  const last = setup(shown, { time: 1_050 });
  expect((await last.times()).lastWord).toBe('now');
  await last.keeper.tick(last.head, 0);
  const [nine, five, own] = shown.map(({ lease }) => lease) as [Lease, Lease, Lease];
  const said = [shownOf(nine, RESULT), shownOf(five, RESULT), saidOf(own, RESULT, SALT)];
  expect(last.sent).toEqual([{ functionName: 'agree', args: [packTerms(QUICK), 0, said] }]);
});

test('others than the last show their results by themselves, and so do all where results may be challenged', async () => {
  expect((await setup(quick([seat(NODE), seat(9)]), { time: 1_040 }).times()).lastWord).toBe('no');
  expect((await setup([seat(9, 41), seat(NODE)], { time: 1_050 }).times()).lastWord).toBe('no');
});

test('the holder of a lease that is audited follows it onto the panel, and is left alone there if its auditor fails', async () => {
  const held = { ...quick([seat(NODE, undefined, { flags: 0 })])[0]!, seated: true };
  const audit = { asked: AUDIT_SEATS, sitting: 2, committed: 1 };
  const waiting = setup([held, ...quick([claimedSeat(9)])], { time: 1_050, panel: audit });
  await waiting.keeper.tick(waiting.head, 0);
  expect(waiting.sent).toEqual([]);

  const alone = setup([held], { time: 1_080, panel: { asked: 1, sitting: 1, committed: 1, movedAt: 1_075 } });
  await alone.keeper.tick(alone.head, 0);
  expect(alone.sent).toEqual([
    { functionName: 'agree', args: [packTerms(QUICK), 0, [saidOf(held.lease, RESULT, SALT)]] },
  ]);
});

test('a node that has committed says that others on its range are late, after a while', async () => {
  const seats = [seat(NODE), claimedSeat(8), claimedSeat(9)];
  const panel = { committed: 1 };
  expect(patienceOf(NODE, 5)).toBe(9);
  const early = setup(seats, { time: 1_070, panel });
  await early.keeper.tick(early.head, 0);
  expect(early.sent).toEqual([]);
  const due = setup(seats, { time: 1_071, panel });
  await due.keeper.tick(due.head, 0);
  expect(due.sent.map(({ functionName, args }) => [functionName, args[1]])).toEqual(
    seats.slice(1).map(({ lease }) => ['lapse', packLease(lease)]),
  );
});

/** Reconciles a node whose one lease is `own` with a chain that answers these words. */
async function reconcile(own: KnownLease, words: { seat?: bigint; bench?: bigint }, seats = [own]) {
  const asked: [Hex, number, number?][] = [];
  const answer =
    (word = 0n) =>
    async (...key: [Hex, number, number?]): Promise<bigint> => {
      asked.push(key);
      return word;
    };
  const views = { seatWord: answer(words.seat), bench: answer(words.bench) };
  const chain = { ...views, node: async () => ({ locked: own.bond }) } as unknown as Chain;
  const range = () => ({ leases: seats, bench: seats.map(({ lease }) => lease.node) });
  const book = { ownLiving: () => [own], range } as unknown as ChainBook;
  const reconciler = new Reconciler(
    { node: NODE, rescanBlocks: 50 },
    { chain, book, scan: {} as Scan, court: { lockedBeside: () => 0n }, log: silentLog },
  );
  return { differing: await reconciler.reconcile(sampleHead(100, 1_050)), asked };
}

test('a seat is compared with the word of the seat, not with that of the panel', async () => {
  const claimed = claimedSeat(NODE);
  expect(await reconcile(claimed, { seat: claimedWord(claimed.lease) })).toEqual({
    differing: 0,
    asked: [[JOB, 0, NODE]],
  });
  const shown = seat(NODE, 45);
  expect((await reconcile(shown, { seat: revealedWord(shown.lease, RESULT, 1_045) })).differing).toBe(0);
  expect((await reconcile(shown, {})).differing).toBe(1);
});

test('a seat that has committed is compared with the chain of all commitments on its bench', async () => {
  const seats = [seat(9), seat(NODE)];
  const own = seats[1]!;
  const bench = chainOver(seats.map(({ lease }) => boundOf(lease)));
  const print = 77n << 168n;
  expect(await reconcile(own, { bench: bench | print }, seats)).toEqual({ differing: 0, asked: [[JOB, 0]] });
  expect((await reconcile(own, { bench }, [own])).differing).toBe(1);
  expect((await reconcile(own, {}, seats)).differing).toBe(1);
});
