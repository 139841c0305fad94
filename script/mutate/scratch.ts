/** Copies of the project outside it, in which mutants are built and tested. The tree itself is never touched. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

import { nativeBinary, root } from '../native.mjs';

/** What of the project the contracts and their tests need. */
const PARTS = ['foundry.toml', 'src-contracts', 'script/contracts', 'test/contracts', 'test/vectors'];
/** Gas is not behaviour: a mutant that only costs more is none that these tests should catch, and every schema costs more. */
const LEFT_OUT = ['test/contracts/gas'];

/** Seconds on the clock for one of processor time, after which a process does not run but hang. */
const MOST_WAIT = 20;

/** How a command ended. `stopped`: it took longer than it may. */
export interface Ended {
  readonly code: number;
  readonly output: string;
  readonly stopped: boolean;
}

/** A copy of the project with its own build. */
export interface Scratch {
  readonly folder: string;
  /** Runs forge in the copy, for at most so many seconds of processor time: what a busy machine takes says nothing about a mutant. */
  forge(args: string[], cpuSeconds: number): Promise<Ended>;
}

/** Where answers of the compiler are kept, for all copies. */
export const memoOf = (base: string): string => join(base, 'memo');

function environment(base: string): NodeJS.ProcessEnv {
  const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
  return {
    ...process.env,
    PATH: path,
    DPU_SOLC_MEMO: memoOf(base),
    FOUNDRY_PROFILE: 'default',
    FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT: '0', // that it fails is enough; the shortest way there takes minutes
    // Every survivor costs all campaigns, and what they find they find early.
    FOUNDRY_FUZZ_RUNS: '32',
    FOUNDRY_INVARIANT_RUNS: '8',
    FOUNDRY_INVARIANT_CHECK_INTERVAL: '32',
    NO_COLOR: '1',
  };
}

/** Runs a command to its end and answers with all that it said. */
export function run(
  file: string,
  args: string[],
  { cwd, env, input = '', stopAfterMs }: { cwd: string; env: NodeJS.ProcessEnv; input?: string; stopAfterMs: number },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
    const said: Buffer[] = [];
    let stopped = false;
    const timer = setTimeout(() => {
      stopped = true;
      child.kill('SIGKILL');
    }, stopAfterMs);
    child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const isSpent = signal === 'SIGXCPU' || signal === 'SIGKILL';
      resolve({ code: code ?? 1, output: Buffer.concat(said).toString(), stopped: stopped || isSpent });
    });
    child.stdin.on('error', () => {}); // it ended before it had read everything; how is told by its exit code
    child.stdin.end(input);
  });
}

/** Asks the compiler, in a process of its own, so that tests go on meanwhile. Throws when it cannot be run. */
export async function askSolc(base: string, input: object): Promise<Record<string, unknown>> {
  const launcher = join(root, 'script/solc.mjs');
  const options = { cwd: root, env: environment(base), input: JSON.stringify(input), stopAfterMs: 3_600_000 };
  const { code, output } = await run(process.execPath, [launcher, '--standard-json'], options);
  if (code !== 0) throw new Error(`the compiler could not be run: ${output.slice(-2_000)}`);
  return JSON.parse(output) as Record<string, unknown>;
}

/**
 * Makes copy `name` below `base` and builds it, without the optimizer, because the mutated contracts replace the built ones anyway. Copies after the first
 * take what the compiler answered for it.
 */
export async function makeScratch(base: string, name: string): Promise<Scratch> {
  const folder = join(base, name);
  for (const part of ['foundry.toml', 'src-contracts', 'script', 'test'])
    rmSync(join(folder, part), { recursive: true, force: true });
  mkdirSync(join(folder, 'script'), { recursive: true });
  for (const part of PARTS)
    if (existsSync(join(root, part))) cpSync(join(root, part), join(folder, part), { recursive: true });
  for (const part of LEFT_OUT) rmSync(join(folder, part), { recursive: true, force: true });
  if (!existsSync(join(folder, 'node_modules')))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  cpSync(join(root, 'script/solc.mjs'), join(folder, 'script/solc.mjs'));
  const config = readFileSync(join(folder, 'foundry.toml'), 'utf8');
  writeFileSync(join(folder, 'foundry.toml'), config.replace(/^optimizer = true$/mu, 'optimizer = false'));

  shortenCampaigns(folder);

  const env = environment(base);
  const scratch = {
    folder,
    forge: (args: string[], cpuSeconds: number): Promise<Ended> => {
      const bounded = ['-c', `ulimit -t ${Math.ceil(cpuSeconds)} && exec "$@"`, 'sh', nativeBinary('forge'), ...args];
      return run('/bin/sh', bounded, { cwd: folder, env, stopAfterMs: cpuSeconds * MOST_WAIT * 1_000 });
    },
  };
  // A changed artifact would pass for the built one; so the build starts from nothing.
  rmSync(join(folder, 'out'), { recursive: true, force: true });
  rmSync(join(folder, 'cache'), { recursive: true, force: true });
  const { code, output } = await scratch.forge(['build'], 1_800);
  if (code !== 0) throw new Error(`the copy in ${folder} does not build:\n${output.slice(-4_000)}`);
  return scratch;
}

/**
 * A survivor costs whole invariant campaigns, and what those find they find early: a quarter of their runs is kept. Unlike the runs of the profile, those that
 * a test file asks for itself cannot be set from outside.
 */
function shortenCampaigns(folder: string): void {
  for (const path of globSync('test/contracts/**/*.sol', { cwd: folder })) {
    const text = readFileSync(join(folder, path), 'utf8');
    const shorter = text.replaceAll(
      /(forge-config: default\.invariant\.runs = )(\d+)/gu,
      (_, name: string, runs: string) => `${name}${Math.ceil(Number(runs) / 4)}`,
    );
    if (shorter !== text) writeFileSync(join(folder, path), shorter);
  }
}

/** A short name for a text. */
export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
