import { Hono } from 'hono';
import superjson from 'superjson';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Gate } from '../src/api/gate.ts';
import { guardedGraphql, judge } from '../src/api/graphql.ts';
import { parser, planner } from '../src/api/planner.ts';
import { onError } from '../src/api/problem.ts';
import { guardedSql, judgeSql, SQL_LIMITS, type SqlDeps } from '../src/api/sql.ts';
import { openDatabase, type TestDatabase } from './lib/pglite.ts';
import { World } from './lib/world.ts';

describe('what a GraphQL query could read', () => {
  test.each([
    ['{ job(id: "0x1") { id } }', 1],
    ['{ jobs { items { id } } }', 50],
    ['{ jobs(limit: 20) { items { id } pageInfo { hasNextPage } } }', 20],
    ['{ jobs(limit: 20) { items { leases(limit: 10) { items { holder { id } } } } } }', 20 + 200 + 200],
    ['{ jobs(limit: 20) { totalCount items { id } } }', 120],
    ['{ job(id: "0x1") { panels { items { places { items { holder { id } } } } } } }', 1 + 50 + 2_500 + 2_500],
    ['query ($n: Int) { jobs(limit: $n) { items { id } } }', 7],
    ['{ ...f } fragment f on Query { jobs(limit: 3) { items { ...g } } } fragment g on job { id }', 3],
    ['{ __schema { types { fields { type { ofType { ofType { ofType { name } } } } } } } }', 7],
  ])('%s', (query, rows) => {
    expect(judge(query, { n: 7 })).toBe(rows);
  });

  test.each([
    ['TOO_COSTLY', '{ jobs(limit: 1000) { items { leases(limit: 1000) { items { first } } } } }'],
    ['TOO_COSTLY', 'query ($n: Int) { a: jobs(limit: $n) { items { leases(limit: 10) { items { first } } } } }'],
    [
      'TOO_DEEP',
      '{ jobs(limit: 1) { items { leases(limit: 1) { items { ofJob { leases(limit: 1) { items { ofJob { id } } } } } } } } }',
    ],
    ['TOO_MANY_FIELDS', `{ ${Array.from({ length: 11 }, (_, n) => `a${n}: job(id: "0x1") { id }`).join(' ')} }`],
    ['SYNTAX', '{ jobs { '],
    ['SYNTAX', `{ ${'a '.repeat(2_000)} }`],
    ['SYNTAX', '{ ...f } fragment f on Query { ...f }'],
    ['SYNTAX', '{ ...g }'],
    ['NOT_A_QUERY', 'mutation { a }'],
    ['NOT_A_QUERY', 'subscription { a }'],
  ])('is refused with %s: %s', (code, query) => {
    expect(() => judge(query, { n: 'many' })).toThrow(expect.objectContaining({ code }));
  });

  test('exactly as many rows as there may be are answered, one more is not', () => {
    const pages = (last: string) =>
      `{ ${Array.from({ length: 9 }, (_, n) => `a${n}: jobs(limit: 1000) { items { id } }`).join(' ')} ${last} }`;
    expect(judge(pages('b: jobs(limit: 999) { items { id } pageInfo { hasNextPage } }'))).toBe(9_999);
    expect(judge(pages('b: jobs(limit: 1000) { items { id } }'))).toBe(10_000);
    expect(() => judge(pages('b: jobs(limit: 1000) { items { id } totalCount }'))).toThrow(
      'the query could read 10100 rows, and 10000 are allowed: ask for smaller pages',
    );
  });
});

