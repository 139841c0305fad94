/** `npm start`: builds, starts a local network, runs a real job on it, and shows where to look. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { templateNamed, templates } from '@dpu/sdk/templates/registry';
import type { RuntimeName } from '@dpu/sdk/terms';

import { build } from './build.ts';
import { root } from './native.mjs';
import { startNetwork, type Network } from './network/network.ts';
import { MOST_NODES } from './network/people.ts';
import { scenarioNamed, scenarios } from './scenarios/registry.ts';
import { ensureTools } from './tools.ts';

interface Options {
  once?: boolean;
  template: string;
  scenario: string;
  set: Record<string, unknown>;
  nodes?: number;
  verbose?: boolean;
}

const started = performance.now();
const print = (line: string): void => {
  console.log(`${((performance.now() - started) / 1_000).toFixed(1).padStart(6)} s  ${line}`);
};

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > MOST_NODES)
    throw new InvalidArgumentError(`a whole number from 1 to ${MOST_NODES}`);
  return value;
}

function setting(text: string, before: Record<string, unknown>): Record<string, unknown> {
  const [key, value] = text.split('=', 2);
  if (!key || value === undefined) throw new InvalidArgumentError('name=value, for example samples=8');
  const parsed: unknown = /^-?\d+(\.\d+)?$/.test(value)
    ? Number(value)
    : value === 'true'
      ? true
      : value === 'false'
        ? false
        : value;
  return { ...before, [key]: parsed };
}

function named<T>(find: (name: string) => T): (name: string) => string {
  return (name) => {
    try {
      find(name);
      return name;
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };
}

const options = new Command('npm start --')
  .description(
    'Starts a local DPU network (chain, contracts, indexer, gateway, nodes, dApp), posts a job and shows it running.',
  )
  .option('--once', 'end with exit code 0 when the result is on disk, instead of staying')
  .addOption(
    new Option('--template <name>', `job to post: ${templates.map(({ id }) => id).join(', ')}`)
      .default('render')
      .argParser(named(templateNamed)),
  )
  .addOption(
    new Option('--scenario <name>', `story to play: ${scenarios.map(({ name }) => name).join(', ')}`)
      .default('plain')
      .argParser(named(scenarioNamed)),
  )
  .option('--set <name=value>', 'an option of the template, e.g. --set samples=8 (may be repeated)', setting, {})
  .option('--nodes <count>', 'nodes to start (default: 3, or as many as the story needs)', whole)
  .option('--verbose', 'print what every process says')
  .parse()
  .opts<Options>();

/** Runtimes beside wasm that a template's jobs need: a network that ends with them tests no others. */
const RUNTIMES_OF: Readonly<Record<string, readonly RuntimeName[]>> = {
  gpu: ['wgsl'],
  inference: ['onnx'],
  train: ['train'],
  learn: ['train', 'onnx'],
  video: ['video'],
  blender: ['render'],
  container: ['container'],
};

/** Tools of the system that a template's jobs need. */
const TOOLS_OF: Readonly<Record<string, readonly string[]>> = { video: ['ffmpeg'], blender: ['blender'] };

let network: Network | undefined;
let stopping: Promise<never> | undefined;
const interrupted = new AbortController();

/** Stops everything once, in reverse order, and ends the process. */
function stop(code: number): Promise<never> {
  stopping ??= (async (): Promise<never> => {
    interrupted.abort();
    print('stopping …');
    await network?.stop();
    print('everything is stopped');
    process.exit(code);
  })();
  return stopping;
}
for (const [signal, code] of [
  ['SIGINT', options.once ? 130 : 0],
  ['SIGTERM', options.once ? 143 : 0],
  ['SIGHUP', 0],
] as const) {
  process.on(signal, () => void stop(code));
}

const scenario = scenarioNamed(options.scenario);

try {
  if (options.nodes !== undefined && options.nodes < (scenario.nodes ?? 1))
    throw new Error(`the story ${scenario.name} needs at least ${scenario.nodes} nodes: leave --nodes out`);
  ensureTools({ testing: false, also: TOOLS_OF[options.template] ?? [] });
  await build(print);
  network = await startNetwork({
    name: 'local',
    nodes: options.nodes ?? scenario.nodes ?? 3,
    ...(scenario.settings ? { settings: scenario.settings } : {}),
    ...(options.once ? { runtimes: ['wasm', ...(RUNTIMES_OF[options.template] ?? [])] as const } : {}),
    onStep: print,
    ...(options.verbose ? { onLine: (name, line) => console.log(`         ${name.padEnd(8)} ${line}`) } : {}),
    onFailure: (error) => {
      print(error.message);
      void stop(1);
    },
  });
  const outcome = await scenario.play({
    network,
    template: options.template,
    settings: options.set,
    print,
    signal: interrupted.signal,
  });
  const folder = join(root, '.dpu', 'results');
  mkdirSync(folder, { recursive: true });
  for (const { name, bytes } of outcome.files) writeFileSync(join(folder, name), bytes);
  for (const line of outcome.report) console.log(line);
  for (const { name } of outcome.files) print(`result: ${join(folder, name)}`);
  if (network.appUrl) print(`see it in the dApp: ${network.appUrl}/jobs/${outcome.job}`);
  if (options.once) await stop(0);
  print('the network stays up; end it with Ctrl-C');
} catch (error) {
  if (!stopping) {
    print(error instanceof Error ? error.message : String(error));
    await stop(1);
  }
}
