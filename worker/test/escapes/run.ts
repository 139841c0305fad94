import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { findGraphics, graphicsChild } from '../../src/runtimes/onnx/graphics.ts';
import { findOnnxLibrary } from '../../src/runtimes/onnx/library.ts';
import { modelChild } from '../../src/runtimes/onnx/onnxRuntime.ts';
import { denoProgram, findDeno } from '../../src/runtimes/wgsl/deno.ts';
import { findDrivers, type Driver } from '../../src/runtimes/gpu/drivers.ts';
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
    return answersOf(await output(child));
  } finally {
    await sandbox.close();
    await stage.remove();
  }
}

/** A line for each probe: its name, and what came of it. */
function answersOf(said: Buffer): Map<string, string> {
  const lines = said
    .toString()
    .split('\n')
    .filter((line) => line !== '');
  return new Map(lines.map((line) => JSON.parse(line) as [string, string]));
}

/** Runs the probes of native code, in the place of the program that runs models; what came of each, by name. */
export async function tryModelProgram(): Promise<Map<string, string>> {
  const stage = await stageProgram(fileURLToPath(new URL('./modelProgram.ts', import.meta.url)));
  const sandbox = sandboxOf('bubblewrap');
  try {
    const spec = modelChild(stage, await findOnnxLibrary(), { memoryBytes: 64 * MIB, seconds: 20 });
    // Node's permissions are left off: native code would not mind them.
    return answersOf(await output(sandbox.start({ ...spec, permission: false })));
  } finally {
    await sandbox.close();
    await stage.remove();
  }
}

/** The same in the place of the program that runs models on a graphics card: with a driver, and what a driver needs. */
export async function tryCardProgram(manifest: string): Promise<Map<string, string>> {
  const stage = await stageProgram(fileURLToPath(new URL('./modelProgram.ts', import.meta.url)));
  const report = { isolation: 'bubblewrap', seccomp: true, detail: '', refused: [] } as const;
  const library = await findOnnxLibrary();
  const graphics = await findGraphics({ report, library, driver: manifest, test: async () => {} });
  try {
    const spec = graphicsChild(stage, graphics, { memoryBytes: 64 * MIB, seconds: 20 });
    const program = { ...graphics.program, args: ['--no-warnings'] };
    return answersOf(await output(graphics.sandbox.start({ ...spec, program })));
  } finally {
    await graphics.sandbox.close();
    await stage.remove();
  }
}

/** The first driver of kernels on this machine; undefined where there is none, or no Deno. */
export function kernelDriver(): Driver | undefined {
  return findDeno() === undefined ? undefined : findDrivers().drivers[0];
}

/** A driver that computes in software: with one, nothing of the machine is inside, `/proc` neither. */
export function softwareDriver(): Driver | undefined {
  return findDrivers().drivers.find(({ software }) => software);
}

/** Starts a script in the place of the one that runs kernels, with what the driver needs. */
export async function startAsKernels(
  kind: SandboxClass,
  driver: Driver,
  script: URL,
): Promise<{ readonly child: SandboxChild; readonly close: () => Promise<void> }> {
  const stage = await stageProgram(fileURLToPath(script));
  const sandbox = sandboxOf(kind);
  const child = sandbox.start({
    folder: stage.folder,
    entry: stage.entry,
    program: denoProgram(findDeno()!, driver, 64 * MIB),
    limits: { dataBytes: 2048 * MIB, stackBytes: 8 * MIB, cpuSeconds: 20 },
  });
  const close = async (): Promise<void> => {
    await sandbox.close();
    await stage.remove();
  };
  return { child, close };
}

/** Runs the probes of a script of kernels in a class; what came of each, by name. */
export async function tryKernelProgram(kind: SandboxClass, driver: Driver): Promise<Map<string, string>> {
  const { child, close } = await startAsKernels(kind, driver, new URL('./kernelProgram.ts', import.meta.url));
  try {
    return answersOf(await output(child));
  } finally {
    await close();
  }
}

/** Whether the answer to a probe of kernels says that it was kept from doing it: who asks for more is told no, without an error of that kind. */
export const isKept = (name: string, answer: string | undefined): boolean =>
  answer === (name === 'ask for more' ? 'failed: denied' : 'denied');

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
