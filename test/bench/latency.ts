/**
 * How long a node hesitates, and how long the indexer is behind, on a local network whose jobs take no time to compute. A claim
 * cannot be sent before the block after the post is mined, whose hash seeds the draw: it is measured from there, from the moment
 * at which the node asked for the head that made it possible. `--json` prints JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { marketAbi } from '@dpu/sdk/abi';
import { createApi } from '@dpu/sdk/api';
import type { Hex } from 'viem';

import { judge, report, type BenchResult } from '../../script/bench/lib/report.ts';
import { startNetwork, type Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { honestModule } from '../lib/badModules.ts';
import { fundRequester } from '../lib/books.ts';
import { marketOf, mined } from '../lib/market.ts';
import { statusOf } from '../lib/nodeRun.ts';
import { DPU, storeSpec, testTerms, type TestJob } from '../lib/wasmJob.ts';

const NODES = 3;
/** Three jobs each: more than thirty measurements of every kind. */
const ROUNDS = 12;
const LEAST = 30;
const POLL_MS = 10;
/** Nobody waits longer for one round. */
const ROUND_MS = 120_000;

/** The value below which `share` of the sorted values lie. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Milliseconds of plain requests to the chain's RPC, one after the other. */
async function roundTrips({ local }: Network): Promise<number[]> {
  const values: number[] = [];
  for (let turn = 0; turn < LEAST; turn += 1) {
    const from = performance.now();
    await local.publicClient.request({ method: 'eth_blockNumber' }, { retryCount: 0, dedupe: false });
    values.push(performance.now() - from);
  }
  return values;
}

/** As many jobs as there are nodes, posted in one transaction. */
async function postRound(network: Network, spec: Hex): Promise<TestJob[]> {
  const jobs = await Promise.all(network.nodes.map(() => testTerms(network, spec, { window: 0, exec: 120 })));
  const market = marketOf(network, people.requester);
  await mined(network, await market.postBatch(jobs.map(({ terms }) => terms)));
  return jobs;
}

/** Milliseconds from when the chain showed each reveal to when the API did. */
async function apiDelays(network: Network, jobs: readonly TestJob[], fromBlock: bigint): Promise<number[]> {
  const { local, deployment } = network;
  const api = createApi(deployment.indexerUrl);
  const onChain = new Map<string, number>();
  const inApi = new Map<string, number>();
  const wanted = new Set(jobs.map(({ id }) => id));
  const until = performance.now() + ROUND_MS;
  const watchChain = async (): Promise<void> => {
    while (onChain.size < wanted.size && performance.now() < until) {
      const logs = await local.publicClient.getContractEvents({
        address: deployment.market,
        abi: marketAbi,
        eventName: 'LeaseRevealed',
        fromBlock,
        strict: true,
      });
      const seen = performance.now();
      for (const { args } of logs) if (wanted.has(args.id) && !onChain.has(args.id)) onChain.set(args.id, seen);
      await sleep(POLL_MS);
    }
  };
  const watchApi = async (id: Hex): Promise<void> => {
    while (!inApi.has(id) && performance.now() < until) {
      const phase = (await api.job(id))?.leases[0]?.phase;
      if (phase === 'revealed' || phase === 'settled') inApi.set(id, performance.now());
      else await sleep(POLL_MS);
    }
  };
  await Promise.all([watchChain(), ...jobs.map(({ id }) => watchApi(id))]);
  return [...inApi].map(([id, at]) => Math.max(0, at - (onChain.get(id) ?? at)));
}

/** Seconds between blocks, from the chain's own clock. */
async function blockSeconds({ local }: Network, from: bigint): Promise<number> {
  const [first, last] = await Promise.all([
    local.publicClient.getBlock({ blockNumber: from }),
    local.publicClient.getBlock(),
  ]);
  return Number(last.timestamp - first.timestamp) / Number(last.number - first.number);
}

async function measure(network: Network): Promise<BenchResult[]> {
  await fundRequester(network, 100n * DPU);
  const spec = await storeSpec(network, honestModule());
  const from = await network.local.publicClient.getBlockNumber();
  const trips = await roundTrips(network);
  const visible: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const jobs = await postRound(network, spec);
    visible.push(...(await apiDelays(network, jobs, from)));
  }
  trips.push(...(await roundTrips(network)));
  const timings = (await Promise.all(network.nodes.map(statusOf))).map((status) => status?.timings ?? {});
  const all = (step: string): number[] => timings.flatMap((of) => of[step] ?? []);

  const floor = quantile(trips, 0.5);
  const rows = (name: string, values: readonly number[]): BenchResult[] => {
    if (values.length < LEAST) throw new Error(`${name}: ${values.length} measurements, at least ${LEAST} are needed`);
    const of = `${values.length} times`;
    return [
      judge({ name: `${name}, median of ${of}`, value: quantile(values, 0.5), unit: 'ms', baseline: floor }),
      judge({ name: `${name}, p95 of ${of}`, value: quantile(values, 0.95), unit: 'ms', baseline: floor }),
    ];
  };
  return [
    ...rows('claimable to claim sent', all('claim')),
    ...rows('result ready to commit sent', all('commit')),
    ...rows('reveal possible to reveal sent', all('reveal')),
    ...rows('reveal mined to visible in the API', visible),
    judge({ name: 'floor: RPC round trip, median', value: floor, unit: 'ms' }),
    judge({ name: 'floor: RPC round trip, p95', value: quantile(trips, 0.95), unit: 'ms' }),
    judge({ name: 'floor: block time', value: (await blockSeconds(network, from)) * 1_000, unit: 'ms' }),
  ];
}

const network = await startNetwork({ name: 'bench-latency', nodes: NODES, without: ['app'], blockSeconds: 1 });
try {
  report('Latencies of nodes and indexer; the baseline is a plain RPC round trip', await measure(network));
} finally {
  await network.stop();
}
