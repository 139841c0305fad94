import { createApi, problemSchema, type Api } from '@dpu/sdk/api';
import { keccak256, toHex } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../src/api/app.ts';
import { openDatabase, type TestDatabase } from './lib/pglite.ts';
import { DOLLAR, JOB, OPERATOR, OWNER, OWNER_2, REQUESTER, RESULT, START, TERMS, TOKEN, World } from './lib/world.ts';

const jobs = ['a', 'b', 'c', 'd', 'e'].map((name) => keccak256(toHex(name)));

let database: TestDatabase;
let app: ReturnType<typeof createApp>;
let api: Api;

beforeAll(async () => {
  database = await openDatabase();
  app = createApp(database.db);
  api = createApi('http://indexer', { fetch: async (input, init) => app.request(String(input), init) });

  const world = new World();
  await world.treasury();
  await world.node();
  await world.node(2, OWNER_2);
  await world.emit('Deposited', { currency: DOLLAR, account: REQUESTER, from: REQUESTER, amount: 20_000n });
  await world.emit('Deposited', { currency: DOLLAR, account: OWNER, from: OWNER, amount: 6_000n });
  await world.post();
  await world.claim();
  await world.reveal();
  await world.settle();
  await world.claim({ first: 2, node: 2 });
  for (const id of jobs) await world.post(id, { requester: OWNER, salt: BigInt(id) & 0xffffn });
  await world.emit('JobClosed', { id: jobs[0]!, refunded: 1_200n });
  await database.load(world.memory);
  await database.reach(20);
  // PGlite starts a PostgreSQL in wasm, which takes its time on a busy machine.
}, 60_000);

afterAll(() => database.close());

/** Asks and expects a refusal. */
async function refusal(path: string): Promise<{ status: number; detail: string; type: string | null }> {
  const response = await app.request(`http://indexer${path}`);
  const { status, detail } = problemSchema.parse(await response.json());
  expect(status).toBe(response.status);
  return { status, detail, type: response.headers.get('content-type') };
}

describe('stats', () => {
  test('one answer with the newest block and all counters', async () => {
    expect(await api.stats()).toEqual({
      block: 18,
      timestamp: START + 18,
      jobs: { open: 4, running: 1, complete: 0, cancelled: 0, closed: 1 },
      nodes: 2,
      stake: 18_000n,
      paid: [{ currency: DOLLAR, amount: 291n }],
      shardsSettled: 2,
      unitsSettled: 12n,
      seatsAllowed: false,
    });
  });
});

describe('jobs', () => {
  test('come newest first, in pages without gaps or repeats', async () => {
    const first = await api.jobs({ limit: 2 });
    const second = await api.jobs({ limit: 2, cursor: first.next! });
    const third = await api.jobs({ limit: 2, cursor: second.next! });
    expect(third.next).toBeNull();
    const seen = [first, second, third].flatMap((page) => page.items.map((job) => job.id));
    expect(seen).toEqual([...jobs.toReversed(), JOB]);
  });

  test('a page that ends exactly at the last job has no next', async () => {
    expect((await api.jobs({ limit: 6 })).next).toBeNull();
    expect((await api.jobs({ limit: 5 })).next).not.toBeNull();
  });

  test('can be asked by requester, however the address is written, and by state', async () => {
    const shouting = `0x${REQUESTER.slice(2).toUpperCase()}`;
    expect((await api.jobs({ requester: shouting })).items.map((job) => job.id)).toEqual([JOB]);
    expect((await api.jobs({ state: 'closed' })).items.map((job) => job.id)).toEqual([jobs[0]]);
    expect((await api.jobs({ requester: OWNER, state: 'open' })).items).toHaveLength(4);
    expect((await api.jobs({ state: 'complete' })).items).toEqual([]);
  });

  test('one job has its terms as posted, its leases and what happened', async () => {
    const job = await api.job(JOB);
    expect(job).toMatchObject({
      id: JOB,
      state: 'running',
      name: null,
      afterJob: null,
      claimed: 4,
      settled: 2,
      paid: 291n,
      fee: 9n,
      refunded: 0n,
      closedAt: null,
    });
    expect(job!.terms).toEqual(TERMS);
    expect(job!.leases).toMatchObject([
      { first: 0, node: 1, phase: 'settled', ...RESULT, paid: 291n, units: 12n },
      { first: 2, node: 2, phase: 'claimed', root: null, units: null, bond: 2_000n },
    ]);
    expect(job!.activity.map((item) => item.type)).toEqual([
      'leaseClaimed',
      'leaseSettled',
      'leaseRevealed',
      'leaseClaimed',
      'jobPosted',
    ]);
  });

  test('one that is not known is a 404', async () => {
    const id = keccak256(toHex('nobody'));
    expect(await api.job(id)).toBeNull();
    expect(await refusal(`/v1/jobs/${id}`)).toEqual({
      status: 404,
      detail: `no job ${id} was posted, or its block is not indexed yet`,
      type: 'application/problem+json',
    });
  });
});

