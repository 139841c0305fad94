import { runAgent } from '../agent.ts';
import type { NodeConfig } from '../config.ts';
import { openEndpoints } from '../endpoints/open.ts';
import { readKeyFile } from '../keys/keyFile.ts';
import type { Log } from '../log.ts';
import { readNodeKey } from '../keys/nodeKey.ts';
import type { Runtime } from '../runtimes/runtime.ts';

/** What the node is started with. */
export interface StartDeps {
  runtimes: readonly Runtime[];
  log: Log;
  clockMs: () => number;
  /** Has `drain` called when the system asks for it. */
  onDrainSignal?: (drain: () => void) => void;
}

/** Runs the node until `signal` is aborted or it was drained. */
export async function start(
  config: NodeConfig,
  { onDrainSignal, ...deps }: StartDeps,
  signal: AbortSignal,
): Promise<void> {
  const operatorKey = readKeyFile(config.operatorKeyFile, config.keyPassword);
  const endpoints = openEndpoints(config, deps.log);
  const identity = await readNodeKey(config);
  await runAgent(
    {
      config,
      operatorKey,
      ...(identity ? { identity } : {}),
      onReady: ({ control }) => onDrainSignal?.(() => control.drain()),
    },
    { ...deps, ...endpoints },
    signal,
  );
}
