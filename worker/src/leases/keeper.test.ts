import { commitmentOf, packLease, type PackedLease, type Result } from '@dpu/sdk/lease';
import { packTerms } from '@dpu/sdk/packedTerms';
import { marketAbi } from '@dpu/sdk/abi';
import { decodeFunctionData, type Hex } from 'viem';
import { expect, test } from 'vitest';

import type { Chain, DryRun } from '../chain/chain.ts';
import type { ChainBook, KnownLease } from '../chain/chainBook.ts';
import { type Executor, leaseKeyOf } from '../work/executor.ts';
import type { ChainFacts } from '../chain/facts.ts';
import { Journal } from '../sending/journal.ts';
import { Keeper } from './keeper.ts';
import { silentLog } from '../log.ts';
import { Outbox } from '../sending/outbox.ts';
import { PromiseBook } from './promiseBook.ts';
import { Proposer } from '../sending/proposer.ts';
import { Prover } from './prover.ts';
import type { Sender } from '../sending/sender.ts';
import { Settler } from './settler.ts';
import { bytes32, JOB, NODE, RESULT, sampleHead, sampleLease, sampleTerms } from '../testing/samples.ts';
import { Timings } from '../timings.ts';

const OPERATOR = '0x00000000000000000000000000000000000000b1';
const MARKET = '0x00000000000000000000000000000000000000d1';
const SALT = bytes32(0x5a);

function setup(
  leases: KnownLease[],
  dryRun: (data: Hex) => DryRun = () => ({ ok: true, gas: 100_000n }),
  mayShow?: (lease: KnownLease, closes: number) => boolean,
) {
  const journal = new Journal({ file: ':memory:' });
  const outbox = new Outbox(journal);
  const promises = new PromiseBook(journal);
  const done: string[] = [];
  const sent: { functionName: string; args: readonly unknown[] }[] = [];
  const sender = {
    submit: async (intent: Parameters<Sender['submit']>[0]) => {
      const fresh = outbox.add(intent);
      if (fresh) {
        const call = decodeFunctionData({ abi: marketAbi, data: intent.data });
        done.push(
          `${intent.kind} gas ${intent.gas} ${intent.urgent ? 'urgent' : 'calm'} until ${intent.deadline ?? 'ever'}`,
        );
        sent.push({ functionName: call.functionName, args: call.args ?? [] });
      }
      return fresh;
    },
  } as unknown as Sender;
  const book = {
    ownLiving: () => leases,
    ownJudged: () => [],
    range: () => undefined,
    lease: (job: Hex, first: number) => leases.find((lease) => lease.job === job && lease.lease.first === first),
    cursor: () => ({ number: 20, hash: bytes32(20) }),
    ownUnendedJobs: () => [
      ...new Map(leases.map(({ job, terms }) => [job, { id: job, terms, postedBlock: 1 }])).values(),
    ],
    leasesOf: () => leases,
  } as unknown as ChainBook;
  const running = new Set<string>();
  const executor = {
    start: (lease: KnownLease) => done.push(`run ${lease.lease.first}`),
    cancel: (key: { first: number }) => done.push(`stop ${key.first}`),
    isRunning: (key: { first: number }) => running.has(String(key.first)),
    hasFailed: () => false,
  } as unknown as Executor;
  const chain = { dryRun: async (_from: Hex, data: Hex) => dryRun(data) } as unknown as Chain;
  const proposer = new Proposer(
    { market: MARKET, operator: OPERATOR },
    { chain, outbox, sender, nextTime: () => 1_051 },
  );
  const timings = new Timings();
  let clock = 100;
  const clockMs = (): number => (clock += 5);
  const prover = new Prover({ promises, proposer, scanned: () => 20, log: silentLog, timings, clockMs });
  const settler = new Settler(
    { batch: 2, closeJobs: true },
    { book, promises, proposer, log: silentLog, timings, clockMs },
  );
  const facts = { revealTimes: async () => ({ opens: 1_000, closes: 1_600 }) } as unknown as ChainFacts;
  const keeper = new Keeper(
    { node: NODE, revealConfirmations: 1, lapseGraceSeconds: 30 },
    {
      chain,
      book,
      facts,
      promises,
      nextTime: () => 1_051,
      executor,
      prover,
      settler,
      log: silentLog,
      ...(mayShow ? { mayShow } : {}),
    },
  );
  const head = sampleHead(20, 1_050);
  return { keeper, settler, prover, promises, outbox, done, sent, timings, running, head };
}
/** The first shards of the leases that a call names. */
const firstsOf = (leases: unknown): number[] =>
  (leases as PackedLease[]).map(({ place }) => Number(BigInt.asUintN(32, place)));

