import { marketAbi } from '@dpu/sdk/abi';
import { isSeat, SEAT } from '@dpu/sdk/lease';
import { printOf, rangeKey } from '@dpu/sdk/bench';
import { AUDIT_SEATS, panelWord, type Panel } from '@dpu/sdk/panel';
import { packRules } from '@dpu/sdk/rules';
import { RULES } from '@dpu/sdk/testing';
import { marketDomain, type Terms } from '@dpu/sdk/terms';
import { decodeFunctionData, zeroHash, type Address, type Hex } from 'viem';
import { expect, test } from 'vitest';

import type { Chain, DryRun, JobView, NodeView } from '../chain/chain.ts';
import type { ChainBook, KnownLease } from '../chain/chainBook.ts';
import { Claimer } from './claimer.ts';
import { DeclineBook, DeclineError } from './declines.ts';
import { Experience } from './experience.ts';
import type { Governor } from '../resources/governor.ts';
import { ChainFacts } from '../chain/facts.ts';
import { Journal } from '../sending/journal.ts';
import { silentLog } from '../log.ts';
import { Outbox } from '../sending/outbox.ts';
import { Preparer } from './preparer.ts';
import { PromiseBook } from '../leases/promiseBook.ts';
import { Proposer } from '../sending/proposer.ts';
import type { Sender } from '../sending/sender.ts';
import type { Settler } from '../leases/settler.ts';
import { needsOf } from '../resources/needs.ts';
import { sampleResources } from '../testing/machine.ts';
import { bytes32, CURRENCY, JOB, NODE, sampleHead, sampleLease, sampleNode, sampleTerms } from '../testing/samples.ts';
import { Timings } from '../timings.ts';
import type { PreparedJob, Workspace } from '../work/workspace.ts';

const never = new AbortController().signal;
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A panel that node 9 opened at second 1,012, in a job that was posted at second 1,000 in block 10. */
const PANEL: Panel = {
  ...{ flags: 0, openedAt: 1_012, postBlock: 10, postedAt: 1_000, rampFrom: 1_000, movedAt: 1_012 },
  ...{ count: 2, sitting: 1, committed: 0, asked: 3, convicted: 0, marks: 0 },
};

const TREASURY = '0x0000000000000000000000000000000000000401';
const HOLDERS_OWNER = '0x0000000000000000000000000000000000000402';

interface World {
  terms: Partial<Terms>;
  view: Partial<JobView>;
  /** The job that it comes after. */
  parent: Partial<JobView>;
  node: Partial<NodeView>;
  leases: KnownLease[];
  panel: Partial<Panel>;
  bench: bigint;
  /** Who holds what others compute. */
  holder: Partial<NodeView>;
  /** What the treasury has in the Market. */
  pool: bigint;
  /** The DPU token. */
  token: Address;
  /** Least price of a shard. */
  asks: bigint;
  prepare: () => Promise<PreparedJob>;
  dryRun: () => DryRun;
  governor: Pick<Governor, 'halt' | 'secondsLeft' | 'reading'>;
}

