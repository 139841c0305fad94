/** The engine for tests: the one that `DOCKER_HOST` names, one that listens already, or Podman started for them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineSockets } from '../../src/runtimes/container/engine.ts';
import { findTool } from '../../src/runtimes/tool/findTool.ts';

export interface TestEngine {
  readonly socket: string | undefined;
  close(): void;
}

const START_TRIES = 100;

/** Finds or starts an engine; without one `socket` is undefined. */
export async function testEngine(): Promise<TestEngine> {
  const [, named] = /^unix:\/\/(.+)$/u.exec(process.env['DOCKER_HOST'] ?? '') ?? [];
  const [running = named] = named === undefined ? engineSockets() : [];
  if (running !== undefined) return { socket: running, close: () => {} };
  const podman = findTool('podman');
  if (podman === undefined || process.getuid?.() !== 0) return { socket: undefined, close: () => {} };
  const folder = mkdtempSync(join(tmpdir(), 'dpu-podman-'));
  const socket = join(folder, 'podman.sock');
  // runc where it is: crun refuses machines with both versions of cgroups.
  const runtime = findTool('runc') === undefined ? [] : ['--runtime', 'runc'];
  const words = [...runtime, '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
  const child: ChildProcess = spawn(podman, [...words, 'system', 'service', '--time=0', `unix://${socket}`], {
    stdio: 'ignore',
    // Its helpers leave a file where they stand when a container runs out of memory.
    cwd: folder,
  });
  const close = (): void => {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  for (let i = 0; i < START_TRIES && !existsSync(socket); i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { socket: existsSync(socket) ? socket : undefined, close };
}
