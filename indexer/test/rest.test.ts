import { createApi } from '@dpu/sdk/api';
import { zeroHash } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp, routesOf } from '../src/api/app.ts';
import { readCursor, writeCursor } from '../src/api/cursor.ts';
import { finalityOf, tipAt } from '../src/api/finality.ts';
import { RateLimit } from '../src/api/limits.ts';
import { openDatabase, type TestDatabase } from './lib/pglite.ts';
import { DOLLAR, eventId, JOB, OPERATOR, OWNER, REQUESTER, START, TREASURY, World } from './lib/world.ts';

let database: TestDatabase;
let app: ReturnType<typeof createApp>;
let world: World;
const ask = (path: string, init?: RequestInit) => app.request(`http://indexer/v1${path}`, init);
const json = async (path: string) => (await (await ask(path)).json()) as Record<string, unknown>;

beforeAll(async () => {
  database = await openDatabase();
  app = createApp(database.db);
  world = new World();
  await world.treasury();
  await world.node();
  await world.emit('Deposited', { currency: DOLLAR, account: REQUESTER, from: REQUESTER, amount: 20_000n });
  await world.post();
  await world.claim();
  await world.reveal();
  await world.settle();
  await world.emitOf('Governor', 'ProposalCreated', {
    ...{ proposalId: 5n, proposer: OWNER, targets: [DOLLAR], values: [0n], signatures: [''], calldatas: ['0x01'] },
    ...{ voteStart: BigInt(START + 10), voteEnd: BigInt(START + 20), description: 'Less' },
  });
  const cast = { voter: OWNER, proposalId: 5n, support: 1, weight: 9n, reason: '' };
  await world.emitOf('Governor', 'VoteCast', cast);
  await world.emitOf('Token', 'DelegateChanged', { delegator: OWNER, fromDelegate: OWNER, toDelegate: OPERATOR });
  await world.emitOf('Token', 'DelegateVotesChanged', { delegate: OPERATOR, previousVotes: 0n, newVotes: 9n });
  const scheduled = { id: zeroHash, target: DOLLAR, value: 0n, data: '0x01', predecessor: zeroHash } as const;
  await world.emitOf('Timelock', 'CallScheduled', { ...scheduled, index: 0n, delay: 60n });
  await world.emitOf('Credits', 'RateSet', { currency: DOLLAR, rate: 5n });
  const minted = { job: JOB, node: 1, owner: OWNER, first: 0, runtime: 1, epoch: 3, amount: 5n, value: 8n };
  await world.emitOf('Credits', 'CreditsMinted', { ...minted, pressure: 1n });
  await world.emitOf('Credits', 'WeightMoved', { runtime: 1, epoch: 3, weight: 7, fees: 1n, pressures: 1n });
  await world.emitOf('Credits', 'JobPrioritized', { job: JOB, payer: OWNER, amount: 5n, total: 5n });
  await world.emitOf('Proofs', 'BenchmarkSet', { tier: 2, runtime: 1, exec: 60, validFor: 86_400, spec: JOB });
  await world.emitOf('Proofs', 'ProofBegun', { node: 1, job: JOB, tier: 2, nonce: JOB });
  await database.load(world.memory);
  await database.reach(31);
}, 60_000);
afterAll(() => database.close());

/** Every list, and one thing of each kind; the quote has tests of its own. */
const READS = [
  [
    '/status',
    '/stats',
    '/stats/periods?unit=hour',
    '/jobs',
    `/jobs/${JOB}`,
    '/nodes',
    '/nodes/1',
    `/accounts/${OWNER}`,
  ],
  ['/activity', '/leases', '/disputes', '/payments', '/stakes', '/bonds', '/proposals', '/proposals/5', '/votes'],
  ['/delegations', '/voters', '/operations', '/settings', '/settings/changes', '/credits/mints', '/credits/epochs'],
  ['/credits/weights', '/credits/priorities', `/jobs/${JOB}/why-not`, '/nodes/1/why'],
  ['/tiers', '/proofs', '/proofs?node=1'],
  [`/jobs/${JOB}/declines`, '/nodes/1/heartbeat', '/nodes/1/uptime'],
].flat();

