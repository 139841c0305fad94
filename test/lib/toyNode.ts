import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Deployment } from '@dpu/sdk/deployment';
import type { Hex } from 'viem';

import { runAgent } from '../../worker/src/agent.ts';
import { readConfig } from '../../worker/src/config.ts';
import type { Log } from '../../worker/src/log.ts';
import { compareShards } from '../../worker/src/runtimes/compareShards.ts';
import type { Runtime, ShardRequest } from '../../worker/src/runtimes/runtime.ts';
import { viemChain } from '../../worker/src/chain/viemChain.ts';

/** A whole node in this process, but for its sandbox: shards are a hash. */
export interface ToyNode {
  gatewayUrl: string;
  /** What it said, one line each. */
  readonly said: string[];
  stop(): Promise<void>;
}

/** What differs between toy nodes. */
export interface ToyWish {
  deployment: Deployment;
  /** A folder of its own. */
  folder: string;
  operatorKey: Hex;
  /** Share of others' leases that it checks. */
  checkRate: number;
  /** Share of its stake that its appeals may hold; as the configuration has it when absent. */
  appealShare?: number;
  runtime: Runtime;
}

/** What an honest node makes of a shard. */
export function toyOutput({ seed, shard }: Pick<ShardRequest, 'seed' | 'shard'>): Uint8Array {
  return createHash('sha256').update(seed).update(String(shard)).digest();
}

/** Stands for the wasm runtime; `make` says what a shard's output is. */
export function toyRuntime(make: (request: ShardRequest) => Uint8Array = toyOutput): Runtime {
  return {
    name: 'wasm',
    probe: async () => ({ available: true, isolation: 'none', detail: 'a toy' }),
    run: async (request) => ({ output: make(request), units: 1, log: '', wallMs: 1 }),
    compare: compareShards,
    close: async () => {},
  };
}

/** Starts a node and waits until it works. */
export async function startToyNode(wish: ToyWish): Promise<ToyNode> {
  const { deployment, folder, operatorKey, checkRate, appealShare, runtime } = wish;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'deployment.json');
  writeFileSync(file, JSON.stringify(deployment));
  const flags = {
    ...{ deployment: file, dataDir: join(folder, 'data'), operatorKeyFile: join(folder, 'unused') },
    ...{ gatewayPort: 0, statusPort: 0, pollMs: 100, slots: 2, leaseSeconds: 5, checkRate, logLevel: 'silent' },
    ...(appealShare === undefined ? {} : { appealShare }),
  };
  const config = readConfig({ env: {}, flags });
  const said: string[] = [];
  const say =
    (level: string) =>
    (message: string, facts: Record<string, unknown> = {}): void => {
      const words = Object.entries(facts).map(([name, value]) => `${name}=${String(value)}`);
      said.push(`${level} ${message} ${words.join(' ')}`);
    };
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  const stop = new AbortController();
  const { promise: ready, resolve } = Promise.withResolvers<string>();
  const chain = viemChain({ rpcUrl: deployment.rpcUrl, market: deployment.market, timeoutMs: 10_000 });
  const run = runAgent(
    { config, operatorKey, onReady: ({ gatewayUrl }) => resolve(gatewayUrl) },
    { chain, runtimes: [runtime], log, clockMs: () => performance.now() },
    stop.signal,
  );
  const gatewayUrl = await Promise.race([ready, run.then(() => Promise.reject(new Error(said.join('\n'))))]);
  return {
    gatewayUrl,
    said,
    async stop() {
      stop.abort();
      await run;
    },
  };
}
