import { Hono } from 'hono';
import superjson from 'superjson';
import { describe, expect, test } from 'vitest';
import { Gate } from '../src/api/gate.ts';
import { guardedGraphql } from '../src/api/graphql.ts';
import { patiently } from '../src/api/patience.ts';
import { onError } from '../src/api/problem.ts';
import { guardedSql } from '../src/api/sql.ts';

const failure = (message: string, code?: string) => Object.assign(new Error(message), { code });
const LOCK = failure('canceling statement due to lock timeout', '55P03');

/** A read that fails so often before it answers; how often it was asked. */
function failing(error: Error, times: number) {
  const read = { tries: 0, ask: async () => ((read.tries += 1) <= times ? Promise.reject(error) : 'answered') };
  return read;
}

describe('a read while the views are moved', () => {
  test.each([
    ['a lock that did not come', LOCK],
    ['a ring of waits', failure('deadlock detected', '40P01')],
    ['a view between two others', failure('relation "node" does not exist', '42P01')],
    ['a table that was looked up before it went', failure('could not open relation with OID 16412', 'XX000')],
    ['a rule that was looked up before it went', failure('cache lookup failed for relation 16412', 'XX000')],
    ['the same as a cause', new Error('Failed query', { cause: failure('deadlock detected', '40P01') })],
    ['the same without its code', failure('canceling statement due to lock timeout')],
  ])('is tried again after %s, seven times', async (_, error) => {
    const read = failing(error, 7);
    await expect(patiently(read.ask, 0)).resolves.toBe('answered');
    expect(read.tries).toBe(8);
    await expect(patiently(failing(error, 8).ask, 0)).rejects.toMatchObject({ problem: 'not-ready' });
  });

  test.each([
    ['what is wrong with the statement', failure('column "x" does not exist', '42703')],
    ['what is wrong inside the database', failure('invalid memory alloc request size 18446744073709551613', 'XX000')],
    ['what has no code', failure('password is 1234')],
  ])('is not tried again after %s', async (_, error) => {
    const read = failing(error, 1);
    await expect(patiently(read.ask, 0)).rejects.toBe(error);
    expect(read.tries).toBe(1);
  });

  test('is tried again where Ponder passes on only what the database says, in GraphQL', async () => {
    const read = failing(LOCK, 2);
    const app = new Hono();
    app.use(
      '/graphql',
      guardedGraphql(new Gate(), async (c) => answer(await c.req.json())),
    );
    const answer = async (asked: unknown) =>
      read.ask().then(
        () => Response.json({ data: { asked } }),
        (error: Error) => Response.json({ data: null, errors: [{ message: error.message }] }),
      );
    const body = JSON.stringify({ query: '{ job(id: "0x1") { id } }' });
    const answered = await app.request('/graphql', { method: 'POST', body });
    expect([answered.status, await answered.json(), read.tries]).toEqual([
      200,
      { data: { asked: JSON.parse(body) } },
      3,
    ]);
  });

  test('is tried again where Ponder passes on only what the database says, in SQL', async () => {
    const [planned, read] = [failing(LOCK, 1), failing(LOCK, 2)];
    const deps = {
      parse: () => Promise.resolve({ SelectStmt: {} }),
      cost: () => planned.ask().then(() => 1),
      tables: new Set<string>(),
    };
    const app = new Hono();
    app.onError(onError);
    app.use(
      '/sql/*',
      guardedSql(new Gate(), deps, async () =>
        read.ask().then(
          () => Response.json({ rows: [] }),
          (error: Error) => new Response(error.message, { status: 500 }),
        ),
      ),
    );
    const sql = encodeURIComponent(superjson.stringify({ sql: 'select 1', params: [] }));
    const answered = await app.request(`/sql/db?sql=${sql}`);
    expect([answered.status, await answered.json(), planned.tries, read.tries]).toEqual([200, { rows: [] }, 2, 3]);
  });
});
