import { existsSync, mkdirSync } from 'node:fs';

import { createApi } from '@dpu/sdk/api';
import type { Address } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

import type { NodeConfig } from '../config.ts';
import { messageOf, OperatorError } from '../errors.ts';
import { readKeyFile } from '../keys/keyFile.ts';
import { earningLines, type Market } from '../operator/earnings.ts';
import { bad, findingLines } from '../operator/findings.ts';
import { checkMachine, type MachineCheck } from '../operator/machineCheck.ts';
import { thisMachine } from '../resources/machine.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { viemChain } from '../chain/viemChain.ts';

/** What a check works with. */
export interface CheckDeps {
  runtimes: (config: NodeConfig) => readonly Runtime[];
  print: (line: string) => void;
  /** Unix seconds of the local clock. */
  nowSeconds: () => number;
  /** What the network pays; from the indexer when absent. */
  market?: (config: NodeConfig) => Promise<Market | undefined>;
}

/** How long the indexer may take: prices are nice to know, no more. */
const INDEXER_MS = 5_000;

/** What the indexer says of the network; undefined when it does not answer. */
export async function indexedMarket({ network }: Pick<NodeConfig, 'network'>): Promise<Market | undefined> {
  const api = createApi(network.indexerUrl);
  const signal = AbortSignal.timeout(INDEXER_MS);
  try {
    const [stats, jobs] = await Promise.all([api.stats({ signal }), api.jobs({ signal, limit: 100 })]);
    return { stats, jobs: jobs.items };
  } catch {
    return undefined;
  }
}

/** Looks at this machine and at the operator's standing. */
export async function examine(
  config: NodeConfig,
  operator: Address | undefined,
  { runtimes, nowSeconds }: CheckDeps,
): Promise<MachineCheck> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const all = runtimes(config);
  const { rpcUrl, network, rpcTimeoutMs } = config;
  const check = await checkMachine(config, operator, {
    chain: viemChain({ rpcUrl, market: network.market, timeoutMs: rpcTimeoutMs }),
    runtimes: all,
    machine: thisMachine({ withProcesses: false, withTemperature: config.maxCpuTemperature !== undefined }),
    nowSeconds,
  });
  for (const runtime of all) await runtime.close();
  return check;
}

/**
 * Checks everything that a node needs, and says what to do about what is not good.
 * @throws OperatorError when the node could not work like this.
 */
export async function check(config: NodeConfig, deps: CheckDeps): Promise<void> {
  const { print } = deps;
  let operator: Address | undefined;
  const keys = [];
  try {
    operator = existsSync(config.operatorKeyFile)
      ? privateKeyToAccount(readKeyFile(config.operatorKeyFile, config.keyPassword)).address
      : undefined;
    if (!operator)
      keys.push(bad('Key', `There is no ${config.operatorKeyFile}.`, 'Run dpu-node init, or dpu-node key restore.'));
  } catch (error) {
    keys.push(bad('Key', messageOf(error), 'Do what it says, then check again.'));
  }
  const { findings, working } = await examine(config, operator, deps);
  const all = [...keys, ...findings];
  for (const line of findingLines(all)) print(line);
  const market = await (deps.market ?? indexedMarket)(config);
  for (const line of earningLines(market, working, {}, config.network.currencies)) print(`     ${line}`);
  const count = all.filter(({ state }) => state === 'bad').length;
  if (count > 0)
    throw new OperatorError(`${count} of ${all.length} findings keep the node from working: see BAD above.`);
}
