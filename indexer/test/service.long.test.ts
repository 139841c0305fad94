import { createApi, type Status } from '@dpu/sdk/api';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backUp, restore } from '../service/backup.ts';
import { schemasOf, type Schemas } from '../service/schemas.ts';
import { Supervisor } from '../service/supervisor.ts';
import { people, startChain, type Chain } from './lib/chain.ts';
import { startServe, type Indexer } from './lib/ponder.ts';
import { postgresBin, startPostgres, type Postgres } from './lib/postgres.ts';
import { freePort, until } from './lib/process.ts';
import { prepare } from './lib/story.ts';
import { everything } from './lib/truth.ts';

const bin = postgresBin();
/** Two processes start at once here, on a machine that may be busy. */
const START_MS = 150_000;
const verifier = fileURLToPath(new URL('../verifyIndex.ts', import.meta.url));

describe.skipIf(!bin)('an index that is kept running on PostgreSQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dpu-service-'));
  const lines: string[] = [];
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  let chain: Chain;
  let postgres: Postgres;
  let schemas: Schemas;
  let supervisor: Supervisor;
  let running: Promise<number>;
  let serving: Indexer[] = [];
  let env: Record<string, string>;

  const supervise = async (isNew: boolean): Promise<Supervisor> => {
    const one = new Supervisor(
      {
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
        name: 'dpu',
        isNew,
        port: await freePort(),
      },
      { log, schemas, onLine: (line) => void lines.push(line) },
    );
    running = one.run();
    return one;
  };
  const statusOf = async (url: string) => (await (await fetch(`${url}/v1/status`)).json()) as Status;
  const isShown = (schema: string) =>
    until(`${schema} under the views`, async () => (await schemas.shown()) === schema, START_MS);
  const reached = async (url: string) => {
    const head = Number(await chain.client.getBlockNumber());
    await until(`block ${head} at ${url}`, async () => (await statusOf(url)).block >= head);
  };
  const verify = (databaseUrl: string) =>
    new Promise<string>((resolve) => {
      const all = { ...process.env, ...env, DATABASE_URL: databaseUrl };
      execFile(process.execPath, [verifier], { env: all }, (_error, out, err) => resolve(out + err));
    });

  beforeAll(
    async () => {
      [chain, postgres] = await Promise.all([startChain(), startPostgres(bin!)]);
      env = {
        ...chain.env,
        ...{ DATABASE_URL: postgres.url, DATABASE_SCHEMA: 'dpu', PONDER_POLL_MS: '100', PONDER_VERIFY_SECONDS: '1' },
      };
      schemas = schemasOf(postgres.url, 'dpu');
      await prepare(chain);
      supervisor = await supervise(false);
      await isShown('dpu_1');
      serving = await Promise.all([startServe(env, 'dpu'), startServe(env, 'dpu')]);
    },
    2 * START_MS + 60_000,
  );
  afterAll(async () => {
    await Promise.all(serving.map((one) => one.stop()));
    await supervisor?.stop();
    await schemas?.close();
    await Promise.all([chain?.stop(), postgres?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  test('is read by several processes that only serve, which say the same and the same of it', async () => {
    const urls = [supervisor.url, ...serving.map(({ url }) => url)];
    await Promise.all(urls.map(reached));
    const [first, ...others] = await Promise.all(urls.map((url) => everything(createApi(url))));
    for (const other of others) expect(other).toEqual(first);
    for (const url of urls) await until('the mark', async () => (await statusOf(url)).mark === 'trusted');
  });

  test('is replaced by a new one between two requests', async () => {
    const old = supervisor;
    const oldRunning = running;
    const [one] = serving as [Indexer];
    let asked = 0;
    const answers = new Set<number>();
    const asking = setInterval(() => {
      asked += 1;
      void fetch(`${one.url}/v1/nodes`).then(
        ({ status }) => answers.add(status),
        () => answers.add(0),
      );
    }, 20);
    supervisor = await supervise(true);
    await isShown('dpu_2');
    await chain.act('deployer', 'allowCurrency', [chain.dollar, true]);
    await reached(one.url);
    await old.stop();
    expect(await oldRunning).toBe(0);
    await reached(one.url);
    clearInterval(asking);
    const failures = serving.flatMap(({ child }) => child.lines.filter((line) => line.includes('Request failed')));
    expect(failures).toEqual([]);
    expect([...answers]).toEqual([200]);
    expect(asked).toBeGreaterThan(50);
    await until(
      'only the new schema',
      async () => (await schemas.all()).map(({ schema }) => schema).join() === 'dpu_2',
    );
    expect(await verify(postgres.url)).toMatch(/^equal at block/);
  });

  test('is rebuilt from the chain after a reorganisation deeper than finality, and no old row is served', async () => {
    const { act, dollar, token_, market, control } = chain;
    const [one] = serving as [Indexer];
    await token_(dollar)('deployer', 'approve', [market, 1_000n]);
    await act('deployer', 'deposit', [dollar, people.stranger.address, 7n]);
    await control.mine({ blocks: 80 });
    await until(
      'finality',
      async () => (await statusOf(supervisor.url)).finalized > Number(await chain.client.getBlockNumber()) - 70,
    );
    await reached(one.url);
    const held = async (): Promise<bigint | number> => {
      const answer = await fetch(`${one.url}/v1/accounts/${people.stranger.address}`);
      if (!answer.ok) return answer.status;
      const { balances } = (await answer.json()) as { balances: { currency: string; amount: string }[] };
      return BigInt(balances.find(({ currency }) => currency === dollar.toLowerCase())?.amount ?? 0);
    };
    const before = (await held()) as bigint;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await control.request({ method: 'anvil_reorg', params: [90, []] } as never);
    const seen = new Set<bigint | number>();
    await until('the stale mark', async () => {
      const found = await held();
      return found === 503;
    });
    await until(
      'the rebuilt index',
      async () => {
        seen.add(await held());
        return (await schemas.shown()) === 'dpu_3' && !seen.has(before) && (await statusOf(one.url)).mark === 'trusted';
      },
      START_MS,
    );
    expect([...seen].sort(), 'refused, then without the deposit that is gone').not.toContain(before);
    expect(await held()).toBe(before - 7n);
    expect(await verify(postgres.url)).toMatch(/^equal at block/);
  });

  test('comes back from a backup, equal to the chain', async () => {
    const file = join(folder, 'index.sql.gz');
    await backUp(postgres.url, file);
    expect(statSync(file).size).toBeGreaterThan(10_000);
    await Promise.all(serving.map((one) => one.stop()));
    serving = [];
    await supervisor.stop();
    await schemas.close();

    // Everything is lost: the cluster with all that was in it.
    await postgres.stop();
    postgres = await startPostgres(bin!);
    env['DATABASE_URL'] = postgres.url;
    schemas = schemasOf(postgres.url, 'dpu');
    await restore(postgres.url, file);
    expect(await verify(postgres.url)).toMatch(/^equal at block/);

    await chain.act('deployer', 'allowCurrency', [chain.dollar, true]);
    supervisor = await supervise(false);
    await until(
      'the indexer',
      async () => supervisor.url !== '' && (await statusOf(supervisor.url)).mark === 'trusted',
      START_MS,
    );
    await reached(supervisor.url);
    expect(await verify(postgres.url)).toMatch(/^equal at block/);
  });

  test('says why a backup cannot be written or read', async () => {
    const nowhere = postgres.url.replace(/\/postgres$/, '/missing');
    await expect(backUp(nowhere, join(folder, 'none'))).rejects.toThrow(
      /^pg_dump ended with 1: .*"missing" does not exist/,
    );
    const file = join(folder, 'again.sql.gz');
    await backUp(postgres.url, file);
    await expect(restore(postgres.url, file), 'the database is not empty').rejects.toThrow(
      /^psql ended with 3: .*already exists/,
    );
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    expect((await client.query('select count(*)::int as nodes from dpu.node')).rows).toEqual([{ nodes: 2 }]);
    await client.end();
  });
});
