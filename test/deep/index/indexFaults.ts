import { createPublicClient, http, zeroAddress, type PublicClient } from 'viem';
import { marketAbi } from '@dpu/sdk/abi';
import type { Status } from '@dpu/sdk/api';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';

import type { Addresses } from '../../../indexer/src/verify/replay.ts';
import { readIndex, verify, type Readable } from '../../../indexer/src/verify/verify.ts';
import { people, startChain, type Chain } from '../../../indexer/test/lib/chain.ts';
import { startIndexer, type Indexer } from '../../../indexer/test/lib/ponder.ts';
import { postgresBin, startPostgres, type Postgres } from '../../../indexer/test/lib/postgres.ts';
import { post, prepare } from '../../../indexer/test/lib/story.ts';
import { startFaultProxy, type FaultProxy } from '../../lib/faultProxy.ts';
import { drawsOf, planFaults, type Fault } from '../../lib/faultPlan.ts';
import { startTcpProxy, type TcpProxy } from '../../lib/tcpProxy.ts';
import { count, type Campaign, type Report } from '../stories.ts';

/** What a run is about, by turns. */
const KINDS = [
  'errors',
  'silence',
  'lag',
  'late',
  'reorg',
  'restart',
  'database',
  'all',
  'hidden logs',
  'forged logs',
] as const;
type Kind = (typeof KINDS)[number];

/** What the endpoint does wrong in a run of each kind. A kind that is not here has a good endpoint. */
const WEATHER: Partial<Record<Kind, readonly Fault[]>> = {
  ...{ errors: ['error'], silence: ['silence', 'flap'], lag: ['lag', 'stale'], late: ['reorder'] },
  all: ['error', 'silence', 'lag', 'reorder', 'flap'],
  'hidden logs': ['hide'],
  'forged logs': ['forge'],
};
/** Runs on one chain: replaying it takes longer and longer. */
const RUNS_PER_WORLD = 50;
const DEEPEST = 20;
/** On a machine that does much else an indexer takes a minute to start. */
const PATIENCE_MS = 300_000;
const STILL_MS = 60_000;

/** A market, an index of it, and everything between them that can break. */
interface World {
  chain: Chain;
  postgres: Postgres;
  rpc: FaultProxy;
  line: TcpProxy;
  env: Record<string, string>;
  indexer: Indexer;
  client: PublicClient;
  addresses: Addresses;
  /** Times that the index stood still and was started again, which in operation its supervisor does. */
  revived: number;
}

/** Runs of faults, each of which ends with the index held against a clean replay, row by row. */
export const indexFaults: Campaign = async (seed, runs) => {
  const report: Report = { done: 0, violations: [], actions: new Map() };
  const bin = postgresBin();
  if (!bin) throw new Error('this campaign needs PostgreSQL, whose connections it cuts: install it');
  for (let from = 0; from < runs; from += RUNS_PER_WORLD) {
    const world = await startWorld(bin);
    let revived = 0;
    try {
      for (let index = from; index < Math.min(runs, from + RUNS_PER_WORLD); index += 1) {
        const kind = KINDS[index % KINDS.length]!;
        const began = performance.now();
        const { wrong, isHit } = await run(world, kind, seed + index);
        report.done += 1;
        count(report.actions, kind, isHit);
        for (; revived < world.revived; revived += 1) count(report.actions, 'started again after a standstill', true);
        const took = ((performance.now() - began) / 1_000).toFixed(1);
        console.error(
          `${report.done} of ${runs}, ${kind}${isHit ? '' : ' (nothing happened)'}: ${wrong ?? 'equal'}, ${took} s`,
        );
        if (wrong) report.violations.push(`run of seed ${seed + index}, ${kind}: ${wrong}\n${world.rpc.plan}`);
      }
    } finally {
      await stopWorld(world);
    }
  }
  return report;
};

