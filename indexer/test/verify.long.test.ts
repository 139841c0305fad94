import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startChain, type Chain } from './lib/chain.ts';
import { startIndexer, type Indexer } from './lib/ponder.ts';
import { postgresBin, startPostgres, type Postgres } from './lib/postgres.ts';
import { tell } from './lib/story.ts';

const program = fileURLToPath(new URL('../verifyIndex.ts', import.meta.url));
const bin = postgresBin();

describe.each(bin ? ['PGlite', 'PostgreSQL'] : ['PGlite'])('verify:index on %s', (kind) => {
  const folder = mkdtempSync(join(tmpdir(), 'dpu-verify-test-'));
  let chain: Chain;
  let postgres: Postgres | undefined;
  let indexer: Indexer;
  let env: Record<string, string>;

  beforeAll(async () => {
    [chain, postgres] = await Promise.all([startChain(), kind === 'PostgreSQL' ? startPostgres(bin!) : undefined]);
    env = { ...chain.env, ...(postgres ? { DATABASE_URL: postgres.url } : { PONDER_PGLITE_DIR: folder }) };
    indexer = await startIndexer(env);
    await tell(chain);
    await indexer.reach(await chain.client.getBlockNumber());
    // PostgreSQL is read while the indexer runs; a PGlite folder has one owner.
    if (!postgres) await indexer.stop();
  });

  afterAll(async () => {
    await indexer?.stop();
    await Promise.all([chain?.stop(), postgres?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  const verifyIndex = () =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      execFile(process.execPath, [program], { env: { ...process.env, ...env } }, (error, out, err) =>
        resolve({ code: error ? Number(error.code) : 0, out, err }),
      );
    });

  async function corrupt(statement: string): Promise<void> {
    const client = postgres ? new pg.Client({ connectionString: postgres.url }) : undefined;
    if (client) {
      await client.connect();
      await client.query(statement);
      await client.end();
      return;
    }
    const lite = await PGlite.create(folder);
    await lite.exec(statement);
    await lite.close();
  }

  test('the index equals a clean replay and the contracts', async () => {
    const { code, out, err } = await verifyIndex();
    expect(err).toBe('');
    expect(out).toMatch(
      /^equal at block \d+: \d{4,} columns against a clean replay, \d{2,} against the contracts' views\n$/,
    );
    expect(code).toBe(0);
  });

  test('one row that is wrong is named', async () => {
    await corrupt('set session_replication_role = replica; update dpu.node set stake = stake + 1 where id = 2');
    const { code, err } = await verifyIndex();
    expect(code).toBe(1);
    const [first, second, last] = err.trim().split('\n');
    expect(first).toMatch(/^replay: node \[2\] stake is \d+1, but must be \d+0$/);
    expect(second).toMatch(/^contract: node \[2\] stake is \d+1, but must be \d+0$/);
    expect(last).toMatch(/^2 differences at block \d+: /);
  });
});
