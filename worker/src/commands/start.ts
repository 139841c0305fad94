import { runAgent } from '../agent.ts';
import type { NodeConfig } from '../config.ts';
import { openEndpoints } from '../endpoints/open.ts';
import { readKeyFile } from '../keyFile.ts';
import type { Log } from '../log.ts';
import { readNodeKey } from '../nodeKey.ts';
import type { Runtime } from '../runtimes/runtime.ts';

/** Runs the node until `signal` is aborted or it was drained. */
export async function start(
  config: NodeConfig,
  deps: { runtimes: readonly Runtime[]; log: Log; clockMs: () => number },
  signal: AbortSignal,
): Promise<void> {
  const operatorKey = readKeyFile(config.operatorKeyFile, config.keyPassword);
  const endpoints = openEndpoints(config, deps.log);
  const identity = await readNodeKey(config);
  await runAgent({ config, operatorKey, ...(identity ? { identity } : {}) }, { ...deps, ...endpoints }, signal);
}