/** The route that answers a path. */
const specOf = (path: string) => {
  const [bare] = path.split('?');
  const routes = routesOf(undefined as never).filter(({ spec }) => spec.method === 'get');
  const exact = routes.find(({ spec }) => spec.path === bare);
  const pattern = (text: string) => new RegExp(`^${text.replace(/\{\w+\}/g, '[^/]+')}$`);
  return (exact ?? routes.find(({ spec }) => pattern(spec.path).test(bare!)))!.spec;
};

describe('every read', () => {
  test('is tried here, but for what belongs to an account', () => {
    const tried = new Set(READS.map((path) => specOf(path).path));
    const all = routesOf(database.db).filter(
      ({ spec }) => !spec.private && spec.method === 'get' && spec.path !== '/disputes/{key}',
    );
    expect([...tried].sort()).toEqual(all.map(({ spec }) => spec.path).sort());
  });

  test.each(READS)('%s answers what its schema says, and every object has its source', async (path) => {
    const response = await ask(path);
    expect(response.status).toBe(200);
    const body = (await response.json()) as Record<string, unknown>;
    const { answer } = specOf(path);
    expect(answer.safeParse(body).error).toBeUndefined();
    for (const [where, thing] of objectsOf(body)) {
      if (typeof thing['transaction'] !== 'string' && !('changedBlock' in thing)) continue;
      if (where.endsWith('source')) continue;
      expect(thing, where).toHaveProperty('source.finality');
    }
  });

  test.each(READS)('%s is not sent again while it is the same', async (path) => {
    const tag = (await ask(path)).headers.get('etag')!;
    const again = await ask(path, { headers: { 'if-none-match': tag } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
    expect((await ask(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  test.each(READS.filter((path) => 'next' in (specOf(path).answer as unknown as { shape: object }).shape))(
    '%s comes in pages that have everything once',
    async (path) => {
      const join = path.includes('?') ? '&' : '?';
      const { items: all } = (await json(`${path}${join}limit=100`)) as { items: unknown[] };
      const seen: unknown[] = [];
      let next: string | null = '';
      while (next !== null) {
        const page: Record<string, unknown> = await json(`${path}${join}limit=1${next && `&cursor=${next}`}`);
        seen.push(...(page['items'] as unknown[]));
        next = page['next'] as string | null;
      }
      expect(seen).toEqual(all);
      if (path !== '/disputes') expect(all.length, 'something to see').toBeGreaterThan(0);
    },
  );
});

function* objectsOf(value: unknown, where = ''): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [where, value as Record<string, unknown>];
  for (const [name, inner] of Object.entries(value)) yield* objectsOf(inner, `${where}.${name}`);
}

describe('sources', () => {
  test.each([
    [31_337, 10, 'finalized'],
    [31_337, 11, 'safe'],
    [31_337, 25, 'safe'],
    [31_337, 26, 'latest'],
    [1, 0, 'safe'],
    [1, 7, 'safe'],
    [1, 8, 'latest'],
  ])('of 40 blocks on chain %i number %i is %s', (chainId, block, finality) => {
    expect(finalityOf(block, tipAt(40, chainId, 0))).toBe(finality);
  });

  test('name the event that changed a thing last', async () => {
    const settled = 8;
    const { source } = await json(`/jobs/${JOB}`);
    expect(source).toEqual({ block: settled, transaction: world.transaction(settled), finality: 'safe' });
    const { items } = (await json('/activity?type=treasurySet')) as { items: Record<string, unknown>[] };
    expect(items[0]!['source']).toEqual({ block: 1, transaction: world.transaction(1), finality: 'finalized' });
  });

  test('of an index that is empty are the newest', async () => {
    const empty = await openDatabase();
    const response = await createApp(empty.db).request('http://indexer/v1/stats');
    expect(response.status).toBe(200);
    await empty.close();
  }, 60_000);
});

describe('lists narrowed down', () => {
  test.each([
    ['/payments?kind=fee', 1],
    [`/payments?account=${REQUESTER.toUpperCase().replace('0X', '0x')}`, 2],
    ['/payments?node=2', 0],
    ['/leases?phase=settled', 1],
    ['/leases?phase=claimed', 0],
    ['/activity?node=1&type=leaseSettled', 1],
    [`/jobs?runtime=1&currency=${DOLLAR}`, 1],
    ['/jobs?runtime=2', 0],
    ['/nodes?runtime=3', 1],
    ['/nodes?runtime=2', 0],
    [`/votes?voter=${TREASURY}`, 0],
    ['/settings?contract=credits', 1],
    [`/stats/periods?unit=hour&from=${START + 10_000}`, 0],
  ])('%s has %i', async (path, count) => {
    expect(((await json(path)) as { items: unknown[] }).items).toHaveLength(count);
  });
});

describe('cursors', () => {
  test('of another list, or with anything changed, are refused', async () => {
    const cursor = writeCursor('jobs', eventId(3));
    expect((await ask(`/jobs?cursor=${cursor}`)).status).toBe(200);
    for (const wrong of [
      writeCursor('activity', eventId(3)),
      `${cursor}A`,
      cursor.slice(1),
      `${cursor}=`,
      '%00',
      writeCursor('jobs', "' or 1=1"),
    ]) {
      const response = await ask(`/jobs?cursor=${encodeURIComponent(wrong)}`);
      expect(response.status, wrong).toBe(400);
      expect(await response.json()).toMatchObject({
        type: 'urn:dpu:problem:invalid-request',
        detail: 'cursor must be the `next` of an earlier page of the same list',
      });
    }
  });

  test('give back the key that is in them', () => {
    expect(readCursor('nodes', writeCursor('nodes', '12'), /^\d+$/)).toBe('12');
  });
});

describe('refusals', () => {
  test('of another method name those that there are', async () => {
    for (const [path, allow] of [
      ['/jobs', 'GET, HEAD'],
      ['/quote', 'POST'],
      ['/live', 'GET, HEAD'],
      ['/openapi.json', 'GET, HEAD'],
    ] as const) {
      const response = await ask(path, { method: 'DELETE' });
      expect(response.status, path).toBe(405);
      expect(response.headers.get('allow')).toBe(allow);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
    }
  });

  test('a body of as many bytes as there may be is read, one more is not, whether its length is said or not', async () => {
    const small = createApp(database.db, { limits: { bodyBytes: 20 } });
    const post = (body: BodyInit, headers: Record<string, string> = {}) =>
      small.request('http://indexer/v1/quote', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
        duplex: 'half',
      } as RequestInit);
    const stream = (size: number) => new Blob(['x'.repeat(size)]).stream();
    expect((await post('x'.repeat(20))).status).toBe(400);
    expect((await post(stream(20))).status).toBe(400);
    for (const response of [await post(stream(21)), await post('x'.repeat(21), { 'content-length': '21' })]) {
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ type: 'urn:dpu:problem:too-large', status: 413 });
    }
  });

  test('an address that is too long is not looked at', async () => {
    expect((await ask(`/jobs?cursor=${'a'.repeat(5_000)}`)).status).toBe(413);
  });

  test('a body that is not JSON, or not called so, is told apart', async () => {
    const post = (body: string, type?: string) =>
      ask('/quote', { method: 'POST', body, ...(type && { headers: { 'content-type': type } }) });
    expect((await post('{}', 'text/plain')).status).toBe(415);
    expect(await (await post('{', 'application/json')).json()).toMatchObject({ detail: 'the body is not JSON' });
    const missing = (await (await post('{}', 'application/json')).json()) as { errors: { path: string }[] };
    expect(missing.errors.map(({ path }) => path)).toContain('runtime');
  });

  test('a parameter that does not exist is named', async () => {
    expect(await json('/jobs?requestor=0x1')).toMatchObject({
      detail: 'there is no requestor here; /v1/docs lists what there is',
    });
  });

  test('what breaks inside is not shown', async () => {
    const broken = createApp({ execute: () => Promise.reject(new Error('password is 1234')) } as never);
    const response = await broken.request('http://indexer/v1/jobs');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('1234');
  });

  test('a read waits while the tables are locked, and is told to come back when that lasts', async () => {
    const locked = Object.assign(new Error('canceling statement due to lock timeout'), { code: '55P03' });
    let tries = 0;
    const asking = (free: number) => {
      tries = 0;
      const execute = () => {
        tries += 1;
        return Promise.reject(tries >= free ? new Error('free') : locked);
      };
      return createApp({ execute } as never).request('http://indexer/v1/jobs');
    };
    expect([(await asking(8)).status, tries], 'answered by what came after the lock').toEqual([500, 8]);
    const refused = await asking(9);
    expect([refused.status, refused.headers.get('retry-after'), tries]).toEqual([503, '1', 8]);
    expect(await refused.json()).toMatchObject({ type: 'urn:dpu:problem:not-ready' });
  });
});

describe('limits', () => {
  test('a caller that asked too much waits as long as it is told, others do not', async () => {
    let now = 0;
    const limited = createApp(database.db, {
      limits: { perSecond: 2, burst: 3 },
      now: () => now,
      callerOf: (c) => c.req.header('who') ?? '',
    });
    const get = (who: string) => limited.request('http://indexer/v1/nodes', { headers: { who } });
    for (let n = 0; n < 3; n += 1) expect((await get('a')).status).toBe(200);
    const refused = await get('a');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await get('b')).status).toBe(200);
    now = 499;
    expect((await get('a')).status).toBe(429);
    now = 500;
    expect((await get('a')).status).toBe(200);
  });

  test('a costly question counts as ten', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 10 }, { now: () => 0 });
    expect(limit.take('a', 10)).toBe(0);
    expect(limit.take('a', 1)).toBe(1_000);
  });

  test('the caller that asked longest ago is forgotten', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 1 }, { now: () => 0 });
    limit.take('first', 1);
    for (let n = 0; n < 10_000; n += 1) limit.take(`caller ${n}`, 1);
    expect(limit.take('first', 1)).toBe(0);
    expect(limit.take('caller 9999', 1)).toBe(1_000);
  });

  test('more requests than can be worked on at once are told to come back', async () => {
    const free = Promise.withResolvers<never>();
    const slow = createApp({ execute: () => free.promise } as never, { limits: { atOnce: 1 } });
    const first = slow.request('http://indexer/v1/jobs');
    const second = await slow.request('http://indexer/v1/jobs');
    expect(second.status).toBe(503);
    expect(second.headers.get('retry-after')).toBe('1');
    free.reject(new Error('away'));
    expect((await first).status).toBe(500);
  });
});

