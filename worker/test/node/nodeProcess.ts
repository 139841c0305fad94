import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { NodeStatus } from '../../src/operator/status.ts';
import { freePort, type TestNetwork } from './network.ts';

const SOURCE = join(import.meta.dirname, '../../src/cli.ts');

/** One line of the node's log. */
export interface LogLine {
  level: number;
  msg: string;
  [fact: string]: unknown;
}

/** A real `dpu-node start` in a process of its own, which can be killed and started again on the same data. */
export interface NodeProcess {
  /** What it said since its last start. */
  readonly log: readonly LogLine[];
  readonly stderr: string;
  readonly statusUrl: string;
  readonly dataDir: string;
  start(): void;
  /** kill -9, and the wait for its end. */
  kill(): Promise<void>;
  /** SIGINT; answers the exit status. */
  stop(): Promise<number | null>;
  /** Resolves with the first line that says `sentence`, also one that was already said since the start. */
  said(sentence: string): Promise<LogLine>;
  exited(): Promise<number | null>;
  status(): Promise<NodeStatus>;
}

/** Prepares node `number` of the network. `env` adds or overrides WORKER_ variables; `program` is the node's, its source by default. */
export async function prepareNode(
  network: TestNetwork,
  number: number,
  env: Record<string, string> = {},
  program = SOURCE,
): Promise<NodeProcess> {
  const dataDir = join(network.dir, `node-${number}`);
  mkdirSync(dataDir, { recursive: true });
  const keyFile = join(dataDir, 'operator.key');
  writeFileSync(keyFile, network.operatorKey(number), { mode: 0o600 });
  const statusPort = await freePort();
  const gatewayPort = await freePort();
  let child: ChildProcess | undefined;
  let ended: Promise<number | null> = Promise.resolve(null);
  let lines: LogLine[] = [];
  let stderr = '';
  let listeners: ((line: LogLine) => void)[] = [];
  let onEnd: (() => void)[] = [];

  const hear = (text: string): void => {
    let line: LogLine;
    try {
      line = JSON.parse(text) as LogLine;
    } catch {
      return;
    }
    lines.push(line);
    for (const listener of listeners) listener(line);
  };

  return {
    get log() {
      return lines;
    },
    get stderr() {
      return stderr;
    },
    statusUrl: `http://127.0.0.1:${statusPort}`,
    dataDir,
    start() {
      lines = [];
      stderr = '';
      const started = spawn(process.execPath, [program, 'start'], {
        env: {
          ...process.env,
          WORKER_DEPLOYMENT: join(network.dir, 'deployment.json'),
          WORKER_DATA_DIR: dataDir,
          WORKER_OPERATOR_KEY_FILE: keyFile,
          WORKER_STATUS_PORT: String(statusPort),
          WORKER_GATEWAY_PORT: String(gatewayPort),
          WORKER_POLL_MS: '50',
          WORKER_SLOTS: '2',
          WORKER_LOG_LEVEL: 'debug',
          WORKER_WARM_PROCESSES: '0',
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child = started;
      let rest = '';
      started.stdout.on('data', (chunk: Buffer) => {
        const parts = (rest + chunk.toString()).split('\n');
        rest = parts.pop() ?? '';
        for (const part of parts) hear(part);
      });
      started.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      ended = new Promise((resolve) =>
        started.once('exit', (code) => {
          resolve(code);
          for (const listener of onEnd) listener();
        }),
      );
    },
    async kill() {
      child?.kill('SIGKILL');
      await ended;
    },
    async stop() {
      child?.kill('SIGINT');
      return ended;
    },
    exited: () => ended,
    said(sentence) {
      const known = lines.find(({ msg }) => msg === sentence);
      if (known) return Promise.resolve(known);
      return new Promise((resolve, reject) => {
        const forget = (): void => {
          listeners = listeners.filter((other) => other !== listener);
          onEnd = onEnd.filter((other) => other !== ended_);
        };
        const listener = (line: LogLine): void => {
          if (line.msg !== sentence) return;
          forget();
          resolve(line);
        };
        const ended_ = (): void => {
          forget();
          reject(new Error(`the node ended before it said "${sentence}": ${stderr}`));
        };
        listeners.push(listener);
        onEnd.push(ended_);
      });
    },
    async status() {
      const response = await fetch(`http://127.0.0.1:${statusPort}/status`);
      return (await response.json()) as NodeStatus;
    },
  };
}
