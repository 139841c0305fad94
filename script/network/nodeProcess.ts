import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { nodeSecret, people, privateKeyOf } from './people.ts';
import type { ProcessSpec } from './processTree.ts';

/** Where one node of a local network lives. */
export interface NodeSeat {
  /** The node's program, as `buildNode` made it. */
  program: string;
  /** 1 … n; decides its keys and folder. */
  index: number;
  /** The network's folder; holds `deployment.json`. */
  folder: string;
  gatewayPort: number;
  statusPort: number;
  /** Shards it runs at once. */
  slots: number;
  /** Settings beyond those, by their environment names. */
  env?: Record<string, string>;
}

/** Writes the node's key files and says how to start it: the same program that operators run, set up by environment. */
export function nodeProcess({ program, index, folder, gatewayPort, statusPort, slots, env }: NodeSeat): ProcessSpec {
  const home = join(folder, `node-${index}`);
  const keyFile = join(home, 'operator.key');
  mkdirSync(home, { recursive: true });
  writeFileSync(keyFile, `${privateKeyOf(people.operator(index))}\n`, { mode: 0o600 });
  const nodeKeyFile = join(home, 'node.key');
  writeFileSync(nodeKeyFile, `${nodeSecret(index)}\n`, { mode: 0o600 });
  return {
    name: `node ${index}`,
    file: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', program, 'start'],
    cwd: home,
    env: {
      WORKER_DEPLOYMENT: join(folder, 'deployment.json'),
      WORKER_DATA_DIR: join(home, 'data'),
      WORKER_OPERATOR_KEY_FILE: keyFile,
      WORKER_NODE_KEY_FILE: nodeKeyFile,
      WORKER_GATEWAY_PORT: String(gatewayPort),
      WORKER_ENDPOINT: `http://127.0.0.1:${gatewayPort}`,
      WORKER_STATUS_PORT: String(statusPort),
      WORKER_SLOTS: String(slots),
      WORKER_POLL_MS: '100',
      WORKER_LEASE_SECONDS: '15',
      ...env,
    },
  };
}