describe('documents', () => {
  test('the page loads nothing from elsewhere and runs no text of its own', async () => {
    const page = await ask('/docs');
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
    const html = await page.text();
    expect(html).not.toMatch(/https?:|<script>|onload|style=/);
    for (const [, file] of html.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)) {
      expect((await ask(`/${file}`)).status, file).toBe(200);
    }
  });

  test('every route is in the OpenAPI document, with all its refusals as problem details', async () => {
    const document = (await json('/openapi.json')) as {
      openapi: string;
      paths: Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>>;
    };
    expect(document.openapi).toBe('3.1.0');
    for (const { spec } of routesOf(database.db)) expect(document.paths[`/v1${spec.path}`]).toHaveProperty(spec.method);
    const ids = Object.values(document.paths).flatMap((path) => Object.values(path).map((one) => one.operationId));
    expect(new Set(ids).size).toBe(ids.length);
    expect(Object.keys(document.paths['/v1/quote']!['post']!.responses)).toEqual([
      '200',
      '400',
      '413',
      '415',
      '429',
      '500',
      '503',
    ]);
  });

  test('the client that the dApp uses reads these answers', async () => {
    const api = createApi('http://indexer', { fetch: async (input, init) => app.request(String(input), init) });
    expect((await api.job(JOB))!.leases[0]).toMatchObject({ source: { finality: 'safe' }, phase: 'settled' });
  });
});
