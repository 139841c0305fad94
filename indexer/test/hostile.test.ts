import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp, routesOf } from '../src/api/app.ts';
import { writeCursor } from '../src/api/cursor.ts';
import { judge } from '../src/api/graphql.ts';
import { openDatabase, type TestDatabase } from './lib/pglite.ts';
import { eventId, JOB, OWNER, World } from './lib/world.ts';

let database: TestDatabase;
let app: ReturnType<typeof createApp>;

beforeAll(async () => {
  database = await openDatabase();
  app = createApp(database.db, { limits: { perSecond: 1e9, burst: 1e9 } });
  const world = new World();
  await world.node();
  await world.post();
  await database.load(world.memory);
  await database.reach(31);
}, 60_000);
afterAll(() => database.close());

const routes = routesOf(undefined as never);
const names = [...new Set(routes.flatMap(({ spec }) => Object.keys(spec.query?.shape ?? {})))];
const lists = ['jobs', 'nodes', 'activity', 'payments', 'settings', 'periods.day', 'voters'];
const nasty = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e3',
    'NaN',
    '9'.repeat(78),
    "' or 1=1 --",
    '\u0000',
    '../..',
    '%00',
    '{}',
    JOB,
    OWNER,
    '💥',
    'null',
  ),
  fc.constantFrom(...lists).map((list) => writeCursor(list, eventId(1))),
  fc.tuple(fc.constantFrom(...lists), fc.string()).map(([list, key]) => writeCursor(list, key)),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.bigInt().map(String),
);
const request = fc.record({
  path: fc.oneof(
    fc
      .constantFrom(...routes.map(({ spec }) => spec.path))
      .chain((path) => nasty.map((value) => path.replace(/\{\w+\}/, encodeURIComponent(value.toWellFormed())))),
    fc.webPath(),
  ),
  query: fc.array(fc.tuple(fc.oneof(fc.constantFrom(...names), fc.string()), nasty), { maxLength: 4 }),
  method: fc.constantFrom('GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE', 'HEAD'),
  body: fc.oneof(
    fc.json(),
    fc.string(),
    fc.constantFrom('{"runtime":1e999}', '[[[[[[', '{"__proto__":{}}', '"\ud800"'),
  ),
  tag: nasty,
});

/** Failures print the seed with which fast-check makes them again. */
const runs = { numRuns: 3_000, interruptAfterTimeLimit: 60_000 };

test('no request breaks the API: it is answered, or refused with problem details', async () => {
  await fc.assert(
    fc.asyncProperty(request, async ({ path, query, method, body, tag }) => {
      const search = new URLSearchParams(query);
      const isRead = method === 'GET' || method === 'HEAD';
      const response = await app.request(`http://indexer/v1${path}?${search}`, {
        method,
        headers: { 'content-type': 'application/json', 'if-none-match': encodeURIComponent(tag.toWellFormed()) },
        ...(!isRead && { body }),
      });
      if (response.headers.get('content-type')?.startsWith('text/')) return;
      const text = await response.text();
      expect(response.status, text).toBeLessThan(500);
      expect(text).not.toMatch(/node_modules|\bat .*\.ts:/);
      if (response.status < 400 || method === 'HEAD') return;
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(JSON.parse(text)).toMatchObject({ status: response.status });
    }),
    runs,
  );
}, 120_000);

test('no text breaks the judge of GraphQL: it is charged, or refused with a code', () => {
  const words = [
    '{',
    '}',
    '(',
    ')',
    '...',
    'on',
    'fragment',
    'f',
    'query',
    'jobs',
    'items',
    'limit:',
    '$n',
    '1',
    '"',
    '@a',
    ':',
    '[',
    '\u0000',
  ];
  const text = fc.oneof(
    fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((all) => all.join(' ')),
    fc.string(),
  );
  fc.assert(
    fc.property(text, (query) => {
      try {
        expect(judge(query)).toBeGreaterThanOrEqual(0);
      } catch (error) {
        expect(error).toMatchObject({ name: 'Refused', code: expect.stringMatching(/^[A-Z_]+$/) as string });
      }
    }),
    { numRuns: 5_000 },
  );
});