function setup(over: Partial<World> = {}) {
  const spec = { runtime: 'wasm', module: 'module', limits: { units: 1, seconds: 10, memoryBytes: 100 } };
  const world: World = {
    terms: {},
    view: {},
    parent: {},
    // The whole draw, so that it is in from the start.
    node: { record: 10_000 },
    leases: [],
    panel: {},
    bench: 0n,
    holder: {},
    pool: 0n,
    token: CURRENCY,
    asks: 0n,
    prepare: async () => ({ spec }) as unknown as PreparedJob,
    dryRun: () => ({ ok: true, gas: 1n }),
    governor: { halt: undefined, secondsLeft: Infinity, reading: undefined },
    ...over,
  };
  const asked: string[] = [];
  const sent: { functionName: string; args: readonly unknown[] }[] = [];
  const journal = new Journal({ file: ':memory:' });
  const outbox = new Outbox(journal);
  const promises = new PromiseBook(journal);
  const chain = {
    node: async (id: number) => sampleNode(id === NODE ? world.node : { owner: HOLDERS_OWNER, ...world.holder }),
    config: async () => ({ pausedUntil: 0, minStake: 1n }),
    runtimeStake: async () => 1_000n,
    block: async (number: number) => sampleHead(number, number),
    lease: async () => ({ phase: 'lapsed', at: 1_040 }),
    leaseWord: async () => panelWord({ ...PANEL, ...world.panel }),
    bench: async () => world.bench,
    treasury: async () => TREASURY,
    marketBalance: async () => world.pool,
    job: async (id: Hex) => {
      asked.push(`job ${Number(BigInt(id))}`);
      return {
        state: 'open',
        at: 1_000,
        atBlock: 10,
        cursor: 0,
        busy: 0,
        done: 0,
        left: 0n,
        ...(id === JOB ? world.view : world.parent),
      };
    },
    dryRun: async () => world.dryRun(),
  } as unknown as Chain;
  const sender = {
    submit: async (intent: Parameters<Sender['submit']>[0]) => {
      const { functionName, args } = decodeFunctionData({ abi: marketAbi, data: intent.data });
      if (outbox.add(intent)) sent.push({ functionName, args: (args ?? []).slice(1) });
      return true;
    },
  } as unknown as Sender;
  const book = {
    openJobs: () => [{ id: JOB, terms: sampleTerms(world.terms), postedBlock: 10 }],
    rangesOf: () =>
      [...Map.groupBy(world.leases, ({ lease }) => lease.first).values()].map((leases) => ({
        standing: leases.every(({ phase }) => phase === 'lapsed') ? 'lapsed' : 'held',
        leases: leases.map((lease) => ({ ...lease, terms: sampleTerms(world.terms) })),
      })),
    lease: (_job: Hex, _first: number, node: number) => world.leases.find(({ lease }) => lease.node === node),
    cursor: () => ({ number: 11, hash: bytes32(11) }),
  } as unknown as ChainBook;
  const workspace = {
    isWarm: () => false,
    prepare: () => {
      asked.push('prepare');
      return world.prepare();
    },
  } as unknown as Workspace;
  const settler = {
    lapse: async ({ lease }: KnownLease) =>
      asked.push(`lapse ${lease.first}${isSeat(lease) ? ` of ${lease.node}` : ''}`),
  } as unknown as Settler;
  let nextTime = 1_012;
  const facts = new ChainFacts(chain);
  const proposer = new Proposer(
    { market: CURRENCY, operator: CURRENCY },
    { chain, outbox, sender, nextTime: () => nextTime },
  );
  const resources = sampleResources(2);
  const experience = new Experience(journal);
  const domain = marketDomain(31_337, CURRENCY);
  const declines = new DeclineBook({ node: NODE, domain, kept: 9, signedPerBlock: 9 }, { journal, signer: undefined });
  const claimer = new Claimer(
    {
      node: NODE,
      runtimes: new Set([1]),
      asks: { [CURRENCY]: world.asks },
      unitAsks: {},
      coinPrices: {},
      tip: 1n,
      maxLeaseShards: 64,
      leaseSeconds: 20,
      reservePercent: 20,
      reserveSeconds: 3,
      memoryBytes: 1_000,
      token: world.token,
      lapseGraceSeconds: 5,
    },
    {
      chain,
      book,
      facts,
      outbox,
      promises,
      preparer: new Preparer(
        { memoryBytes: 1_000, preparing: 4 },
        { promises, experience, workspace, needsOf: () => needsOf(100), tryOut: async () => {} },
      ),
      resources,
      governor: world.governor,
      experience,
      proposer,
      settler,
      declines,
      nextTime: () => nextTime,
      walletEmpty: () => false,
      log: silentLog,
      timings: new Timings(),
      clockMs: () => 0,
    },
  );
  const tick = async (block: number, time = 1_000 + block): Promise<void> => {
    nextTime = time + 1;
    await claimer.tick(sampleHead(block, time), 0, never);
    await soon();
  };
  return { claimer, tick, sent, asked, world, outbox, promises, resources, declines };
}

test('prepares when the job is posted and claims when the block that seeds the draw is there', async () => {
  const { tick, sent, asked } = setup();
  await tick(10);
  expect(asked).toEqual(['job 267', 'prepare']);
  expect(sent).toEqual([]);
  await tick(11);
  expect(sent).toEqual([{ functionName: 'claim', args: [NODE, 4] }]);
  expect(asked).toEqual(['job 267', 'prepare']);
});

test('claims a job once while the claim is on its way', async () => {
  const { tick, sent } = setup();
  for (const block of [10, 11, 12, 13]) await tick(block);
  expect(sent).toHaveLength(1);
});

test('counts the shards of a claim that is on its way', async () => {
  const { tick, sent, outbox } = setup();
  outbox.add({
    key: 'claim:other:1',
    kind: 'claim',
    to: CURRENCY,
    data: '0x',
    gas: 1n,
    priority: 1,
    deadline: undefined,
    urgent: false,
    shards: 1,
  });
  await tick(10);
  await tick(11);
  expect(sent).toEqual([{ functionName: 'claim', args: [NODE, 2] }]);
});