async function startWorld(bin: string): Promise<World> {
  const [chain, postgres] = await Promise.all([startChain(), startPostgres(bin)]);
  const rpc = await startFaultProxy(chain.rpcUrl, 0, []);
  const line = await startTcpProxy({ target: Number(new URL(postgres.url).port), seed: 0 });
  const env = {
    ...{ ...chain.env, PONDER_RPC_URL: rpc.url, PONDER_VERIFY_SECONDS: '1' },
    DATABASE_URL: postgres.url.replace(/:\d+\//, `:${line.port}/`),
  };
  await prepare(chain);
  await chain.token_(chain.dollar)('deployer', 'approve', [chain.market, 10n ** 18n]);
  const client = createPublicClient({ transport: http(chain.rpcUrl, { maxResponseBodySize: false }), cacheTime: 0 });
  const ask = (functionName: 'credits' | 'prover' | 'owner') =>
    client.readContract({ address: chain.market, abi: marketAbi, functionName });
  const addresses = {
    ...{ Market: chain.market, Token: chain.token, Governor: zeroAddress },
    ...{ Credits: await ask('credits'), Proofs: await ask('prover'), Timelock: await ask('owner') },
  };
  const indexer = await startIndexer(env);
  return { chain, postgres, rpc, line, env, indexer, client, addresses, revived: 0 };
}

async function stopWorld({ indexer, rpc, line, chain, postgres }: World): Promise<void> {
  await indexer.stop();
  await Promise.all([rpc.close(), line.close(), chain.stop(), postgres.stop()]);
}

/** One run. `isHit`: what it is about really happened. */
async function run(world: World, kind: Kind, seed: number): Promise<{ wrong: string | undefined; isHit: boolean }> {
  const draw = drawsOf(seed);
  const { chain, rpc, line } = world;
  const faults = WEATHER[kind];
  const hitsBefore = total(rpc.hits);
  // Lies about logs last as long as the run: a spell of calm between them would hide that they are noticed.
  const isLie = kind === 'hidden logs' || kind === 'forged logs';
  rpc.turn(
    seed,
    faults
      ? isLie
        ? [{ fault: faults[0]!, from: 0, to: 1e9, share: 0.5, depth: 1 }]
        : planFaults({ seed, spells: 12, requests: 6, faults })
      : [],
  );
  let didMore = false;
  for (let step = 0, steps = 3 + Math.floor(draw() * 4); step < steps; step += 1) {
    await act(chain, draw);
    if ((kind === 'reorg' || kind === 'all') && draw() < 0.6) {
      await chain.control.request({ method: 'anvil_reorg', params: [1 + Math.floor(draw() * DEEPEST), []] } as never);
      didMore = true;
    }
    if (kind === 'database' || (kind === 'all' && draw() < 0.2)) {
      line.cut();
      await new Promise((resolve) => setTimeout(resolve, 50 + Math.floor(draw() * 500)));
      line.mend();
      didMore = true;
    }
    if ((kind === 'restart' && step === 1) || (kind === 'all' && draw() < 0.1)) {
      await restart(world);
      didMore = true;
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  rpc.heal();
  await chain.control.mine({ blocks: 1 });
  const isHit = didMore || total(rpc.hits) > hitsBefore;
  const wrong = isLie ? await noticed(world) : await settled(world, true);
  return { wrong, isHit };
}

/** Something that changes rows. A reorganisation may have taken back what it builds on: then it does nothing. */
async function act(chain: Chain, draw: () => number): Promise<void> {
  const which = draw();
  const amount = 1n + BigInt(Math.floor(draw() * 1_000));
  const work =
    which < 0.5
      ? chain.act('deployer', 'deposit', [chain.dollar, people.stranger.address, amount])
      : which < 0.7
        ? chain.act('stranger', 'withdraw', [chain.dollar, people.owner1.address, 1n])
        : which < 0.85
          ? chain.act('operator1', 'setEndpoint', [1, `http://127.0.0.1:${amount + 1_000n}`])
          : post(chain);
  await work.catch(() => undefined);
}

async function restart(world: World): Promise<void> {
  await world.indexer.stop();
  // An endpoint in bad weather may keep it from starting: a supervisor tries again.
  for (let tries = 0; ; tries += 1) {
    try {
      world.indexer = await startIndexer(world.env);
      return;
    } catch (error) {
      if (tries === 5) throw error;
      if (tries === 2) world.rpc.heal();
    }
  }
}

/** Waits until every row equals a clean replay at the chain's head; says what differs when that does not come. */
async function settled(world: World, isHonest: boolean): Promise<string | undefined> {
  const until = performance.now() + PATIENCE_MS;
  let last = 'the index was never read';
  // As the supervisor does, only sooner: an index that does not move although the chain does is started again.
  let [stands, since] = [-1, performance.now()];
  while (performance.now() < until) {
    if (world.indexer.child.process.exitCode !== null) await restart(world);
    const head = Number(await world.chain.client.getBlockNumber());
    const at = await blockOf(world).catch((error: unknown) => String(error));
    const read = at === head ? await readAll(world.postgres.url).catch((error: unknown) => String(error)) : at;
    if (at !== stands) [stands, since] = [typeof at === 'number' ? at : -1, performance.now()];
    if (stands < head && performance.now() - since > STILL_MS) {
      console.error(`the index stands still at block ${stands} and is started again`);
      await restart(world);
      world.revived += 1;
      since = performance.now();
    }
    if (typeof read === 'string') last = read;
    else if (typeof read === 'number' || read.block < head) last = `the index is at block ${at} of ${head}`;
    else {
      const { wrong, contradicted } = await verify(read, world.client, world.addresses, world.chain.startBlock);
      const [first] = [...wrong, ...contradicted];
      if (!first) return undefined;
      last = `${first.where} is ${first.index ?? 'absent'}, but must be ${first.truth ?? 'absent'}`;
    }
    await new Promise((resolve) => setTimeout(resolve, isHonest ? 300 : 100));
  }
  return last;
}

/**
 * After lies about logs: either the index is equal to the chain, or it says itself that it is not, and is equal once it was built anew.
 */
async function noticed(world: World): Promise<string | undefined> {
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    const answer = await fetch(`${world.indexer.url}/v1/status`).catch(() => undefined);
    const status = answer?.ok ? ((await answer.json()) as Status) : undefined;
    const head = Number(await world.chain.client.getBlockNumber());
    if (status?.trusted && (status.passed?.block ?? 0) >= head) return settled(world, false);
    if (status?.trusted === false) {
      await rebuild(world);
      return settled(world, true);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return 'the watch neither found the index equal nor said that it is not';
}

async function rebuild(world: World): Promise<void> {
  await world.indexer.stop();
  const client = new pg.Client({ connectionString: world.postgres.url });
  await client.connect();
  await client.query('drop schema if exists dpu cascade; drop schema if exists ponder_sync cascade');
  await client.end();
  await restart(world);
}

/** How far the index is: a small question, before all rows are read. */
async function blockOf({ indexer }: World): Promise<number> {
  const status = (await (await fetch(`${indexer.url}/status`)).json()) as { dpu: { block: { number: number } } };
  return status.dpu.block.number;
}

async function readAll(url: string): ReturnType<typeof readIndex> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  try {
    return await drizzle(pool, { casing: 'snake_case' }).transaction(
      async (tx) => {
        await tx.execute('set local search_path = dpu');
        return readIndex(tx as unknown as Readable);
      },
      { isolationLevel: 'repeatable read', accessMode: 'read only' },
    );
  } finally {
    await pool.end();
  }
}

const total = (hits: Readonly<Record<string, number>>): number =>
  Object.values(hits).reduce((sum, one) => sum + one, 0);
