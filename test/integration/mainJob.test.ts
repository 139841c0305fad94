import { createApi, type ApiLease } from '@dpu/sdk/api';
import type { HistoryLease, JobHistory } from '@dpu/sdk/history';
import { downloadJob } from '@dpu/sdk/results';
import { diskAsset } from '@dpu/sdk/templates/diskAssets';
import { zeroHash, type Hex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { followJob } from '../../script/network/followJob.ts';
import { startNetwork, type Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { postTemplate, type PostedJobs } from '../../script/network/postJob.ts';
import { runModule } from '../../sdk/modules/wasiHost.ts';
import { expectEvenBooks, readMarket, tokensOf } from '../lib/books.ts';
import { until } from '../lib/until.ts';

const GRID = { width: 64, height: 36, tileWidth: 16, tileHeight: 12 };
const OPTIONS = { ...GRID, samples: 1, bounces: 5, seed: 1 };
const SHARDS = 12;
const FEE_BPS = 300n;

let network: Network;
let posted: PostedJobs;
let histories: JobHistory[];
/** What the nodes printed. */
const said: string[] = [];
/** What people had in the Market, and the requester's tokens, before the post. */
let before: { owners: bigint[]; requester: bigint; tokens: bigint };

const owners = [1, 2, 3].map((node) => people.owner(node).address);

async function holdings(): Promise<typeof before> {
  const market = readMarket(network);
  const { token } = network.deployment;
  return {
    owners: await Promise.all(owners.map((owner) => market.balanceOf(token, owner))),
    requester: await market.balanceOf(token, people.requester.address),
    tokens: await tokensOf(network, token, people.requester.address),
  };
}

beforeAll(async () => {
  network = await startNetwork({
    name: 'test-main-job',
    runtimes: ['wasm'],
    nodes: 3,
    without: ['app'],
    blockSeconds: 1,
    onLine: (name, line) => {
      if (name.startsWith('node')) said.push(`${name} ${line}`);
    },
  });
  before = await holdings();
  posted = await postTemplate(network, network.storage, {
    template: 'render',
    options: OPTIONS,
    requester: people.requester,
    ramp: 30,
    window: 2,
  });
  histories = [];
  for (const id of posted.ids) {
    const done = followJob(network, id, { timeoutMs: 160_000 });
    // Without the nodes' own words nobody could say what held the job up.
    histories.push(
      await done.catch((cause: unknown) => Promise.reject(new Error(said.slice(-60).join('\n'), { cause }))),
    );
  }
}, 600_000);
afterAll(() => network?.stop());

test('the image that comes back is, byte for byte, what the same modules give on this machine', async () => {
  const last = histories[1] as JobHistory;
  const parts: Uint8Array[] = [];
  for await (const { bytes } of downloadJob(last, network.storage)) parts.push(bytes);

  const image = Buffer.concat(parts);
  expect(image.subarray(1, 4).toString()).toBe('PNG');
  expect(Buffer.compare(image, await renderHere()), 'the two images').toBe(0);
});

test('every shard was paid once, and each owner has exactly the price less the fee', async () => {
  const leases = histories.flatMap((history) => history.leases);
  expect(
    histories.map(({ leases: held }) =>
      held.flatMap(({ lease }) => Array.from({ length: lease.count }, (_, at) => lease.first + at)),
    ),
    'the shards of all leases, in order',
  ).toEqual([Array.from({ length: SHARDS }, (_, shard) => shard), [0]]);

  const earned = owners.map(() => 0n);
  for (const { lease, payment } of leases) {
    const gross = lease.price * BigInt(lease.count);
    const fee = (gross * FEE_BPS) / 10_000n;
    expect(payment).toMatchObject({ paid: gross - fee, fee, bonus: 0n, accepted: false });
    const index = network.nodes.findIndex(({ id }) => id === lease.node);
    earned[index] = (earned[index] ?? 0n) + gross - fee;
  }
  const after = await holdings();
  expect(after.owners.map((balance, index) => balance - (before.owners[index] ?? 0n))).toEqual(earned);
});

test('the requester has back exactly what the shards did not cost, and every unit is accounted for', async () => {
  const escrow = histories.reduce((sum, history) => sum + history.escrow, 0n);
  const cost = histories
    .flatMap(({ leases }) => leases)
    .reduce((sum, { lease }) => sum + lease.price * BigInt(lease.count), 0n);
  const after = await holdings();

  expect(before.tokens - after.tokens, 'what the wallet paid in').toBe(escrow);
  expect(after.requester - before.requester, 'what came back').toBe(escrow - cost);
  await expectEvenBooks(network);
});

test('the indexer tells the same story as the chain', async () => {
  const api = createApi(network.deployment.indexerUrl);
  for (const [index, id] of posted.ids.entries()) {
    const history = histories[index] as JobHistory;
    const job = await until(network, `job ${id} in the indexer`, async () => {
      const answer = await api.job(id);
      return answer?.state === 'complete' ? answer : undefined;
    });
    const payments = history.leases.map(({ payment }) => payment);
    expect(job).toMatchObject({
      id,
      shards: history.terms.shards,
      claimed: history.terms.shards,
      settled: history.terms.shards,
      postedAt: history.postedAt,
      postedBlock: history.postedBlock,
      closedAt: history.closedAt,
      refunded: history.refunded,
      paid: payments.reduce((sum, payment) => sum + (payment?.paid ?? 0n), 0n),
      fee: payments.reduce((sum, payment) => sum + (payment?.fee ?? 0n), 0n),
      transaction: posted.transaction,
      afterJob: index === 0 ? null : posted.ids[0],
    });
    expect(job.terms).toEqual(lowered(history.terms));
    const told = job.leases.toSorted((a, b) => a.first - b.first);
    expect(told.map(({ source: _, ...lease }) => lease)).toEqual(history.leases.map((held) => asApi(id, held)));
    for (const { source } of told) expect(source?.block).toBeLessThanOrEqual(job.source?.block ?? 0);
  }
});

/** The render as one program, with the modules and the scene that the template ships. */
async function renderHere(): Promise<Uint8Array> {
  const scene = new Map<string, Uint8Array>();
  for (const name of ['scene.obj', 'scene.mtl']) scene.set(name, await diskAsset(name));
  const compile = async (name: string): Promise<WebAssembly.Module> =>
    new WebAssembly.Module(Uint8Array.from(await diskAsset(name)));
  const grid = [GRID.width, GRID.height, GRID.tileWidth, GRID.tileHeight];
  const settings = [OPTIONS.samples, OPTIONS.bounces, OPTIONS.seed, 'ground'];
  const tracer = await compile('pathtracer.wasm');
  const tiles = new Map<string, Uint8Array>();
  for (let shard = 0; shard < SHARDS; shard += 1) {
    const { exitCode, stdout, stderr } = await runModule(tracer, {
      args: [shard, SHARDS, ...grid, ...settings].map(String),
      files: scene,
    });
    expect(exitCode, stderr).toBe(0);
    tiles.set(`tiles/${shard}`, stdout);
  }
  const whole = await runModule(await compile('assemble.wasm'), {
    args: ['0', '1', ...grid.map(String)],
    files: tiles,
  });
  expect(whole.exitCode, whole.stderr).toBe(0);
  return whole.stdout;
}

/** A lease of the chain's history, as the API words it. */
function asApi(job: Hex, held: HistoryLease): ApiLease {
  const { lease, result, payment, transactions } = held;
  return {
    job,
    first: lease.first,
    count: lease.count,
    node: lease.node,
    price: lease.price,
    bond: held.bond,
    bonus: 0n,
    deadline: lease.deadline,
    phase: held.state,
    claimedAt: held.claimedAt ?? 0,
    committedAt: held.committedAt ?? null,
    committedBlock: lease.committedBlock || null,
    commitment: lease.commitment === zeroHash ? null : lease.commitment,
    revealedAt: held.revealedAt ?? null,
    windowEnd: held.windowEnd ?? null,
    root: result?.root ?? null,
    units: result?.units ?? null,
    manifest: result?.manifest ?? null,
    settledAt: held.settledAt ?? null,
    lapsedAt: null,
    paid: payment?.paid ?? 0n,
    fee: payment?.fee ?? 0n,
    accepted: payment?.accepted ?? false,
    lapses: 0,
    transactions: {
      claim: transactions.claim ?? null,
      commit: transactions.commit ?? null,
      reveal: transactions.reveal ?? null,
      settle: transactions.settle ?? null,
      lapse: null,
    },
  } as ApiLease;
}

/** Addresses as the API writes them. */
function lowered<T extends object>(value: T): T {
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, typeof item === 'string' ? item.toLowerCase() : item]),
  ) as T;
}
