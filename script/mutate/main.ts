/**
 * `npm run test:mutation`: makes small faults in the contracts, one at a time, and looks whether the tests notice. See docs/testing.md. Exits with 0 when every
 * mutant was killed or its survival is explained in test/contracts/mutants.json.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';

import { root } from '../native.mjs';
import { readSources, solidityFiles } from './ast.ts';
import { type Build, buildOne, buildSchema, CompileError, deployables, install, parse } from './compile.ts';
import { aroundOf, constantsOf, isSwitchable } from './constants.ts';
import { Lane, type Verdict } from './lane.ts';
import { type Mutant, mutantsOf } from './operators.ts';
import { type Entry, readExplanations, Results, type Row, scoreOf, tableOf } from './results.ts';
import { idOf, type Numbered } from './schema.ts';
import { digestOf, makeScratch } from './scratch.ts';

const SOURCES = 'src-contracts';
const TESTS = 'test/contracts';
const EXPLANATIONS = join(root, 'test/contracts/mutants.json');

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1 is needed');
  return value;
}
const collect = (value: string, earlier: string[]): string[] => [...earlier, value];

interface Options {
  file: string[];
  function: string[];
  sample?: number;
  seed: string;
  jobs: number;
  results: string;
  scratch: string;
  summary?: string;
  retry?: boolean;
  switched?: boolean;
  quick?: boolean;
  list?: boolean;
}

const options = new Command('npm run test:mutation --')
  .description('Makes small faults in the contracts and looks whether the tests notice.')
  .option('--file <part>', 'only sources whose path contains this; may be given again', collect, [])
  .option('--function <name>', 'only this function, or Contract.function; may be given again', collect, [])
  .option('--sample <n>', 'only n mutants, drawn by the seed', whole)
  .option('--seed <text>', 'which ones the sample draws', '1')
  .option('--jobs <n>', 'test runs at a time', whole, 1)
  .option('--results <file>', 'verdicts; known ones are not sought again', join(root, 'test/results/mutation.json'))
  .option('--scratch <folder>', 'where the copies are', join(tmpdir(), `dpu-mutation-${digestOf(root)}`))
  .option('--summary <file>', 'write counts, commit and survivors there')
  .option('--retry', 'look at known survivors again')
  .option('--switched', 'leave those that need a build of their own for another run')
  .option('--quick', 'leave out the slowest tests; what survives is to be looked at again without this')
  .option('--list', 'name the mutants and stop')
  .parse()
  .opts<Options>();

/** The mutants that the options ask for, in the order of the sources. */
function chosen(all: Mutant[]): Mutant[] {
  const wanted = all.filter(
    ({ file, scope }) =>
      (options.file.length === 0 || options.file.some((part) => file.includes(part))) &&
      (options.function.length === 0 ||
        options.function.some((name) => scope === name || scope.split('.').at(-1) === name)),
  );
  if (options.sample === undefined) return wanted;
  const rank = new Map(wanted.map((mutant) => [mutant, digestOf(`${options.seed} ${mutant.key}`)]));
  const drawn = wanted.toSorted((a, b) => ((rank.get(a) as string) < (rank.get(b) as string) ? -1 : 1));
  const sample = new Set(drawn.slice(0, options.sample));
  return wanted.filter((mutant) => sample.has(mutant));
}

// What tests take into their own code no build of ours replaces; so what they look into alone has a contract around it.
const harnesses = solidityFiles(root, TESTS).filter((path) => path.endsWith('Harness.sol'));
const sources = readSources(root, [...solidityFiles(root, SOURCES), ...harnesses]);
const trees = await parse(options.scratch, sources);
const constants = constantsOf(trees, sources);
const contracts = [SOURCES, TESTS].flatMap((folder) => deployables(trees, `${folder}/`));
const all = [...trees]
  .filter(([file]) => file.startsWith(`${SOURCES}/`))
  .flatMap(([file, tree]) => mutantsOf(file, sources.get(file) as string, tree));
const mutants = chosen(all);
if (options.list) {
  for (const { key, line } of mutants) console.log(`${String(line).padStart(4)}  ${key}`);
  console.log(`${mutants.length} of ${all.length} mutants`);
  process.exit(0);
}

const results = new Results(options.results);
results.prune(all);
const explained = readExplanations(EXPLANATIONS);
if (options.retry) results.retry(mutants);
// Their survival would cost all tests, and tell nothing that is not known.
else
  for (const mutant of mutants)
    if (explained.has(mutant.key) && !results.find(mutant)) results.add(mutant, { status: 'survived', seconds: 0 });