const commitment = commitmentOf({ id: JOB, first: 0, node: NODE, result: RESULT, salt: SALT });
const committed = sampleLease({ phase: 'committed', lease: { commitment, committedBlock: 20 } });

test('a fresh lease is run', async () => {
  const { keeper, done, head } = setup([sampleLease()]);
  await keeper.tick(head, 100);
  expect(done).toEqual(['run 0']);
  expect(keeper.steps.map(({ step }) => step)).toEqual(['run']);
});

test('a result on the disk is committed to, urgently, until the deadline', async () => {
  const lease = sampleLease();
  const { keeper, done, sent, promises, head, timings } = setup([lease]);
  promises.promise(leaseKeyOf(lease), { result: RESULT, salt: SALT });
  await keeper.tick(head, 100);
  expect(done).toEqual(['commit gas 145000 urgent until 1100']);
  expect(sent).toEqual([{ functionName: 'commit', args: [JOB, packLease(lease.lease), commitment] }]);
  expect(timings.all()).toEqual({ commit: [5] });
});

test('a commit that is on its way is not sent again, also not by the result that has just come', async () => {
  const lease = sampleLease();
  const { keeper, done, promises, head } = setup([lease]);
  promises.promise(leaseKeyOf(lease), { result: RESULT, salt: SALT });
  await Promise.all([keeper.tick(head, 100), keeper.prove(lease, head, 100)]);
  await keeper.tick(head, 100);
  expect(done).toEqual(['commit gas 145000 urgent until 1100']);
});

test('a commit that reverted is tried again under the next number', async () => {
  const lease = sampleLease();
  const { keeper, outbox, promises, head } = setup([lease]);
  promises.promise(leaseKeyOf(lease), { result: RESULT, salt: SALT });
  await keeper.tick(head, 100);
  const name = `commit:${JOB}:0:1100`;
  const receipt = { hash: bytes32(1), ok: false, blockNumber: 20, blockHash: bytes32(20), gasUsed: 1n, gasPrice: 1n };
  outbox.markMined(`${name}:1`, 'reverted', receipt);
  await keeper.tick(head, 100);
  expect(outbox.get(`${name}:2`)?.status).toBe('queued');
});

test('nothing is sent that the contract would refuse', async () => {
  const lease = sampleLease();
  const refused: DryRun = { ok: false, revert: { name: 'DeadlinePassed', args: [], message: 'DeadlinePassed()' } };
  const { keeper, done, promises, head } = setup([lease], () => refused);
  promises.promise(leaseKeyOf(lease), { result: RESULT, salt: SALT });
  await keeper.tick(head, 100);
  expect(done).toEqual([]);
});

test('the result of a direct job is submitted', async () => {
  const lease = sampleLease({ terms: sampleTerms({ direct: true }) });
  const { keeper, sent, promises, head } = setup([lease]);
  promises.promise(leaseKeyOf(lease), { result: RESULT, salt: SALT });
  await keeper.prove(lease, head, 100);
  expect(sent).toEqual([{ functionName: 'submit', args: [JOB, packLease(lease.lease), RESULT] }]);
});

test('a commit is opened with the result and salt that it was made of, until the reveal closes', async () => {
  const { keeper, done, sent, promises, head } = setup([committed]);
  promises.promise(leaseKeyOf(committed), { result: RESULT, salt: SALT });
  await keeper.tick(head, 100);
  expect(done).toEqual(['reveal gas 145000 urgent until 1600']);
  expect(sent[0]).toEqual({
    functionName: 'reveal',
    args: [packTerms(sampleTerms()), packLease(committed.lease), RESULT, SALT],
  });
});