test('asks again for a job about which something happened', async () => {
  const { tick, asked, claimer } = setup({ node: { stake: 1n } });
  await tick(10);
  await tick(11);
  claimer.forget([{ block: 11, logIndex: 0, job: JOB, name: 'JobCancelled' }], false);
  await tick(12);
  expect(asked.filter((one) => one === 'job 267')).toHaveLength(2);
  claimer.forget([], true);
  await tick(13);
  expect(asked.filter((one) => one === 'job 267')).toHaveLength(3);
});

test('asks the chain nothing about a job that its terms rule out, and says why', async () => {
  const { tick, asked, declines } = setup({ terms: { runtime: 3 } });
  await tick(11);
  expect(asked).toEqual([]);
  expect(declines.all()).toMatchObject([{ job: JOB, code: 'runtime', at: 1_011 }]);
});

test('a job that failed here is declined without another look', async () => {
  const { tick, asked, declines, promises } = setup();
  promises.fail(JOB, 'trap: unreachable', 5_000);
  await tick(11);
  expect(asked).toEqual([]);
  expect(declines.all()).toMatchObject([{ code: 'failedBefore', detail: { reason: 'trap: unreachable' } }]);
});

test('files that cannot be had are asked for again after a while, and meanwhile declined', async () => {
  const { tick, asked, declines, world, sent } = setup({
    prepare: () => Promise.reject(new DeclineError('inputsUnavailable', { problem: 'nobody' })),
  });
  for (const block of [11, 12, 13]) await tick(block);
  expect(asked.filter((one) => one === 'prepare')).toHaveLength(1);
  expect(declines.all()).toMatchObject([{ code: 'inputsUnavailable', detail: { problem: 'nobody' } }]);
  world.prepare = setup().world.prepare;
  await tick(26);
  await tick(27);
  expect(sent).toHaveLength(1);
});

test('a spec of another runtime than the terms name is declined for good', async () => {
  const { tick, asked, declines } = setup({
    prepare: async () => ({ spec: { runtime: 'onnx', limits: {} } }) as unknown as PreparedJob,
  });
  for (const block of [11, 12, 500]) await tick(block);
  expect(asked.filter((one) => one === 'prepare')).toHaveLength(1);
  expect(declines.all()).toMatchObject([{ code: 'specInvalid' }]);
});

test('a claim that the contract would refuse is not sent, and the job is looked at afresh', async () => {
  const { tick, asked, sent, world } = setup({
    dryRun: () => ({ ok: false, revert: { name: 'NothingToClaim', args: [], message: 'NothingToClaim()' } }),
  });
  await tick(10);
  await tick(11);
  expect(sent).toEqual([]);
  world.dryRun = () => ({ ok: true, gas: 1n });
  await tick(12);
  expect(sent).toHaveLength(1);
  expect(asked.filter((one) => one === 'job 267')).toHaveLength(2);
});

test('takes one lease of a job that has not finished a shard here, and more once it has', async () => {
  const { tick, sent, promises } = setup({ view: { cursor: 2 }, leases: [sampleLease()] });
  await tick(10);
  await tick(11);
  expect(sent).toEqual([]);
  promises.learn('module', 10);
  await tick(12);
  expect(sent).toEqual([{ functionName: 'claim', args: [NODE, 4] }]);
});

test('takes nothing once it drains, and work again when told', async () => {
  const { tick, sent, claimer, declines } = setup();
  await tick(10);
  claimer.drain('stay');
  await tick(11);
  expect(sent).toEqual([]);
  expect(declines.all()).toMatchObject([{ code: 'draining' }]);
  expect([claimer.draining, claimer.leaving]).toEqual([true, false]);
  claimer.drain('leave');
  expect([claimer.draining, claimer.leaving]).toEqual([true, true]);
  claimer.resume();
  expect([claimer.draining, claimer.leaving]).toEqual([false, false]);
});

const foreign = (over: Parameters<typeof sampleLease>[0] = {}): KnownLease =>
  sampleLease({ ...over, lease: { node: NODE + 1, deadline: 1_020, ...over.lease } });

test('takes over what has lapsed, at a price that begins anew', async () => {
  const { tick, sent } = setup({ view: { cursor: 10 }, leases: [foreign({ phase: 'lapsed' })] });
  await tick(50);
  await tick(51);
  expect(sent).toEqual([{ functionName: 'takeOver', args: [0, NODE] }]);
});