const pending = mutants.filter((mutant) => !results.find(mutant)).map((mutant, i) => ({ mutant, id: idOf(i) }));
console.log(
  `${mutants.length} of ${all.length} mutants, ${mutants.length - pending.length} known, ${pending.length} to do`,
);
const started = performance.now();
if (pending.length > 0) await judgeAll(pending);
process.exitCode = report(mutants.map((mutant) => results.find(mutant)).filter((entry) => entry !== undefined));

async function judgeAll(todo: Numbered[]): Promise<void> {
  const evmVersion =
    /^evm_version = "(\w+)"$/mu.exec(readFileSync(join(root, 'foundry.toml'), 'utf8'))?.[1] ?? 'prague';
  const switchable = todo.filter(({ mutant }) => {
    if (mutant.site !== 'constant') return true;
    const around = aroundOf(mutant, constants);
    return around !== undefined && isSwitchable(around);
  });
  const [{ build, refused }, lanes] = await Promise.all([
    buildSchema(options.scratch, sources, contracts, switchable, constants, evmVersion),
    makeLanes(),
  ]);
  say(
    `built ${switchable.length - refused.length} mutants behind switches; ${todo.length - switchable.length + refused.length} need a build each`,
  );
  for (const { scratch } of lanes) install(scratch.folder, build);
  const [first, ...others] = lanes as [Lane, ...Lane[]];
  const baseline = await first.baseline();
  for (const lane of others) lane.boundLike(first);
  say(`all tests pass without a mutant, in ${baseline.map((seconds) => `${seconds.toFixed(1)} s`).join(' + ')}`);

  const single = new Set(todo.filter((numbered) => !switchable.includes(numbered) || refused.includes(numbered)));
  let count = 0;
  const note = (mutant: Mutant, verdict: Verdict): void => {
    results.add(mutant, verdict);
    say(`${++count}/${todo.length} ${verdict.status} ${verdict.seconds} s ${verdict.by ?? ''} | ${mutant.key}`);
  };
  await inLanes(
    lanes,
    [...todo].filter((numbered) => !single.has(numbered)),
    async (lane, { mutant, id }) => note(mutant, await lane.judge(id, mutant.file, options.quick)),
  );
  if (options.switched) return;
  await inLanes(lanes, [...single], async (lane, numbered) =>
    note(numbered.mutant, await judgeSingle(lane, numbered, build, evmVersion)),
  );
}

async function makeLanes(): Promise<Lane[]> {
  const lanes: Lane[] = [];
  for (let i = 0; i < options.jobs; i++) lanes.push(new Lane(await makeScratch(options.scratch, `lane${i}`)));
  return lanes;
}

/** Builds a mutant by itself, runs the tests, and puts back what was installed. */
async function judgeSingle(lane: Lane, numbered: Numbered, before: Build, evmVersion: string): Promise<Verdict> {
  const from = performance.now();
  const seconds = (): number => Math.round((performance.now() - from) / 100) / 10;
  let one: Build;
  try {
    one = await buildOne(options.scratch, sources, contracts, numbered, evmVersion);
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    return { status: 'compile-error', seconds: seconds() };
  }
  install(lane.scratch.folder, one);
  const verdict = await lane.judge(0n, numbered.mutant.file, options.quick);
  install(lane.scratch.folder, before);
  return { ...verdict, seconds: seconds() };
}

/** Lets every lane take the next item until there is none. */
async function inLanes<Item>(
  lanes: Lane[],
  items: Item[],
  work: (lane: Lane, item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    lanes.map(async (lane) => {
      for (const item of queue) await work(lane, item);
    }),
  );
}

function say(line: string): void {
  console.log(`${((performance.now() - started) / 1_000).toFixed(1).padStart(7)} s  ${line}`);
}

/** Prints the table and the survivors; answers with the exit code. */
function report(entries: Entry[]): number {
  const rows = tableOf(entries, explained);
  const total = rows.at(-1) as Row;
  console.table(
    Object.fromEntries(
      rows.map(({ name, ...row }) => [name, { ...row, score: `${scoreOf({ name, ...row }).toFixed(1)} %` }]),
    ),
  );
  const survivors = entries.filter(({ status, key }) => status === 'survived' && !explained.has(key));
  for (const { file, line, key } of survivors) console.log(`survived: ${file}:${line}  ${key}`);
  const known = new Set(all.map(({ key }) => key));
  for (const key of explained.keys())
    if (!known.has(key)) console.log(`explained, but there is no such mutant any more: ${key}`);
  if (options.summary) {
    const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
    const { file, function: functions, sample, seed } = options;
    const summary = {
      commit,
      file,
      functions,
      sample: sample ?? null,
      seed,
      score: scoreOf(total),
      rows,
      survivors: survivors.map(({ key }) => key),
    };
    writeFileSync(options.summary, `${JSON.stringify(summary, null, 2)}\n`);
  }
  return survivors.length === 0 ? 0 : 1;
}