describe('nodes', () => {
  test('come by id, in pages', async () => {
    const first = await api.nodes({ limit: 1 });
    expect(first.items.map((node) => node.id)).toEqual([1]);
    const second = await api.nodes({ limit: 1, cursor: first.next! });
    expect(second).toMatchObject({ items: [{ id: 2 }], next: null });
  });

  test('one node has its numbers and its newest leases', async () => {
    const node = await api.node(1);
    expect(node).toMatchObject({
      owner: OWNER,
      operator: OPERATOR,
      stake: 9_000n,
      locked: 0n,
      record: 5_078,
      runtimes: [1, 3],
      key: null,
      leases: { living: 0, settled: 1, lapsed: 0 },
      shardsSettled: 2,
      unitsSettled: 12n,
    });
    expect(node!.recent).toMatchObject([{ job: JOB, first: 0 }]);
  });

  test('one that is not known is a 404', async () => {
    expect(await api.node(9)).toBeNull();
    expect((await refusal('/v1/nodes/9')).status).toBe(404);
  });
});

describe('accounts', () => {
  test('show balances, nodes and jobs', async () => {
    const owner = await api.account(OWNER);
    expect(owner.nodes.map((node) => node.id)).toEqual([1]);
    expect(owner.jobs).toHaveLength(5);
    // 6,000 in, five jobs of 1,200 posted, one closed, 291 earned.
    expect(owner.balances).toEqual([{ currency: DOLLAR, amount: 1_491n }]);
    const requester = await api.account(REQUESTER);
    expect(requester.balances).toEqual([{ currency: DOLLAR, amount: 18_800n }]);
  });

  test('one that did nothing is empty, not missing', async () => {
    expect(await api.account(TOKEN)).toEqual({ address: TOKEN, balances: [], nodes: [], jobs: [] });
  });
});

describe('activity', () => {
  test('comes newest first, in pages without gaps or repeats', async () => {
    const all = await api.activity({ limit: 100 });
    expect(all.items).toHaveLength(18);
    expect(all.items[0]).toMatchObject({ type: 'jobClosed', job: jobs[0], amount: 1_200n, block: 18 });
    const first = await api.activity({ limit: 10 });
    const second = await api.activity({ limit: 10, cursor: first.next! });
    expect([...first.items, ...second.items]).toEqual(all.items);
    expect(second.next).toBeNull();
  });
});

describe('what cannot be answered', () => {
  const limit = 'limit must be a whole number from 1 to 100';
  const cursor = 'cursor must be the `next` of an earlier page of the same list';
  test.each([
    ['/v1/jobs?limit=0', limit],
    ['/v1/jobs?limit=101', limit],
    ['/v1/jobs?limit=ten', limit],
    ['/v1/activity?limit=1e1', limit],
    ['/v1/nodes?limit=-1', limit],
    ['/v1/jobs?cursor=12', cursor],
    [`/v1/activity?cursor=${'x'.repeat(75)}`, cursor],
    ['/v1/nodes?cursor=4294967296', cursor],
    ['/v1/jobs?requester=0x12', 'requester must be 0x and 40 hexadecimal digits'],
    ['/v1/jobs?state=gone', 'state must be one of open, running, complete, cancelled, closed'],
    ['/v1/jobs/0x12', 'the job id must be 0x and 64 hexadecimal digits'],
    [`/v1/jobs/${'z'.repeat(66)}`, 'the job id must be 0x and 64 hexadecimal digits'],
    ['/v1/nodes/0', 'the node id must be a whole number from 1 to 4294967295'],
    ['/v1/nodes/4294967296', 'the node id must be a whole number from 1 to 4294967295'],
    ['/v1/accounts/me', 'the address must be 0x and 40 hexadecimal digits'],
  ])('%s is a 400 that says why', async (path, detail) => {
    expect(await refusal(path)).toEqual({ status: 400, detail, type: 'application/problem+json' });
  });

  test('a route that does not exist is a 404', async () => {
    expect(await refusal('/v1/nothing')).toMatchObject({ status: 404 });
  });
});
