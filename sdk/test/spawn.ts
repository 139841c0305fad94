import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { GatewayOptions } from '../src/gateway/server.ts';

/** A child process that serves something. */
export interface Spawned {
  readonly url: string;
  readonly dir: string;
  readonly pid: number;
  /** Ends it without warning and waits until it is gone. The folder stays. */
  kill(): Promise<void>;
  /** Ends it and removes its folder. */
  remove(): Promise<void>;
}

/** Starts a gateway in a process of its own, in `dir` or a fresh folder. */
export async function spawnGateway(options: Partial<GatewayOptions> & { dir?: string } = {}): Promise<Spawned> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'dpu-gateway-')));
  return spawnServer('gatewayProcess.ts', dir, { ...options, dir });
}

/** Starts the Kubo stand-in in a process of its own. */
export async function spawnKubo(): Promise<Spawned> {
  const dir = await mkdtemp(join(tmpdir(), 'dpu-kubo-'));
  return spawnServer('kuboServer.ts', dir, { dir });
}

async function spawnServer(file: string, dir: string, options: object): Promise<Spawned> {
  const script = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const gone = once(child, 'exit');
  const url = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([line]) => line as string),
    gone.then(() => {
      throw new Error(`${file} did not start: ${complaints}`);
    }),
  ]);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  return {
    url,
    dir,
    pid: child.pid!,
    kill,
    async remove() {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
