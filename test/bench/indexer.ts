/**
 * How fast the index is built, how soon a mined event is visible, and what the API answers at 100,000 jobs under a fixed load while it indexes, then under ten
 * times that. The floor of the backfill is the plainest program that fetches, decodes and inserts the same logs in the same run. `--json` prints JSON,
 * `--full` lasts ten minutes, `--jobs` and `--seconds` set sizes, `--only load` leaves PGlite and the latency out.
 */
import { parseArgs } from 'node:util';
import type { WriteName } from '@dpu/sdk/calls';
import { createApi } from '@dpu/sdk/api';
import { zeroHash } from 'viem';

import { people, startChain, type Chain } from '../../indexer/test/lib/chain.ts';
import { startIndexer, type Indexer } from '../../indexer/test/lib/ponder.ts';
import { postgresBin, startPostgres } from '../../indexer/test/lib/postgres.ts';
import { until } from '../../indexer/test/lib/process.ts';
import { post, prepare } from '../../indexer/test/lib/story.ts';
import { judge, report, type BenchResult } from '../../script/bench/lib/report.ts';
import { measureFloor } from './index/floor.ts';
import { openLoop, quantile, type Shot } from './index/openLoop.ts';
import { fillTables, jobIdOf } from './index/rows.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean' },
    full: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '100000' },
    seconds: { type: 'string' },
    events: { type: 'string', default: '5000' },
    only: { type: 'string' },
  },
});
const JOBS = Number(options.jobs);
const SECONDS = Number(options.seconds ?? (options.full ? 600 : 30));
const EVENTS = Number(options.events);
const PER_SECOND = 500;
const OVERLOAD_SECONDS = Math.min(10, SECONDS);
/** Jobs of one transaction. */
const BATCH = 50;
const LATENCIES = 40;
const SEED = 1;
/** Most milliseconds of 99 in 100 answers; most seconds until nobody is refused after an overload. */
const TARGETS = { p99: 100, recovery: 10 };
/** Beyond this something hangs: it ends with what it has. */
const LONG_MS = 3_600_000;

const results: BenchResult[] = [];
/** A run lasts long: each number is told as soon as it is there. */
const add = (...given: Parameters<typeof judge>): void => {
  const [{ name, value, unit }] = given;
  console.error(`${name}: ${value.toFixed(2)} ${unit}`);
  results.push(judge(...given));
};

/** Jobs enough for `EVENTS` events, and blocks enough that they are final: a backfill takes only what is. */
async function fillChain(chain: Chain): Promise<void> {
  await prepare(chain);
  const terms = await post(chain);
  for (let made = 0; made < EVENTS; made += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, at) => ({
      ...terms,
      minPrice: 1n,
      maxPrice: 3n,
      afterJob: zeroHash,
      salt: 1_000_000n + BigInt(made + at),
    }));
    await chain.act('requester', 'postBatch' as WriteName, [batch]);
  }
  await chain.control.mine({ blocks: 100 });
}

/** Events per second of a backfill into an empty database, against the floor. */
async function backfill(name: string, chain: Chain, env: Record<string, string>, url?: string): Promise<Indexer> {
  const floor = await measureFloor(chain.rpcUrl, chain.market, url);
  const indexer = await startIndexer({ ...chain.env, ...env });
  const line = await indexer.child.line((one) => one.includes('Completed backfill indexing'));
  const { duration } = JSON.parse(line) as { duration: number };
  const value = floor.events / (duration / 1_000);
  add({
    name: `backfill on ${name}, ${floor.events} events`,
    value,
    unit: 'events/s',
    baseline: floor.events / (floor.fetchSeconds + floor.insertSeconds),
  });
  return indexer;
}

/** Milliseconds from a receipt to the row in an answer. */
async function latency(name: string, chain: Chain, indexer: Indexer): Promise<void> {
  await indexer.reach(await chain.client.getBlockNumber());
  const api = createApi(indexer.url);
  const held = async () =>
    (await api.account(people.stranger.address)).balances.find(
      ({ currency }) => currency === chain.dollar.toLowerCase(),
    )?.amount ?? 0n;
  await chain.token_(chain.dollar)('deployer', 'approve', [chain.market, 10n ** 18n]);
  const values: number[] = [];
  for (let turn = 0; turn < LATENCIES; turn += 1) {
    const target = (await held()) + 1n;
    await chain.act('deployer', 'deposit', [chain.dollar, people.stranger.address, 1n]);
    const mined = performance.now();
    await until('the row', async () => (await held()) === target);
    values.push(performance.now() - mined);
  }
  values.sort((a, b) => a - b);
  for (const [of, share] of [
    ['median', 0.5],
    ['p95', 0.95],
  ] as const)
    add({ name: `mined to visible on ${name}, ${of} of ${LATENCIES}`, value: quantile(values, share), unit: 'ms' });
}

