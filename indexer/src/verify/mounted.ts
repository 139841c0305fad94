import pg from 'pg';
import { createPublicClient, http, type PublicClient } from 'viem';
import { integer, text } from '../env.ts';
import { createLog } from '../log.ts';
import { UNKNOWN, type Condition } from './condition.ts';
import { indexReader, type Driver } from './indexReader.ts';
import { addressesOf } from './addresses.ts';
import { SharedCondition, type Pool } from './shared.ts';
import { threadedShadow } from './shadowPort.ts';
import { Watch, WATCH, type Header } from './watch.ts';

/** What Ponder keeps for itself; none of it is public. */
interface Ponder {
  PONDER_DATABASE?: { driver?: Driver };
  PONDER_NAMESPACE_BUILD?: { schema: string };
  PONDER_COMMON?: { options?: { command?: string } };
}

/** `ponder dev` runs the API's files again after each change: what the earlier ones began must end first. */
const scope = globalThis as typeof globalThis & Ponder & { dpuIndexerWatch?: { close(): Promise<void> } };

/**
 * The condition of this process's index: watched here when it indexes, read from the database when it only serves.
 * `PONDER_VERIFY_SECONDS=0` turns it off: then nothing is ever known.
 */
export async function mountedWatch(): Promise<() => Condition> {
  await scope.dpuIndexerWatch?.close();
  delete scope.dpuIndexerWatch;
  const seconds = integer('PONDER_VERIFY_SECONDS', WATCH.everyMs / 1_000);
  const { driver } = scope.PONDER_DATABASE ?? {};
  if (seconds === 0 || !driver) return () => UNKNOWN;

  const log = createLog('watch');
  const url = text('DATABASE_URL', '');
  const pool = (): Pool => {
    const one = new pg.Pool({ connectionString: url, max: 1 });
    // Ponder ends on every error that nobody catches; the next question tells of this one.
    one.on('error', () => undefined);
    return one;
  };
  const shared = url
    ? new SharedCondition(scope.PONDER_NAMESPACE_BUILD?.schema ?? 'public', { pool: pool(), log, now: Date.now })
    : undefined;
  if (scope.PONDER_COMMON?.options?.command === 'serve' && shared) {
    shared.follow();
    scope.dpuIndexerWatch = shared;
    return () => shared.condition;
  }

  const rpcUrl = text('PONDER_RPC_URL', 'http://127.0.0.1:8545');
  const client = createPublicClient({ transport: http(rpcUrl), cacheTime: 0 });
  const addresses = await addressesOf(client);
  const startBlock = BigInt(integer('PONDER_START_BLOCK', 0));
  const options = {
    ...WATCH,
    everyMs: seconds * 1_000,
    rowsPerPass: integer('PONDER_VERIFY_ROWS', driver.instance ? 100_000 : WATCH.rowsPerPass),
  };
  const watch = new Watch(options, {
    index: indexReader(driver),
    shadow: (depth) => threadedShadow({ addresses, startBlock, depth, rpcUrl }),
    header: (number) => headerOf(client, number),
    log,
    now: Date.now,
  });
  watch.start();
  shared?.tell(() => watch.condition);
  scope.dpuIndexerWatch = {
    close: async () => void (await Promise.all([watch.close(), shared?.close()])),
  };
  return () => watch.condition;
}

/** A block, by its number or the newest, past every cache. */
export async function headerOf(client: PublicClient, number?: number): Promise<Header | undefined> {
  const tag = number === undefined ? 'latest' : (`0x${number.toString(16)}` as const);
  const found = await client.request({ method: 'eth_getBlockByNumber', params: [tag, false] }, { dedupe: false });
  if (!found?.hash || !found.number) return undefined;
  return { number: Number(found.number), hash: found.hash, timestamp: Number(found.timestamp) };
}
