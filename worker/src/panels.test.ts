import { marketAbi } from '@dpu/sdk/abi';
import { packLease, SEAT, type Lease } from '@dpu/sdk/lease';
import { packTerms } from '@dpu/sdk/packedTerms';
import { panelWord, type Panel } from '@dpu/sdk/panel';
import { RULES } from '@dpu/sdk/testing';
import { decodeFunctionData, zeroHash, type Hex } from 'viem';
import { expect, test } from 'vitest';

import type { Chain } from './chain.ts';
import type { ChainBook, KnownLease } from './chainBook.ts';
import type { Executor } from './executor.ts';
import { ChainFacts } from './facts.ts';
import { Journal } from './journal.ts';
import { Keeper } from './keeper.ts';
import { silentLog } from './log.ts';
import { panelTimes, patienceOf } from './panels.ts';
import { Outbox } from './outbox.ts';
import { PromiseBook } from './promiseBook.ts';
import { Proposer } from './proposer.ts';
import type { Prover } from './prover.ts';
import { Reconciler } from './reconciler.ts';
import type { Scan } from './scan.ts';
import type { Sender } from './sender.ts';
import { Settler } from './settler.ts';
import { bytes32, CURRENCY, JOB, NODE, RESULT, sampleHead, sampleLease, sampleTerms } from './testing/samples.ts';
import { Timings } from './timings.ts';

/** Opened at second 1,000; nodes join until 1,120. */
const PANEL: Panel = {
  ...{ flags: 0, openedAt: 1_000, postBlock: 10, postedAt: 990, rampFrom: 990, movedAt: 1_030 },
  ...{ count: 2, sitting: 3, committed: 3, lapses: 0 },
};
const TERMS = sampleTerms({ seats: 3 });
const NO_RESULT = { root: zeroHash, units: 0n, manifest: zeroHash };

/** A seat that committed in block 20; revealed, where `block` is given, in that block. Blocks are second 1,000 + number. */
function seat(node: number, block?: number, over: Partial<Lease> = {}): KnownLease {
  const lease = { node, flags: SEAT, commitment: bytes32(node), committedBlock: 20, ...over };
  if (block === undefined) return sampleLease({ terms: TERMS, phase: 'committed', lease });
  return sampleLease({ terms: TERMS, phase: 'revealed', lease, result: RESULT, revealedBlock: block });
}
const claimedSeat = (node: number): KnownLease =>
  sampleLease({ terms: TERMS, lease: { node, flags: SEAT, deadline: 1_060 } });

function setup(seats: KnownLease[], { time, panel = {} }: { time: number; panel?: Partial<Panel> | 'gone' }) {
  const chain = {
    leaseWord: async () => (panel === 'gone' ? 0n : panelWord({ ...PANEL, ...panel })),
    block: async (number: number) => sampleHead(number, 1_000 + number),
    dryRun: async () => ({ ok: true, gas: 1n }),
  } as unknown as Chain;
  const book = {
    range: () => ({ standing: 'held', leases: seats }),
    ownLiving: () => seats.filter(({ lease }) => lease.node === NODE),
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
  const settler = new Settler({ batch: 2, closeJobs: true }, { book, proposer, log, timings, clockMs });
  const facts = new ChainFacts(chain);
  const executor = { isRunning: () => true, hasFailed: () => false } as unknown as Executor;
  const keeper = new Keeper(
    { node: NODE, revealConfirmations: 1, lapseGraceSeconds: 5 },
    {
      ...{ chain, book, facts, nextTime, executor, settler, log },
      promises: new PromiseBook(journal),
      prover: {} as Prover,
    },
  );
  const own = seats.find(({ lease }) => lease.node === NODE) as KnownLease;
  return { keeper, sent, head, times: () => panelTimes(own, { chain, book, facts, head, nextTime: time }) };
}

const READY = { opens: 1_030, closes: 1_030 + RULES.revealWindow };

test('nothing is shown while somebody may still commit', async () => {
  const waiting = { reveal: undefined, boundBlock: 20, agreeAt: undefined };
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

test('all who committed are named in the order of their nodes, and a withheld result is left empty', async () => {
  const seats = [seat(5), seat(NODE, 45), seat(9, 41), { ...seat(11), phase: 'lapsed' as const }];
  const { keeper, sent, head } = setup(seats, { time: READY.closes + 1 });
  await keeper.tick(head, 0);
  await keeper.tick(head, 0);
  const leases = seats.slice(0, 3).map(({ lease }) => packLease(lease));
  expect(sent).toEqual([
    {
      functionName: 'agree',
      args: [packTerms(TERMS), 0, leases, [NO_RESULT, RESULT, RESULT], [zeroHash, zeroHash, zeroHash]],
    },
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

test('a seat is compared with the word of the seat, not with that of the panel', async () => {
  const asked: [Hex, number, number][] = [];
  const own = claimedSeat(NODE);
  const chain = {
    seatWord: async (...key: [Hex, number, number]) => {
      asked.push(key);
      return packLease(own.lease).claimed;
    },
    node: async () => ({ locked: own.bond }),
  } as unknown as Chain;
  const book = { ownLiving: () => [own] } as unknown as ChainBook;
  const deps = { chain, book, scan: {} as Scan, log: silentLog };
  expect(await new Reconciler({ node: NODE, rescanBlocks: 50 }, deps).reconcile(sampleHead(100, 1_050))).toBe(0);
  expect(asked).toEqual([[JOB, 0, NODE]]);
});
