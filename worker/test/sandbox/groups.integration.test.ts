import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

import { openControlGroups, type ControlGroups } from '../../src/sandbox/groups.ts';
import type { NodeSpec } from '../../src/sandbox/isolation.ts';
import { Sandbox, type SandboxChild } from '../../src/sandbox/sandbox.ts';

const MIB = 1024 * 1024;

const groups = ((): ControlGroups | undefined => {
  try {
    return openControlGroups();
  } catch (error) {
    console.warn(`Control groups are not tested on this machine: ${(error as Error).message}.`);
    return undefined;
  }
})();
const folder = mkdtempSync(join(tmpdir(), 'dpu-grouped-'));
const sandbox = new Sandbox({ isolation: 'prlimit', seccomp: false, ...(groups ? { groups } : {}) });
afterAll(async () => {
  await sandbox.close();
  groups?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a program that Node's permissions do not bind: as if it had broken out of them. */
function start(program: string, dataBytes: number): SandboxChild {
  writeFileSync(join(folder, 'taken-over.mjs'), program);
  const spec: NodeSpec = {
    ...{ folder, entry: 'taken-over.mjs', nodeFlags: [], permission: false },
    limits: { dataBytes, stackBytes: 8 * MIB, cpuSeconds: 60 },
  };
  return sandbox.start(spec);
}

async function firstLine({ stdout }: SandboxChild): Promise<string> {
  let said = '';
  for await (const piece of stdout as AsyncIterable<Buffer>) {
    said += piece.toString();
    if (said.includes('\n')) return said.split('\n')[0]!;
  }
  return said;
}

const lives = (pid: number): boolean => {
  try {
    // What has ended and was not waited for is still listed.
    return !/^State:\s+[ZX]/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

test.skipIf(!groups)('what several processes take together is bounded: none of them alone takes too much', async () => {
  // Each may have 1,300 MiB by its own limit, and so may the group: three of 600 do not fit.
  const hog = `const taken = Buffer.alloc(${600 * MIB}, 1); process.stdin.resume(); process.stdin.on('end', () => taken.length);`;
  const child = start(
    `import { spawn } from 'node:child_process';
     const hogs = [1, 2, 3].map(() => spawn(process.execPath, ['-e', ${JSON.stringify(hog)}], { stdio: ['pipe', 'ignore', 'ignore'] }));
     const gone = await Promise.race(hogs.map((hog) => new Promise((resolve) => hog.on('exit', (code, signal) => resolve(signal)))));
     for (const hog of hogs) hog.kill('SIGKILL');
     console.log(gone);`,
    1_300 * MIB,
  );
  child.stdin.end();
  await child.ended.then((ending) => expect(ending.outOfMemory).toBe(true));
});

test.skipIf(!groups)('what left the process group is ended with the rest, and the group is gone', async () => {
  const child = start(
    `import { spawn } from 'node:child_process';
     const away = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
     console.log(away.pid);
     setInterval(() => {}, 1000);`,
    1_024 * MIB,
  );
  const away = Number(await firstLine(child));
  expect(lives(away)).toBe(true);
  child.kill();
  await child.ended;
  await expect.poll(() => lives(away)).toBe(false);
});

test.skipIf(!groups)('a shard that stays within its limits does not notice its group', async () => {
  const child = start('console.log(process.pid)', 1_024 * MIB);
  child.stdin.end();
  child.stdout.resume();
  expect(await child.ended).toEqual({ code: 0, signal: null });
});