describe("PostgreSQL's parser", () => {
  const within = (sql: string) => ({ sql, params: [] });
  const deps: SqlDeps = { parse: parser(), cost: () => Promise.resolve(1), tables: new Set(['job']) };

  test.each([
    ['select within select', `select ${'(select '.repeat(41)}1${')'.repeat(41)}`],
    ['function within function', `select ${'lower('.repeat(41)}1${')'.repeat(41)}`],
    ['not not', `select ${'not '.repeat(41)}true`],
    ['index of index', `select ${'x['.repeat(41)}1${']'.repeat(41)}`],
  ])('is not shown what it might not come back from: %s', async (_, sql) => {
    const parse = () => Promise.reject(new Error('it was shown'));
    await expect(judgeSql(within(sql), { ...deps, parse })).rejects.toThrow(
      'brackets and nots may lie 40 deep in each other; here they may lie 41 deep',
    );
  });

  test('is shown so many words and signs and no more', async () => {
    const sum = (words: number) =>
      `select ${Array<string>(words / 2)
        .fill('1')
        .join(',')}`;
    await expect(judgeSql(within(sum(SQL_LIMITS.words)), deps)).resolves.toBeUndefined();
    await expect(judgeSql(within(`${sum(SQL_LIMITS.words)};`), deps)).rejects.toThrow(
      'a statement may have 400 words and signs; this one has 401',
    );
  });

  // The longest chains that fit: each is a tree as deep as it is long.
  test.each([
    ['not', `select ${'not '.repeat(40)}true`],
    ['minus', `select ${'- '.repeat(398)}1`],
    ['cast', `select 1${'::int'.repeat(132)}`],
    ['case', `select ${'case when 1 then '.repeat(79)}1${' end'.repeat(79)}`],
    ['join', `select 1 from job a${' join job b on true'.repeat(79)}`],
    ['select', `select ${'(select '.repeat(40)}1${')'.repeat(40)}`],
    ['function', `select ${'lower('.repeat(40)}1${')'.repeat(40)}`],
    ['union', `select 1${' union select 1'.repeat(132)}`],
  ])('reads the longest chain of %s that may be, again and again', async (_, sql) => {
    const own = parser();
    for (let times = 0; times < 20; times += 1) {
      await expect(own('select from from')).rejects.toThrow('syntax error at or near "from"');
      await expect(own(sql)).resolves.toMatchObject({ stmt: { SelectStmt: {} } });
    }
  });

  test('reads the same after a thousand statements that it refused', async () => {
    const read = () => deps.parse('select id, count(*) from job where id = $1 group by 1');
    const first = JSON.stringify(await read());
    for (let times = 0; times < 1_000; times += 1)
      await expect(deps.parse("select 'abc")).rejects.toThrow('unterminated quoted string');
    expect(JSON.stringify(await read())).toBe(first);
  }, 60_000);
});

describe('GraphQL over HTTP', () => {
  const serve = (answer: () => Promise<Response>, gate = new Gate()) => {
    const app = new Hono();
    app.onError(onError);
    app.use(
      '/graphql',
      guardedGraphql(gate, async () => answer()),
    );
    return (body: string, method = 'POST') =>
      app.request('http://indexer/graphql', { method, ...(method === 'POST' && { body }) });
  };
  const ask = JSON.stringify({ query: '{ jobs(limit: 1) { items { id } } }' });

  test('errors lose what they say of the code', async () => {
    const errors = [
      { message: 'no such field', path: ['jobs'], extensions: { originalError: { stack: 'at secret' } } },
    ];
    const response = await serve(async () => Response.json({ data: null, errors }, { status: 500 }))(ask);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ data: null, errors: [{ message: 'no such field', path: ['jobs'] }] });
  });

  test.each([
    ['not JSON', '{', 'SYNTAX'],
    ['a list', '[]', 'SYNTAX'],
    ['null', 'null', 'SYNTAX'],
    ['a number for a query', '{"query":1}', 'SYNTAX'],
    ['a mutation', '{"query":"mutation { a }"}', 'NOT_A_QUERY'],
  ])('%s is refused with its code', async (_name, body, code) => {
    const response = await serve(async () => Response.json({}))(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code } }] });
  });

  test('GET is not possible, because its page would load from elsewhere', async () => {
    const response = await serve(async () => Response.json({}))('', 'GET');
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });

  test('a query more than may run at once is told to come back, until one is done', async () => {
    const free = Promise.withResolvers<Response>();
    const request = serve(() => free.promise, new Gate(1));
    const first = request(ask);
    const second = await request(ask);
    expect(second.status).toBe(503);
    expect(await second.json()).toMatchObject({ type: 'urn:dpu:problem:overloaded' });
    free.resolve(Response.json({ data: {} }));
    expect((await first).status).toBe(200);
    await expect.poll(async () => (await serve(async () => Response.json({}))(ask)).status).toBe(200);
  });
});

