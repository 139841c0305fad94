import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Sandbox, type SandboxChild } from '../../src/sandbox/sandbox.ts';
import { stageProgram } from '../../src/sandbox/stage.ts';
import { writeProgramOfCalls } from './native.ts';
import type { SandboxClass } from './registry.ts';

const MIB = 1024 * 1024;
const LIMITS = { dataBytes: 1024 * MIB, stackBytes: 8 * MIB, cpuSeconds: 20 };

/** A sandbox of a class. */
export function sandboxOf(kind: SandboxClass): Sandbox {
  const isolation = kind === 'bubblewrap without a list' ? 'bubblewrap' : kind;
  return new Sandbox({ isolation, seccomp: kind === 'bubblewrap' });
}

async function output(child: SandboxChild): Promise<Buffer> {
  const pieces: Buffer[] = [];
  child.stdin.end();
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  child.stderr.resume();
  await child.ended;
  return Buffer.concat(pieces);
}

/** Runs the program of all probes in a class; what came of each, by name. One without an answer ended the process. */
export async function tryProgram(kind: SandboxClass): Promise<Map<string, string>> {
  const stage = await stageProgram(fileURLToPath(new URL('./program.ts', import.meta.url)));
  const sandbox = sandboxOf(kind);
  try {
    const permission = kind === 'prlimit' || kind === 'process';
    const { folder, entry } = stage;
    const child = sandbox.start({ folder, entry, nodeFlags: ['--no-warnings'], limits: LIMITS, permission });
    const lines = (await output(child)).toString().trim().split('\n');
    return new Map(lines.map((line) => JSON.parse(line) as [string, string]));
  } finally {
    await sandbox.close();
    await stage.remove();
  }
}

/** Makes system calls, by their numbers, in the strongest class; what the kernel answered, by name. Negative: an error's number. */
export async function tryCalls(calls: Readonly<Record<string, number>>): Promise<Map<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'dpu-calls-'));
  const sandbox = sandboxOf('bubblewrap');
  try {
    const binary = join(folder, 'calls');
    await writeProgramOfCalls(binary, Object.values(calls));
    await writeFile(join(folder, 'entry'), '');
    const program = { binary, args: [], environment: {}, files: [], devices: [], proc: false, calls: [] };
    const said = await output(sandbox.start({ folder, entry: 'entry', limits: LIMITS, program }));
    return new Map(
      Object.keys(calls).flatMap((name, at) =>
        said.length >= 8 * (at + 1) ? [[name, Number(said.readBigInt64LE(8 * at))]] : [],
      ),
    );
  } finally {
    await sandbox.close();
    await rm(folder, { recursive: true });
  }
}