/** What a page of the dApp asks, a list, the statistics, and a quote. */
function shotsOf(chain: Chain): Shot[] {
  let turn = 0;
  const number = () => (turn = (turn + 7_919) % JOBS);
  const quote = {
    runtime: 1,
    currency: chain.dollar,
    minPrice: '1000',
    maxPrice: '3000',
    ramp: 600,
    bond: '10000000000000000000',
    shards: 4,
    maxLease: 2,
    openFor: 3_600,
    exec: 30,
    window: 10,
  };
  return [
    { name: 'a job', path: () => `/v1/jobs/${jobIdOf(SEED, number())}` },
    { name: 'a page of 50', path: () => `/v1/jobs?limit=50&state=${number() % 2 ? 'complete' : 'open'}` },
    { name: 'statistics', path: () => '/v1/stats' },
    { name: 'a quote', method: 'POST', path: () => '/v1/quote', body: () => JSON.stringify(quote) },
  ];
}

/** The API on PostgreSQL at `JOBS` jobs. */
async function underLoad(chain: Chain, indexer: Indexer, env: Record<string, string>): Promise<Indexer> {
  await indexer.stop();
  const head = await chain.client.getBlock();
  const before = { block: Number(head.number), timestamp: Number(head.timestamp) - 1_000_000 };
  await fillTables(env['DATABASE_URL']!, 'dpu', SEED, {
    jobs: JOBS,
    currency: chain.dollar.toLowerCase() as `0x${string}`,
    before,
    chainId: 31_337,
  });
  // What was made is not on the chain: the watch would say so.
  const started = await startIndexer({ ...chain.env, ...env, PONDER_VERIFY_SECONDS: '0', PONDER_API_RATE: '5000' });
  await started.reach(head.number);
  const shots = shotsOf(chain);
  await openLoop(started.url, shots, 50, 3);
  const stop = new AbortController();
  const indexing = (async () => {
    let blocks = 0;
    for (; !stop.signal.aborted; blocks += 1) {
      await chain.act('deployer', 'deposit', [chain.dollar, people.stranger.address, 1n]);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return blocks;
  })();
  const load = await openLoop(started.url, shots, PER_SECOND, SECONDS);
  for (const [name, of] of load.latencies) {
    add({
      name: `${name} at ${PER_SECOND}/s for ${SECONDS} s, ${JOBS} jobs, median`,
      value: quantile(of, 0.5),
      unit: 'ms',
    });
    add({
      name: `${name} at ${PER_SECOND}/s for ${SECONDS} s, ${JOBS} jobs, p99`,
      value: quantile(of, 0.99),
      unit: 'ms',
      target: TARGETS.p99,
      better: 'lower',
    });
  }
  add({
    name: 'answers 5xx or none at that load',
    value: refused(load.statuses, (status) => status === 0 || status >= 500),
    unit: 'answers',
    target: 0,
    better: 'lower',
  });

  const flood = await openLoop(started.url, shots, 10 * PER_SECOND, OVERLOAD_SECONDS);
  const after = await openLoop(started.url, shots, PER_SECOND, 15);
  add({
    name: `refused with 429 or 503 at ${10 * PER_SECOND}/s`,
    value: refused(flood.statuses, (status) => status === 429 || status === 503),
    unit: 'answers',
  });
  add({
    name: 'other failures at that load',
    value: refused(flood.statuses, (status) => status === 0 || (status >= 500 && status !== 503)),
    unit: 'answers',
    target: 0,
    better: 'lower',
  });
  add({
    name: 'from its end to the last refusal',
    value: after.lastRefusal / 1_000,
    unit: 's',
    target: TARGETS.recovery,
    better: 'lower',
  });
  stop.abort();
  add({ name: 'blocks indexed meanwhile', value: await indexing, unit: 'blocks' });
  return started;
}

const refused = (statuses: ReadonlyMap<number, number>, is: (status: number) => boolean): number =>
  [...statuses].reduce((sum, [status, times]) => sum + (is(status) ? times : 0), 0);

const bin = postgresBin();
const [chain, postgres] = await Promise.all([startChain(), bin ? startPostgres(bin) : undefined]);
let running: Indexer | undefined;
const deadline = setTimeout(
  () => {
    console.error('It takes too long; these are the numbers so far.');
    report('Indexer, unfinished', results);
    process.exit(1);
  },
  LONG_MS + 2 * SECONDS * 1_000,
);
try {
  await fillChain(chain);
  if (options.only !== 'load') {
    running = await backfill('PGlite', chain, { PONDER_PGLITE_DIR: 'memory://' });
    await latency('PGlite', chain, running);
    await running.stop();
  }
  if (postgres) {
    const env = { DATABASE_URL: postgres.url };
    running = await backfill('PostgreSQL', chain, env, postgres.url);
    if (options.only !== 'load') await latency('PostgreSQL', chain, running);
    else await chain.token_(chain.dollar)('deployer', 'approve', [chain.market, 10n ** 18n]);
    running = await underLoad(chain, running, env);
  } else console.error('No PostgreSQL in /usr/lib/postgresql: the API under load is not measured.');
  report('Indexer; the baseline of a backfill is a plain log fetch with a bulk insert', results);
} finally {
  clearTimeout(deadline);
  await running?.stop();
  await Promise.all([chain.stop(), postgres?.stop()]);
}