describe('SQL over HTTP', () => {
  let database: TestDatabase;
  let deps: SqlDeps;

  beforeAll(async () => {
    database = await openDatabase();
    const world = new World();
    for (let n = 0; n < 12; n += 1) await world.post(`0x${String(n).padStart(64, '0')}`);
    await database.load(world.memory);
    deps = { ...planner(database.db), tables: new Set(['job', 'lease', 'node']) };
  }, 60_000);
  afterAll(() => database.close());

  test.each([
    ['select * from job where id = $1', ['0x00']],
    ['select state, count(*) from "job" group by state order by 2 desc', []],
    ['select j.id from job j join lease l on l.job = j.id where j.shards between 1 and 5', []],
    ['select id from job where requester in (select owner from node)', []],
    ['select id from job union select job from lease', []],
  ])('%s', async (sql, params) => {
    await expect(judgeSql({ sql, params }, deps)).resolves.toBeUndefined();
  });

  test.each([
    ['delete from job', 'DeleteStmt is not possible here: ask with a plain SELECT'],
    ['select 1; select 2', 'the statement cannot be read: one statement at a time'],
    ['selekt', 'the statement cannot be read: syntax error at or near "selekt"'],
    ['select pg_sleep(9)', 'the function pg_sleep is not possible here'],
    ['select pg_catalog.count(1)', 'the function pg_catalog.count is not possible here'],
    ["select repeat('x', 1000000000)", 'the function repeat is not possible here'],
    ['select 10 ^ 100000', 'the operator ^ is not possible here'],
    ["select * from job where id ~ '(a+)+$'", 'the operator ~ is not possible here'],
    ['select * from generate_series(1, 1000000000)', 'RangeFunction is not possible here: ask with a plain SELECT'],
    ['with recursive t as (select 1) select 2', 'WithClause is not possible here: ask with a plain SELECT'],
    ['select * into thief from job', 'IntoClause is not possible here: ask with a plain SELECT'],
    ['select * from job for update', 'LockingClause is not possible here: ask with a plain SELECT'],
    ['select * from pg_shadow', 'there is no table pg_shadow here'],
    ['select * from other.job', 'there is no table job here'],
    ['select * from job a, job b, job c, job d, job e', 'a statement may name 4 tables; this one names 5'],
    ['select nothing from job', 'the statement cannot be planned: column "nothing" does not exist'],
    [`select ${'1,'.repeat(2_500)}1`, 'a statement may have 4000 characters'],
  ])('%s is refused', async (sql, sentence) => {
    await expect(judgeSql({ sql, params: [] }, deps)).rejects.toThrow(
      expect.objectContaining({ message: sentence, problem: 'query-refused' }),
    );
  });

  test('a join of everything with everything is too costly', async () => {
    await expect(
      judgeSql({ sql: 'select 1 from job a, job b, job c, job d', params: [] }, deps, {
        ...SQL_LIMITS,
        cost: 100,
      }),
    ).rejects.toThrow(/^the statement is too costly \(\d+ of 100\): narrow it down, or use an index$/);
  });

  const serve = (answer: (sql: string) => Response, rows: number) => {
    const app = new Hono();
    app.onError(onError);
    const bound = { ...SQL_LIMITS, rows, live: 1 };
    app.use(
      '/sql/*',
      guardedSql(
        new Gate(),
        deps,
        async (c) => answer((superjson.parse(c.req.query('sql')!) as { sql: string }).sql),
        bound,
      ),
    );
    return (path: string) => app.request(`http://indexer${path}`);
  };
  const query = (sql: string) => `/sql/db?sql=${encodeURIComponent(superjson.stringify({ sql, params: [] }))}`;

  test('what is passed on asks for one row more than there may be, and with that many the statement is refused', async () => {
    let passed = '';
    const request = serve((sql) => {
      passed = sql;
      return Response.json({ rows: sql.includes('shards') ? [1, 2, 3] : [1, 2] });
    }, 2);
    expect((await request(query('select id from job;'))).status).toBe(200);
    expect(passed).toBe('select * from (select id from job) as "bounded" limit 3');
    const refused = await request(query('select shards from job'));
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      type: 'urn:dpu:problem:query-refused',
      detail: 'the statement has more than 2 rows: add a limit',
    });
  });

  test.each([
    ['/sql/db', 400, 'the parameter sql is missing'],
    ['/sql/db?sql=%7B', 400, 'the parameter sql must be what @ponder/client sends: superjson of { sql, params }'],
    [
      `/sql/db?sql=${encodeURIComponent('{"json":{"sql":"select $1","params":[[[{"__proto__":1}]]]}}')}`,
      400,
      'a parameter must be text, a number, a time, true, false or null, or a list of those',
    ],
    ['/sql/db?sql=%7B%22json%22%3A%7B%22sql%22%3A1%7D%7D', 400, 'sql must be text and params a list'],
    ['/sql/other', 404, 'nothing is at /sql/other'],
  ])('%s is a %i', async (path, status, detail) => {
    const response = await serve(() => Response.json({ rows: [] }), 2)(path);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ status, detail });
  });

  test('a live query more than there may be is told so; one whose reader has gone makes room', async () => {
    const never = () => new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
    const request = serve(() => new Response(never()), 2);
    const path = query('select id from job').replace('/sql/db', '/sql/live');
    const first = await request(path);
    expect(first.status).toBe(200);
    const refused = await request(path);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ type: 'urn:dpu:problem:overloaded' });
    await first.body!.cancel();
    expect((await request(path)).status).toBe(200);
  });

  test('a live query before the index is ready is told to wait', async () => {
    const request = serve(() => new Response('not until the backfill is complete', { status: 503 }), 2);
    const response = await request(query('select id from job').replace('/sql/db', '/sql/live'));
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      type: 'urn:dpu:problem:not-ready',
      detail: 'not until the backfill is complete',
    });
  });
});
