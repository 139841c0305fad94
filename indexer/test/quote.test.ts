import { quoteRequestSchema, quoteSchema, whyNotSchema, whySchema, type QuoteRequest } from '@dpu/sdk/apiQuote';
import { GAS_STEPS, GAS_TOTALS } from '@dpu/sdk/gasTable';
import { latestEnd } from '@dpu/sdk/terms';
import { keccak256, toHex, type Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp, type AppOptions } from '../src/api/app.ts';
import { exclusionsOf, type Moment, type Wanted } from '../src/quote/eligibility.ts';
import { pricePoints, quantile, reachedAfter, sampleOf, samplesOfAsks } from '../src/quote/price.ts';
import { explain } from '../src/quote/why.ts';
import { tally } from '../src/quote/whyNot.ts';
import type { DeclineView, HeartbeatView, LiveView } from '../src/quote/view.ts';
import { openDatabase, type TestDatabase } from './lib/pglite.ts';
import { DOLLAR, JOB, OWNER_2, PARAMS, START, TERMS, TOKEN, World } from './lib/world.ts';

const HASH = keccak256(toHex('another'));
const beat = (over: Partial<HeartbeatView> = {}): HeartbeatView => ({
  ...{ at: START + 900, healthy: true, draining: false, free: 1, asks: new Map<Hex, bigint>() },
  ...over,
});
const liveOf = (beats: Record<number, HeartbeatView>, declines: DeclineView[] = []): LiveView => ({
  heartbeatOf: (node) => beats[node],
  declinesOf: () => declines,
});

describe('who can take a job', () => {
  const node = {
    ...{ id: 1, runtimes: 0b1010, tier: 2, tierUntil: 1_000, stake: 900n, locked: 300n, queued: 100n, record: 5_000 },
    key: `0x${'0'.repeat(64)}` as Hex,
  } as Parameters<typeof exclusionsOf>[0];
  const wanted: Wanted = {
    ...{ runtime: 1, tier: 0, bond: 500n, currency: DOLLAR, maxPrice: 100n, node: 0, private: false },
  };
  const moment: Moment = { now: 1_000, minStake: 800n, live: undefined };
  const of = (want: Partial<Wanted> = {}, at: Partial<Moment> = {}, has: object = {}) =>
    exclusionsOf({ ...node, ...has }, { ...wanted, ...want }, { ...moment, ...at });

  test.each<[string, string[], Partial<Wanted>, Partial<Moment>, object]>([
    ['everything fits', [], {}, {}, {}],
    ['its bond is just covered', [], { bond: 500n }, {}, {}],
    ['one more is not', ['freeStake'], { bond: 501n }, {}, {}],
    ['its stake without the queue is the least', [], {}, { minStake: 800n }, {}],
    ['one more is too little', ['minStake'], {}, { minStake: 801n }, {}],
    ['it offers another runtime', ['runtime'], { runtime: 2 }, {}, {}],
    ['its tier is proven in the last second', [], { tier: 2 }, { now: 1_000 }, {}],
    ['its proof has run out', ['tier'], { tier: 2 }, { now: 1_001 }, {}],
    ['its tier is lower', ['tier'], { tier: 3 }, {}, {}],
    ['the job is for another', ['allowlist'], { node: 2 }, {}, {}],
    ['the job is for it', [], { node: 1 }, {}, {}],
    ['it is not on the list', ['allowlist'], { allow: [2, 3] }, {}, {}],
    ['it is on the list', [], { allow: [2, 1] }, {}, {}],
    ['it has no key', ['key'], { private: true }, {}, {}],
    ['it has one', [], { private: true }, {}, { key: HASH }],
    ['it was heard sixty seconds ago', [], {}, { now: 960, live: liveOf({ 1: beat({ at: 900 }) }) }, {}],
    ['a second more', ['offline'], {}, { now: 961, live: liveOf({ 1: beat({ at: 900 }) }) }, {}],
    ['it was never heard', ['offline'], {}, { live: liveOf({}) }, {}],
    ['it is not well', ['offline'], {}, { live: liveOf({ 1: beat({ healthy: false }) }) }, {}],
    ['it is leaving', ['offline'], {}, { live: liveOf({ 1: beat({ draining: true }) }) }, {}],
    ['it is busy', ['busy'], {}, { live: liveOf({ 1: beat({ free: 0 }) }) }, {}],
    ['it asks just what is paid', [], {}, { live: liveOf({ 1: beat({ asks: new Map([[DOLLAR, 100n]]) }) }) }, {}],
    ['it asks for more', ['price'], {}, { live: liveOf({ 1: beat({ asks: new Map([[DOLLAR, 101n]]) }) }) }, {}],
    ['several things at once', ['runtime', 'freeStake'], { runtime: 2, bond: 501n }, {}, {}],
  ])('%s: %j', (_what, reasons, want, at, has) => {
    expect(of(want, at, has)).toEqual(reasons);
  });
});