test('never takes its own lapsed lease over', async () => {
  const { tick, sent } = setup({ view: { cursor: 10 }, leases: [sampleLease({ phase: 'lapsed' })] });
  await tick(50);
  await tick(51);
  expect(sent).toEqual([]);
});

test('says that a lease is overdue when it would take it, after a while that differs by node', async () => {
  const { tick, asked } = setup({ view: { cursor: 10 }, leases: [foreign()] });
  // Node 7 waits five seconds and another four.
  await tick(28, 1_028);
  await tick(29, 1_029);
  expect(asked.filter((one) => one.startsWith('lapse'))).toEqual([]);
  await tick(30, 1_030);
  expect(asked.filter((one) => one.startsWith('lapse'))).toEqual(['lapse 0']);
});

test('waits for the job before, and opens when that was complete', async () => {
  const parent = bytes32(0xaa);
  const { tick, sent, asked, world } = setup({ terms: { afterJob: parent } });
  await tick(10);
  expect(asked).toEqual(['job 267', 'job 170']);
  await tick(11);
  expect(asked).toEqual(['job 267', 'job 170', 'job 170']);
  world.parent = { state: 'complete', at: 1_012 };
  await tick(12);
  expect(asked.at(-1)).toBe('prepare');
  await tick(13);
  expect(sent).toEqual([{ functionName: 'claim', args: [NODE, 4] }]);
});

const taken = { terms: { seats: 3 }, view: { cursor: 10 } };
const seat = (over: Partial<KnownLease['lease']> = {}, phase: KnownLease['phase'] = 'claimed'): KnownLease =>
  sampleLease({ phase, terms: sampleTerms({ seats: 3 }), lease: { node: 9, flags: SEAT, ...over } });

test('joins others on a range when it is drawn, once', async () => {
  const { tick, sent } = setup({ ...taken, leases: [seat()] });
  for (const block of [13, 14, 15]) await tick(block);
  expect(sent).toEqual([{ functionName: 'sit', args: [0, 2, NODE, zeroHash] }]);
});

test('joins before it begins what nobody has begun', async () => {
  const { tick, sent } = setup({ terms: { seats: 3 }, view: { cursor: 2 }, leases: [seat()] });
  await tick(13);
  await tick(14);
  expect(sent.map(({ functionName }) => functionName)).toEqual(['sit']);
});

test.each([
  ['every seat is taken', [seat(), seat({ node: 8 }), seat({ node: 6 })], {}],
  ['it sits there already', [seat(), seat({ node: NODE }, 'committed')], {}],
  ['it has failed there', [seat(), seat({ node: NODE }, 'lapsed')], {}],
  ['the chain knows of a seat more', [seat()], { sitting: 3 }],
  ['joining is over', [seat()], { openedAt: 894 }],
  ['it is an audit', [seat()], { asked: AUDIT_SEATS }],
])('joins nobody when %s', async (_reason, leases, panel) => {
  const { tick, sent } = setup({ ...taken, leases, panel });
  await tick(13);
  await tick(14);
  expect(sent).toEqual([]);
});

test('does not ask for a seat where its print has sat', async () => {
  const bench = BigInt(printOf(rangeKey(JOB, 0, false), NODE)) << 168n;
  const { tick, sent } = setup({ ...taken, leases: [seat()], bench });
  await tick(13);
  await tick(14);
  expect(sent).toEqual([]);
});

test('sits down first on what nobody has begun, and on what all have lost', async () => {
  const fresh = setup({ terms: { seats: 3 } });
  for (const block of [11, 12]) await fresh.tick(block);
  expect(fresh.sent).toEqual([{ functionName: 'sit', args: [0, 4, NODE, zeroHash] }]);
  const lost = setup({ ...taken, leases: [seat({}, 'lapsed')] });
  for (const block of [41, 42]) await lost.tick(block, 1_000 + block);
  expect(lost.sent).toEqual([{ functionName: 'sit', args: [0, 2, NODE, zeroHash] }]);
});

test('joins in the last good second', async () => {
  const { tick, sent } = setup({ ...taken, leases: [seat()], panel: { openedAt: 895 } });
  await tick(13);
  await tick(14);
  expect(sent.map(({ functionName }) => functionName)).toEqual(['sit']);
});

test('says that a seat is overdue, but not that one is which has committed', async () => {
  const others = [seat({ node: 8, committedBlock: 14 }, 'committed'), seat({ deadline: 1_020 })];
  const { tick, asked } = setup({ ...taken, leases: others, panel: { sitting: 3 } });
  await tick(28, 1_029);
  expect(asked.filter((one) => one.startsWith('lapse'))).toEqual([]);
  await tick(29, 1_030);
  expect(asked.filter((one) => one.startsWith('lapse'))).toEqual(['lapse 0 of 9']);
});