test('a result that waits for its copies is shown as soon as they are made, without a new block', async () => {
  let copied = false;
  const asked: number[] = [];
  const { keeper, promises, sent, head } = setup([committed], undefined, (_lease, closes) => {
    asked.push(closes);
    return copied;
  });
  promises.promise(leaseKeyOf(committed), { result: RESULT, salt: SALT });
  await keeper.tick(head, 0);
  expect(sent).toEqual([]);
  copied = true;
  await keeper.prove(committed, head, 0);
  expect(sent.map(({ functionName }) => functionName)).toEqual(['reveal']);
  expect(asked).toEqual([1_600, 1_600]);
});

test('the result of a direct job waits for its copies too, until its deadline', async () => {
  const lease = sampleLease({ terms: sampleTerms({ direct: true, window: 0 }) });
  const asked: number[] = [];
  const { keeper, promises, sent, head } = setup([lease], undefined, (_lease, closes) => {
    asked.push(closes);
    return false;
  });
  promises.promise(leaseKeyOf(lease), { result: RESULT, salt: SALT });
  await keeper.tick(head, 0);
  expect([sent, asked]).toEqual([[], [1_100]]);
});

test('a commit of another result is never opened', async () => {
  const { keeper, done, promises, head } = setup([committed]);
  const other: Result = { ...RESULT, units: 6n };
  promises.promise(leaseKeyOf(committed), { result: other, salt: SALT });
  await keeper.tick(head, 100);
  expect(done).toEqual([]);
});

test('a commit whose result is gone is computed again', async () => {
  const { keeper, done, head } = setup([committed]);
  await keeper.tick(head, 100);
  expect(done).toEqual(['run 0']);
});

test('a lease that was taken away by a reorg is not proven', async () => {
  const lease = sampleLease();
  const { keeper, done, promises, head } = setup([]);
  promises.promise(leaseKeyOf(lease), { result: RESULT, salt: SALT });
  await keeper.prove(lease, head, 100);
  expect(done).toEqual([]);
});

test('a lease past its deadline is stopped and lapsed', async () => {
  const { keeper, done, head } = setup([sampleLease({ lease: { deadline: 1_049 } })]);
  await keeper.tick(head, 100);
  expect(done).toEqual(['stop 0', 'lapse gas 145000 calm until ever']);
});

const revealed = (first: number, job = JOB): KnownLease =>
  sampleLease({ job, phase: 'revealed', revealedAt: 1_000, result: RESULT, lease: { first } });

test('leases are settled together, job by job, at most a batch at a time, and once', async () => {
  const { keeper, sent, head } = setup([revealed(0), revealed(2), revealed(4), revealed(0, bytes32(2))]);
  await keeper.tick(head, 100);
  expect(sent.map(({ args }) => firstsOf(args[1]))).toEqual([[0, 2], [4], [0]]);
  await keeper.tick(head, 100);
  expect(sent).toHaveLength(3);
});

test('a lease that is on its way to be paid is not paid for again when another joins it', async () => {
  const leases = [revealed(0)];
  const { keeper, sent, head } = setup(leases);
  await keeper.tick(head, 100);
  leases.push(revealed(2));
  await keeper.tick(head, 100);
  expect(sent.map(({ args }) => firstsOf(args[1]))).toEqual([[0], [2]]);
});

test('one lease that is not due does not hold up the others', async () => {
  const tooEarly: DryRun = { ok: false, revert: { name: 'TooEarly', args: [], message: 'TooEarly()' } };
  const { keeper, sent, head } = setup([revealed(0), revealed(2)], (data) =>
    firstsOf(decodeFunctionData({ abi: marketAbi, data }).args?.[1]).includes(2) ? tooEarly : { ok: true, gas: 1n },
  );
  await keeper.tick(head, 100);
  expect(sent.map(({ args }) => firstsOf(args[1]))).toEqual([[0]]);
});

test('an expired job that we worked for is closed once nobody works on it', async () => {
  const expired = sampleTerms({ expiry: 1_049 });
  const over = setup([sampleLease({ phase: 'settled', terms: expired })]);
  await over.settler.close(over.head);
  expect(over.sent).toEqual([{ functionName: 'close', args: [packTerms(expired)] }]);

  const busy = setup([sampleLease({ phase: 'revealed', terms: expired })]);
  await busy.settler.close(busy.head);
  const young = setup([sampleLease({ phase: 'settled', terms: sampleTerms({ expiry: 1_050 }) })]);
  await young.settler.close(young.head);
  expect([...busy.sent, ...young.sent]).toEqual([]);
});