describe('when and for how much', () => {
  const shape = { minPrice: 100n, maxPrice: 300n, ramp: 60, shards: 4, seats: 1, auditBps: 0 };

  test('a price is reached when the ramp is there, in whole seconds, never too early', () => {
    expect([99n, 100n, 101n, 103n, 104n, 300n].map((price) => reachedAfter(shape, price))).toEqual([0, 0, 1, 1, 2, 60]);
    expect(reachedAfter({ ...shape, ramp: 0 }, 300n)).toBe(0);
  });

  test('of a wait, what the ramp does not explain is delay', () => {
    const claim = { ...shape, price: 150n, openedAt: 1_000, claimedAt: 1_020 };
    expect(sampleOf(claim)).toEqual({ price: 150n, delay: 5 });
    expect(sampleOf({ ...claim, claimedAt: 1_001 }), 'rounding').toEqual({ price: 150n, delay: 0 });
  });

  test('quantiles are values of the list, by nearest rank', () => {
    const list = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    expect([0, 0.1, 0.5, 0.51, 0.9, 1].map((q) => quantile(list, q))).toEqual([1, 1, 5, 6, 9, 10]);
  });

  test('asks: the cheaper of two that are drawn', () => {
    const asks = [50n, 10n, 40n, 20n, 30n, 60n, 70n, 80n, 90n, 100n];
    // 1 − √½ is 0.29 and 1 − √0.1 is 0.68 of the list.
    expect(samplesOfAsks(asks, 3)).toEqual({ p50: { price: 30n, delay: 3 }, p90: { price: 70n, delay: 3 } });
    expect(samplesOfAsks([], 3)).toBeUndefined();
  });

  test('a dearer job starts sooner, a cheap one perhaps never', () => {
    const samples = Array.from({ length: 10 }, (_, n) => ({ price: BigInt(100 + 20 * n), delay: 2 }));
    const [half, asked, double] = pricePoints(shape, samples);
    expect(half).toEqual({
      ...{ point: 'half', maxPrice: '150', escrow: '600', taken: 0.3, startsIn: null, price: null },
    });
    // The fifth sample asks 180 and the ninth 260: the ramp of 200 in 60 s is there after 24 and 48 s.
    expect(asked).toEqual({
      ...{ point: 'asked', maxPrice: '300', escrow: '1200', taken: 1 },
      ...{ startsIn: { p50: 26, p90: 50 }, price: { p50: '180', p90: '260' } },
    });
    expect(double).toMatchObject({ maxPrice: '600', startsIn: { p50: 12, p90: 22 } });
  });

  test('where less than nine in ten take it the p90 is unknown', () => {
    const samples = [100n, 200n, 300n, 301n].map((price) => ({ price, delay: 0 }));
    expect(pricePoints(shape, samples)[1]).toMatchObject({
      ...{ taken: 0.75, price: { p50: '200', p90: null }, startsIn: { p50: 30, p90: null } },
    });
  });

  test('without a sample nothing is promised', () => {
    expect(pricePoints(shape, [])[1]).toMatchObject({ taken: 0, startsIn: null, price: null });
  });
});

describe('payments', () => {
  const lease = { job: JOB, first: 0, count: 2, price: 155n, paid: 301n, fee: 9n, phase: 'settled' };
  test('follow the formula to the last unit', () => {
    expect(explain(lease, 300)).toMatchObject({
      reason: 'The result was settled.',
      formula: 'gross = price · count; fee = ⌊gross · feeBps / 10000⌋; paid = gross − fee',
      numbers: { price: '155', count: 2, feeBps: 300, full: '310', gross: '310' },
      exact: true,
    });
  });
  test('of a seat that no quorum agreed with are half', () => {
    expect(explain({ ...lease, paid: 151n, fee: 4n, phase: 'unresolved' }, 300)).toMatchObject({
      reason: 'No quorum agreed, so each seat that showed its result got half.',
      formula: expect.stringContaining('⌊price · count / 2⌋') as string,
      exact: true,
    });
  });
  test('that follow none say so', () => {
    expect(explain({ ...lease, fee: 10n }, 300)).toMatchObject({ exact: false });
    expect(explain({ ...lease, paid: 300n, fee: 10n }, 300)).toMatchObject({ exact: false });
  });
});