/** Node 9 committed in block 20, at second 20 of the fake chain, whose audits last until second 1,820. */
const audited = (over: Partial<KnownLease> = {}): KnownLease =>
  sampleLease({ phase: 'committed', ...over, lease: { node: 9, price: 150n, committedBlock: 20 } });
const bought = {
  terms: { auditBps: 10_000 },
  view: { state: 'leased' as const, cursor: 10 },
  node: { record: 10_000, since: 5 },
};
const seconds = (block: number): [number, number] => [block, block];
const AUDIT = { functionName: 'audit', args: [expect.objectContaining({ commitment: zeroHash }), NODE] };

test('audits what another node has committed to, once the next block has drawn it', async () => {
  const { tick, sent } = setup({ ...bought, leases: [audited()] });
  await tick(...seconds(20));
  expect(sent).toEqual([]);
  for (const block of [21, 22, 23]) await tick(...seconds(block));
  expect(sent).toEqual([AUDIT]);
});

test('audits until the second before the holder may show its result, also after the job has expired', async () => {
  const due = setup({ ...bought, terms: { ...bought.terms, expiry: 1_000 }, leases: [audited()] });
  await due.tick(...seconds(1_817));
  await due.tick(...seconds(1_818));
  expect(due.sent).toEqual([AUDIT]);
  const late = setup({ ...bought, leases: [audited()] });
  for (const block of [1_819, 1_820]) await late.tick(...seconds(block));
  expect(late.sent).toEqual([]);
});

test('audits from the middle of its window on what no draw lets it into', async () => {
  const young = { ...bought, node: { ...bought.node, since: 20 } };
  const { tick, sent } = setup({ ...young, leases: [audited()] });
  for (const block of [21, 22, 917, 918]) await tick(...seconds(block));
  expect(sent).toEqual([]);
  await tick(...seconds(919));
  expect(sent).toEqual([AUDIT]);
});

test('audits also what was reserved for another node, and does nothing else there', async () => {
  const terms = { ...bought.terms, node: 9 };
  const { tick, sent, declines } = setup({ ...bought, terms, leases: [audited()] });
  for (const block of [21, 22]) await tick(...seconds(block));
  expect(sent).toEqual([AUDIT]);
  const free = setup({ terms });
  for (const block of [21, 22]) await free.tick(...seconds(block));
  expect([free.sent, declines.all(), free.declines.all().map(({ code }) => code)]).toEqual([[], [], ['reserved']]);
});

test.each<[string, Partial<World>, Partial<KnownLease>]>([
  ['it holds the lease itself', {}, { lease: { ...audited().lease, node: NODE } }],
  ['both nodes have one owner', { holder: { owner: sampleNode().owner } }, {}],
  ['its owner is the requester', { node: { record: 10_000, owner: sampleTerms().requester } }, {}],
  ['an auditor sits there already', {}, { seated: true }],
  ['the result is public', {}, { phase: 'revealed' }],
  ['nobody bought an audit', { terms: {} }, {}],
  ['the holder was paid less than this node asks', { asks: 151n }, {}],
])('audits nothing when %s', async (_reason, over, lease) => {
  const { tick, sent } = setup({ ...bought, ...over, leases: [{ ...audited(), ...lease }] });
  for (const block of [21, 22, 23]) await tick(...seconds(block));
  expect(sent.filter(({ functionName }) => functionName === 'audit')).toEqual([]);
});

/** The seed is out of reach, so the roll is zero: the protocol pays. */
const pooled = { ...bought, terms: { rules: packRules({ ...RULES, auditRates: 0b0100 }) } };
const far: [number, number] = [20 + 8_193, 1_000];

test.each<[string, Partial<World>, number]>([
  ['when it can pay for every shard', { pool: 300n }, 1],
  ['not when it cannot', { pool: 299n }, 0],
  ['not for work that is reserved', { pool: 300n, terms: { ...pooled.terms, node: 9 } }, 0],
  ['not in another currency', { pool: 300n, token: TREASURY }, 0],
])('audits at the cost of the protocol %s', async (_case, over, times) => {
  const { tick, sent } = setup({ ...pooled, ...over, leases: [audited()] });
  await tick(...far);
  await tick(far[0] + 1, far[1] + 1);
  expect(sent).toHaveLength(times);
});
