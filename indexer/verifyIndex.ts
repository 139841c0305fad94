/**
 * Proves that the index is equal to the chain: every row to a clean replay of all events, and what the contracts have views for to those,
 * at the index's newest block. `npm run verify:index` with the environment of the indexer. Exit code 1 and the columns that differ, or 0.
 *
 * PostgreSQL is read in one snapshot while the indexer runs. A PGlite folder belongs to one process, so stop the indexer first; a copy is read.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { marketAbi } from '@dpu/sdk/abi';
import { sql } from 'drizzle-orm';
import { drizzle as onPostgres } from 'drizzle-orm/node-postgres';
import { drizzle as onPglite } from 'drizzle-orm/pglite';
import pg from 'pg';
import { createPublicClient, http, zeroAddress } from 'viem';
import { address, integer, marketAddress, text } from './src/env.ts';
import type { Difference } from './src/verify/dump.ts';
import { readIndex, verify, type Readable } from './src/verify/verify.ts';

/** Differences that are printed; the rest are counted. */
const SHOWN = 20;

async function indexed(): ReturnType<typeof readIndex> {
  const schema = sql.identifier(text('DATABASE_SCHEMA', 'dpu'));
  const url = text('DATABASE_URL', '');
  if (url) {
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    const snapshot = { isolationLevel: 'repeatable read', accessMode: 'read only' } as const;
    try {
      return await onPostgres(pool, { casing: 'snake_case' }).transaction(async (tx) => {
        await tx.execute(sql`set local search_path = ${schema}`);
        return readIndex(tx as unknown as Readable);
      }, snapshot);
    } finally {
      await pool.end();
    }
  }
  const copy = mkdtempSync(join(tmpdir(), 'dpu-verify-'));
  try {
    cpSync(text('PONDER_PGLITE_DIR', '.ponder/pglite'), copy, { recursive: true });
    const client = await PGlite.create(copy);
    const db = onPglite(client, { casing: 'snake_case' });
    await db.execute(sql`set search_path = ${schema}`);
    const read = await readIndex(db as unknown as Readable);
    await client.close();
    return read;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function show(what: string, differences: readonly Difference[]): void {
  for (const { where, index, truth } of differences.slice(0, SHOWN))
    console.error(`${what}: ${where} is ${index ?? 'absent'}, but must be ${truth ?? 'absent'}`);
  if (differences.length > SHOWN) console.error(`${what}: ${differences.length - SHOWN} more`);
}

const transport = http(text('PONDER_RPC_URL', 'http://127.0.0.1:8545'), { maxResponseBodySize: false });
const client = createPublicClient({ transport });
const market = marketAddress();
const ask = (functionName: 'TOKEN' | 'credits' | 'prover' | 'owner') =>
  client.readContract({ address: market, abi: marketAbi, functionName });
const addresses = {
  Market: market,
  Token: address('PONDER_TOKEN') ?? (await ask('TOKEN')),
  Credits: address('PONDER_CREDITS') ?? (await ask('credits')),
  Governor: address('PONDER_GOVERNOR') ?? zeroAddress,
  Proofs: address('PONDER_PROOFS') ?? (await ask('prover')),
  Timelock: address('PONDER_TIMELOCK') ?? (await ask('owner')),
};
const startBlock = BigInt(integer('PONDER_START_BLOCK', 0));
const { block, replayed, viewed, wrong, contradicted } = await verify(await indexed(), client, addresses, startBlock);
show('replay', wrong);
show('contract', contradicted);
const columns = `${replayed} columns against a clean replay, ${viewed} against the contracts' views`;
if (wrong.length + contradicted.length === 0) console.log(`equal at block ${block}: ${columns}`);
else console.error(`${wrong.length + contradicted.length} differences at block ${block}: ${columns}`);
process.exitCode = wrong.length + contradicted.length === 0 ? 0 : 1;
