import type { Status } from '@dpu/sdk/api';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { people, startChain, type Chain } from './lib/chain.ts';
import { startIndexer, type Indexer } from './lib/ponder.ts';
import { postgresBin, startPostgres, type Postgres } from './lib/postgres.ts';
import { until } from './lib/process.ts';
import { tell } from './lib/story.ts';

const bin = postgresBin();

describe.each(bin ? ['PGlite', 'PostgreSQL'] : ['PGlite'])('a watched index on %s', (kind) => {
  let chain: Chain;
  let postgres: Postgres | undefined;
  let indexer: Indexer;
  const marks = new Set<string | null>();
  let asking: NodeJS.Timeout;

  const status = async (): Promise<Status> => {
    const answer = await fetch(`${indexer.url}/v1/status`);
    marks.add(answer.headers.get('dpu-trust'));
    return (await answer.json()) as Status;
  };
  const expectNoAlarm = () => {
    const told = indexer.child.lines.filter((line) => line.includes('The index differs from the chain'));
    expect(told).toEqual([]);
    expect([...marks].filter((mark) => !['unverified', 'trusted'].includes(mark ?? ''))).toEqual([]);
  };
  /** Waits for a pass that began after now. */
  const nextPass = async (): Promise<Status> => {
    const from = Math.ceil(Date.now() / 1_000);
    return until(
      'a pass',
      async () => {
        const now = await status();
        return (now.passed?.at ?? 0) > from && now;
      },
      20_000,
    );
  };

  beforeAll(async () => {
    [chain, postgres] = await Promise.all([startChain(), kind === 'PostgreSQL' ? startPostgres(bin!) : undefined]);
    indexer = await startIndexer({
      ...chain.env,
      // PGlite does one thing at a time: a pass each second would leave it little else.
      PONDER_VERIFY_SECONDS: postgres ? '1' : '3',
      ...(postgres ? { DATABASE_URL: postgres.url } : { PONDER_PGLITE_DIR: 'memory://' }),
    });
    asking = setInterval(() => void status().catch(() => undefined), 50);
  });
  afterAll(async () => {
    clearInterval(asking);
    await indexer?.stop();
    await Promise.all([chain?.stop(), postgres?.stop()]);
  });

  test('is never called wrong while it indexes', async () => {
    await tell(chain);
    await indexer.reach(await chain.client.getBlockNumber());
    const now = await nextPass();
    expect(now).toMatchObject({ mark: 'trusted', trusted: true, stale: false, wrongRows: 0, wrong: [] });
    expect(now.passed!.rows).toBeGreaterThan(100);
    expectNoAlarm();
  });

  test.each([1, 30])('is never called wrong in a reorganisation of %i blocks', async (depth) => {
    const { act, dollar, token_, market, control } = chain;
    await token_(dollar)('deployer', 'approve', [market, 1_000n]);
    for (let block = 0; block < depth - 1; block += 10) await control.mine({ blocks: Math.min(10, depth - 1 - block) });
    await act('deployer', 'deposit', [dollar, people.stranger.address, 5n]);
    await indexer.reach(await chain.client.getBlockNumber());
    await control.request({ method: 'anvil_reorg', params: [depth, []] } as never);
    await act('deployer', 'allowCurrency', [dollar, true]);
    await nextPass();
    const now = await nextPass();
    expect(now).toMatchObject({ mark: 'trusted', wrongRows: 0, stale: false });
    expectNoAlarm();
  });

  test('says which row was changed behind its back, on each answer, until it is mended', async () => {
    if (!postgres) return; // PGlite lets nobody else in.
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    const run = (by: string) =>
      client.query(`set session_replication_role = replica; update dpu.node set stake = stake ${by} where id = 2`);
    await run('+ 1');
    const now = await until('the alarm', async () => {
      const found = await status();
      return found.trusted === false && found;
    });
    expect(now).toMatchObject({
      ...{ mark: 'untrusted', wrongRows: 1 },
      wrong: [{ table: 'node', key: '2', kind: 'changed', columns: ['stake'] }],
    });
    expect((await fetch(`${indexer.url}/v1/nodes`)).headers.get('dpu-trust')).toBe('untrusted');
    const line = indexer.child.lines.find((one) => one.includes('The index differs from the chain'));
    expect(JSON.parse(line!)).toMatchObject({ level: 50, part: 'watch', table: 'node', key: '2', rows: 1 });
    await run('- 1');
    await client.end();
    await until('the end of the alarm', async () => (await status()).trusted);
  });

  test('serves no row after a reorganisation that is deeper than finality', async () => {
    const { act, dollar, control } = chain;
    await act('deployer', 'deposit', [dollar, people.stranger.address, 7n]);
    // Blocks that stay empty come back with the same hash: the deposit is what the chain takes back.
    await control.mine({ blocks: 80 });
    await indexer.reach(await chain.client.getBlockNumber());
    await until(
      'finality',
      async () => (await status()).finalized > Number(await chain.client.getBlockNumber()) - 70,
      20_000,
    );
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await control.request({ method: 'anvil_reorg', params: [90, []] } as never);
    const now = await until(
      'the stale mark',
      async () => {
        const found = await status();
        return found.stale && found;
      },
      20_000,
    );
    expect(now.mark).toBe('stale');
    for (const path of ['/v1/jobs', '/v1/stats', '/v1/live', '/sql/db', '/graphql']) {
      const answer = await fetch(`${indexer.url}${path}`);
      expect([path, answer.status, answer.headers.get('dpu-trust')]).toEqual([path, 503, 'stale']);
      expect(await answer.json()).toMatchObject({ type: 'urn:dpu:problem:stale' });
    }
    expect((await fetch(`${indexer.url}/v1/openapi.json`)).status).toBe(200);
  });
});
