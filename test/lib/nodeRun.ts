import { spawn } from 'node:child_process';

import type { Network } from '../../script/network/network.ts';
import { nodeProcess } from '../../script/network/nodeProcess.ts';
import type { ShownDecline } from '../../worker/src/planning/declines.ts';
import type { NodeStatus } from '../../worker/src/operator/status.ts';

/** A node that a test starts by itself, to see how it ends. */
export interface NodeRun {
  /** Everything it printed so far. */
  readonly output: string;
  readonly statusUrl: string;
  /** The exit status, once it has ended. */
  readonly exited: Promise<number | null>;
  stop(): Promise<void>;
}

/** Where the node listens, and what differs from a node of the network. */
export interface NodeWish {
  /** 1 … 3: whose keys and data it has. */
  index: number;
  gatewayPort: number;
  statusPort: number;
  env?: Record<string, string>;
}

/** Starts `dpu-node start` with the keys and data of one of the network's nodes; the network does not know of it. */
export function runNode({ folder, program }: Network, { env = {}, ...seat }: NodeWish): NodeRun {
  const spec = nodeProcess({ program, folder, slots: 1, ...seat, env });
  const child = spawn(spec.file, spec.args, {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...spec.env },
    ...(spec.cwd ? { cwd: spec.cwd } : {}),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => (output += String(piece)));
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return {
    get output() {
      return output;
    },
    statusUrl: `http://127.0.0.1:${seat.statusPort}`,
    exited,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await exited;
    },
  };
}

/** A node's status; undefined while it does not answer. */
export async function statusOf(node: { statusUrl: string }): Promise<NodeStatus | undefined> {
  const response = await fetch(`${node.statusUrl}/status`).catch(() => undefined);
  return response?.ok ? ((await response.json()) as NodeStatus) : undefined;
}

/** Why a node did not take a job; undefined while it has not said. */
export async function declineOf(node: { statusUrl: string }, job: string): Promise<ShownDecline | undefined> {
  return (await statusOf(node))?.declines.find((decline) => decline.job === job);
}