test('refusals are counted once for each node, the most frequent reason first', () => {
  const said = (node: number, code: DeclineView['code']): DeclineView => ({ node, code, at: 1 });
  expect(tally([said(2, 'price'), said(1, 'vram'), said(1, 'price'), said(2, 'price'), said(3, 'tier')])).toEqual([
    { code: 'price', sentence: 'The job pays less than this node asks.', count: 2, nodes: [1, 2] },
    { code: 'tier', sentence: 'The job asks for a capability that this node has not proven.', count: 1, nodes: [3] },
    { code: 'vram', sentence: 'The job asks for more GPU memory than this node has.', count: 1, nodes: [1] },
  ]);
});

describe('over HTTP', () => {
  let database: TestDatabase;
  const REQUEST: QuoteRequest = {
    ...{ runtime: 1, currency: DOLLAR, minPrice: '100', maxPrice: '300', ramp: 60, bond: '1000', shards: 4 },
    ...{ maxLease: 2, openFor: 600, exec: 30, window: 10, auditBps: 500 },
  };
  const app = (options: AppOptions = {}) => createApp(database.db, options);
  const quote = async (over: Partial<QuoteRequest> = {}, options: AppOptions = {}) => {
    const response = await app(options).request('http://indexer/v1/quote', {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ ...REQUEST, ...over }),
    });
    return { status: response.status, body: await response.json() };
  };
  const why = async (path: string, options: AppOptions = {}) =>
    (await app(options).request(`http://indexer/v1${path}`)).json();

  beforeAll(async () => {
    database = await openDatabase();
    const world = new World();
    await world.treasury();
    await world.emit('ParamsAdded', { version: 1, params: PARAMS });
    await world.emit('MinStakeSet', { minStake: 1_000n });
    await world.node();
    await world.node(2, OWNER_2);
    await world.post();
    await world.claim();
    await world.reveal();
    await world.settle();
    await database.load(world.memory);
    await database.reach(900);
  }, 60_000);
  afterAll(() => database.close());

  test('a quote from history', async () => {
    const { status, body } = await quote();
    expect(status).toBe(200);
    const said = quoteSchema.parse(body);
    expect(said).toMatchObject({
      ...{ basis: 'history', samples: 1, timestamp: START + 900 },
      eligibility: { eligible: 2, live: false, excluded: [] },
      fee: { bps: 300, most: 72n },
      exit: { source: 'formula' },
      gas: { requester: GAS_STEPS.deposit + GAS_STEPS['post, ERC-20'], gasPrice: null },
      assurance: { colluding: 0.2, cost: 1.05, pooled: 0, caught: 0.04 },
    });
    // Claimed at 150 a second after the post: the ramp was there after 15.
    expect(said.points[1]).toMatchObject({ startsIn: { p50: 15, p90: 15 }, price: { p50: 150n, p90: 150n } });
    expect(said.exit.at).toBe(
      latestEnd({ ...TERMS, expiry: START + 1_500, exec: 30, window: 10, seats: 1, direct: false }),
    );
  });

  test('a quote from what nodes say now', async () => {
    const live = liveOf({ 1: beat({ asks: new Map([[DOLLAR, 120n]]) }), 2: beat({ free: 0 }) });
    const said = quoteSchema.parse((await quote({}, { live })).body);
    expect(said).toMatchObject({
      basis: 'heartbeats',
      eligibility: {
        ...{ eligible: 1, live: true, nodes: [{ node: 1, asks: 120n, heardAt: START + 900 }] },
        ...{ excluded: [{ node: 2, reasons: ['busy'] }], excludedBy: { busy: 1, price: 0 } },
      },
    });
    expect(said.points[1]).toMatchObject({ taken: 1, price: { p50: 120n, p90: 120n } });
  });

  test('the chain is asked for what only it knows; silent, it is done without', async () => {
    const asked: unknown[] = [];
    const chain = {
      token: async () => TOKEN,
      gasPrice: async () => 7n,
      worstCaseExit: async (terms: unknown) => {
        asked.push(terms);
        return 4_711;
      },
    };
    const said = quoteSchema.parse((await quote({ currency: TOKEN, seats: 3 }, { chain })).body);
    expect(said).toMatchObject({ exit: { at: 4_711, source: 'contract' }, gas: { gasPrice: 7n }, basis: 'none' });
    expect(said.gas.steps.at(-1)!.gas).toBe(GAS_TOTALS['three seats, claim and commit together, DPU']);
    expect(asked).toMatchObject([{ currency: TOKEN, expiry: START + 1_500, shards: 4 }]);
    const silent = {
      ...chain,
      token: () => Promise.reject(new Error('away')),
      worstCaseExit: () => Promise.reject(new Error('away')),
    };
    expect((await quote({}, { chain: silent })).body).toMatchObject({
      exit: { source: 'formula' },
      gas: { gasPrice: '7' },
    });
  });

  test.each<[Record<string, unknown>, string]>([
    [{ minPrice: '301' }, 'minPrice must not be above maxPrice'],
    [{ maxPrice: '-1' }, 'maxPrice must be a decimal string of at most 29 digits'],
    [{ maxPrice: String(1n << 96n) }, 'maxPrice must be below 2^96'],
    [{ shards: 0 }, 'shards must be a whole number from 1 to 16777215'],
    [{ shards: 1.5 }, 'shards must be a whole number from 1 to 16777215'],
    [{ seats: 2 }, 'seats must be 1, 3 or 5'],
    [{ colludingBps: 10_001 }, 'colludingBps must be a whole number from 0 to 10000'],
    [{ surprise: 1 }, 'there is no surprise here; /v1/docs lists what there is'],
  ])('%j is a 400 that says why', async (over, detail) => {
    expect(await quote(over as never)).toMatchObject({ status: 400, body: { detail } });
  });

  test('a request has neutral values for what it leaves out', () => {
    expect(quoteRequestSchema.parse(REQUEST)).toMatchObject({
      seats: 1,
      tier: 0,
      node: 0,
      direct: false,
      private: false,
    });
  });

  test('why not: what holds it up, what nodes said, who could', async () => {
    const live = liveOf({ 1: beat(), 2: beat({ free: 0 }) }, [{ node: 2, code: 'vram', at: 1 }]);
    const said = whyNotSchema.parse(await why(`/jobs/${JOB}/why-not`, { live }));
    expect(said).toMatchObject({
      ...{ state: 'running', free: 2, obstacles: [], price: 300n },
      declines: [{ code: 'vram', count: 1, nodes: [2] }],
      eligibility: { eligible: 1, excludedBy: { busy: 1 } },
      source: { finality: 'finalized' },
    });
    const { status } = await app().request(`http://indexer/v1/jobs/${HASH}/why-not`);
    expect(status).toBe(404);
  });

  test('why: assigned to what, and paid why', async () => {
    const said = whySchema.parse(await why('/nodes/1/why'));
    expect(said.jobs).toMatchObject([{ job: JOB, free: 2, eligible: true }]);
    expect(said.jobs[0]!.sentences[0]).toMatch(/^It can take the job once it is drawn: .*\(5078 of 10000\)/);
    expect(said.payments).toMatchObject([{ job: JOB, paid: 291n, fee: 9n, exact: true }]);
    const busy = liveOf({ 1: beat({ free: 0 }) }, [{ node: 1, code: 'cores', at: 1 }]);
    expect(whySchema.parse(await why(`/nodes/1/why?job=${JOB}`, { live: busy })).jobs[0]).toMatchObject({
      eligible: false,
      sentences: [
        'The node says that no slot is free.',
        'It said itself: The job asks for more processor cores than this node gives.',
      ],
    });
    for (const path of ['/nodes/9/why', `/nodes/1/why?job=${HASH}`])
      expect((await app().request(`http://indexer/v1${path}`)).status, path).toBe(404);
  });

  test('a node that did nothing was paid nothing', async () => {
    const said = whySchema.parse(await why('/nodes/2/why'));
    expect(said.payments).toEqual([]);
  });
});
