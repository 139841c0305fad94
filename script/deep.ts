/**
 * `npm run test:deep`: long fuzz and invariant campaigns of the contracts, and of the node: deaths at every point, reorganisations, bad endpoints, bombs and escapes; and of the index: hostile requests and faults. Prints what each did and writes it, with seed and commit, to test/results/: what is not written down
 * was not run. `--quick` stays under three minutes; without it the invariant campaigns make ten million calls, which takes hours.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';

import { nativeBinary, root } from './native.mjs';

/** How often one call of a campaign did something, out of how often it was drawn. */
interface Action {
  readonly name: string;
  readonly done: number;
  readonly tried: number;
}

/** What one run of forge did. */
interface Round {
  readonly seed: string;
  readonly seconds: number;
  readonly passed: boolean;
  readonly runs: number;
  readonly calls: number;
  readonly reverts: number;
  readonly actions: Action[];
  readonly output: string;
}

/** What all rounds of a campaign did. */
interface Done {
  readonly name: string;
  passed: boolean;
  readonly seeds: number[];
  runs: number;
  calls: number;
  reverts: number;
  seconds: number;
  actions: Action[];
}

/** Rounds of the same tests, each with a seed of its own. */
interface Campaign {
  readonly name: string;
  /** Arguments of forge; without them it is a campaign of `test/deep/main.ts`, whose calls are stories, bombs or probes. */
  readonly tests?: string[];
  /** Calls to reach; fuzz campaigns count their runs. */
  readonly calls: { quick: number; full: number };
  /** Calls of one round, where it is not all of them at once: what is done is written after each. */
  readonly round?: number;
  /** Of one round. */
  readonly env: { quick: Record<string, string>; full: Record<string, string> };
}

/** The books are checked after every 64th call and at each run's end, instead of after every call: checking takes most of the time. */
const SPARSE = { FOUNDRY_INVARIANT_CHECK_INTERVAL: '64' };

const CAMPAIGNS: Campaign[] = [
  {
    name: 'leases',
    tests: ['--match-contract', '^InvariantsTest$'],
    calls: { quick: 4_096, full: 7_000_000 },
    env: { quick: {}, full: SPARSE },
  },
  {
    name: 'panels',
    tests: ['--match-contract', '^PanelInvariantsTest$'],
    calls: { quick: 2_304, full: 3_000_000 },
    env: { quick: {}, full: SPARSE },
  },
  {
    name: 'courts',
    tests: ['--match-contract', '^CourtInvariantsTest$'],
    calls: { quick: 1_024, full: 1_000_000 },
    env: { quick: {}, full: SPARSE },
  },
  {
    name: 'fuzz',
    tests: ['--match-test', '^testFuzz_', '--no-match-path', 'test/contracts/gas/*'],
    calls: { quick: 5_000, full: 1_000_000 },
    env: { quick: { FOUNDRY_FUZZ_RUNS: '500' }, full: { FOUNDRY_FUZZ_RUNS: '20000' } },
  },
  // The node: in one round each, because a round is a chain and a node that live through all of it.
  { name: 'crash', calls: { quick: 8, full: 800 }, env: { quick: {}, full: {} } },
  { name: 'reorgs', calls: { quick: 4, full: 64 }, env: { quick: {}, full: {} } },
  { name: 'faults', calls: { quick: 2, full: 110 }, env: { quick: {}, full: {} } },
  { name: 'bombs', calls: { quick: 22, full: 1_000 }, env: { quick: {}, full: {} } },
  { name: 'escapes', calls: { quick: 1, full: 1 }, env: { quick: {}, full: {} } },
  // The index: hostile requests, and faults of everything that it reads from.
  { name: 'requests', calls: { quick: 1_000, full: 100_000 }, round: 10_000, env: { quick: {}, full: {} } },
  { name: 'indexFaults', calls: { quick: 2, full: 200 }, round: 20, env: { quick: {}, full: {} } },
];

const options = new Command('npm run test:deep --')
  .description(
    'Long fuzz and invariant campaigns of the contracts; crashes, faults, bombs and escapes of the node; requests and faults of the index.',
  )
  .option('--quick', 'one short round of each, in under three minutes')
  .option('--only <names>', `comma-separated: ${CAMPAIGNS.map(({ name }) => name).join(', ')}`)
  .option('--calls <number>', 'of each campaign, instead of its own number')
  .option('--seed <number>', 'of the first round; the next ones count up', String(Date.now() % 1_000_000))
  .option('--results <file>', 'where to write what was done')
  .option('--continue', 'go on where the results file ends, at the same commit')
  .parse()
  .opts<{ quick?: boolean; only?: string; calls?: string; seed: string; results?: string; continue?: boolean }>();

const size = options.quick ? 'quick' : 'full';
const first = Number(options.seed);
if (!Number.isSafeInteger(first) || first < 0) throw new Error(`--seed must be a whole number, not ${options.seed}`);
const names = options.only?.split(',') ?? CAMPAIGNS.map(({ name }) => name);
const unknown = names.filter((name) => !CAMPAIGNS.some((campaign) => campaign.name === name));
if (unknown.length > 0) throw new Error(`no campaign ${unknown.join(', ')}`);

const callsOf = (campaign: Campaign): number => Number(options.calls ?? campaign.calls[size]);

/** Runs forge, or a campaign of the node, once; answers with what it reported. */
async function round(campaign: Campaign, seed: number, calls: number): Promise<Round> {
  const { name, tests, env } = campaign;
  const from = performance.now();
  const [file, args] = tests
    ? [nativeBinary('forge'), ['test', '-vv', '--fuzz-seed', `0x${seed.toString(16)}`, ...tests]]
    : [process.execPath, [join(root, 'test/deep/main.ts'), name, '--seed', `${seed}`, '--runs', `${calls}`]];
  const child = spawn(file, args, {
    cwd: root,
    env: { ...process.env, FOUNDRY_PROFILE: options.quick ? 'default' : 'deep', NO_COLOR: '1', ...env[size] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    said.push(chunk);
    // A campaign of the node tells of its progress there.
    if (!tests) process.stderr.write(chunk);
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? 1));
  });
  const output = Buffer.concat(said).toString();
  return {
    seed: String(seed),
    seconds: (performance.now() - from) / 1_000,
    passed: code === 0,
    ...read(output),
    output,
  };
}

/** Sums what forge says of its tests, and the share of calls that did something as the suites report it at the end of a run. */
function read(output: string): Pick<Round, 'runs' | 'calls' | 'reverts' | 'actions'> {
  let [runs, calls, reverts] = [0, 0, 0];
  for (const [, r, c, v] of output.matchAll(/\(runs: (\d+), calls: (\d+), reverts: (\d+)\)/gu)) {
    [runs, calls, reverts] = [runs + Number(r), calls + Number(c), reverts + Number(v)];
  }
  for (const [, r] of output.matchAll(/\(runs: (\d+), μ: /gu)) [runs, calls] = [runs + Number(r), calls + Number(r)];
  const actions = new Map<string, Action>();
  for (const [, name = '', done, tried] of output.matchAll(/^\s+(\w+) (\d+) (\d+)(?: \d+)?$/gmu)) {
    const known = actions.get(name);
    if (!known || known.tried < Number(tried)) actions.set(name, { name, done: Number(done), tried: Number(tried) });
  }
  return { runs, calls, reverts, actions: [...actions.values()].sort((a, b) => a.name.localeCompare(b.name)) };
}

/** Adds the counts of two rounds by action. */
function added(sum: Action[], more: Action[]): Action[] {
  const byName = new Map(sum.map((action) => [action.name, action]));
  for (const { name, done, tried } of more) {
    const known = byName.get(name) ?? { name, done: 0, tried: 0 };
    byName.set(name, { name, done: known.done + done, tried: known.tried + tried });
  }
  return [...byName.values()];
}

const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
const target = options.results ?? join(root, 'test/results', `deep-${size}.json`);
const report: Done[] = options.continue ? earlier() : [];

/** What the results file says of this commit; nothing when there is none. */
function earlier(): Done[] {
  if (!existsSync(target)) return [];
  const file = JSON.parse(readFileSync(target, 'utf8')) as { commit: string; campaigns: Done[] };
  if (file.commit === commit) return file.campaigns;
  throw new Error(
    `${target} is of commit ${file.commit}: its campaigns cannot go on at ${commit}. Name another file with --results.`,
  );
}

let failed = false;
for (const campaign of CAMPAIGNS.filter(({ name }) => names.includes(name))) {
  const { name } = campaign;
  let total = report.find((done) => done.name === name);
  if (!total) {
    total = { name, passed: true, seeds: [], runs: 0, calls: 0, reverts: 0, seconds: 0, actions: [] };
    report.push(total);
  }
  while (total.passed && total.calls < callsOf(campaign)) {
    const last = total.seeds.at(-1);
    const wanted = Math.min(campaign.round ?? Infinity, callsOf(campaign) - total.calls);
    // A round of the node or the index uses as many seeds as it has calls.
    const done = await round(campaign, last === undefined ? first : last + (campaign.round ?? 1), wanted);
    total.seeds.push(Number(done.seed));
    if (!done.passed || done.calls === 0) {
      console.error(done.output);
      total.passed = false;
    }
    for (const key of ['runs', 'calls', 'reverts'] as const) total[key] += done[key];
    total.seconds += Math.round(done.seconds);
    total.actions = added(total.actions, done.actions);
    const { passed, runs, calls, reverts, seconds } = total;
    console.log(
      `${passed ? 'ok    ' : 'FAILED'} ${name}, seed ${done.seed}: ${runs} runs, ${calls} calls, ${reverts} reverts, ${seconds} s`,
    );
    mkdirSync(dirname(target), { recursive: true });
    // After each round: what was stopped half way is known up to there, and goes on with --continue.
    writeFileSync(
      target,
      `${JSON.stringify({ commit, size, at: new Date().toISOString(), campaigns: report }, null, 2)}\n`,
    );
  }
  for (const { name: action, done, tried } of total.actions) {
    console.log(`       ${action.padEnd(16)} ${done} of ${tried}, ${((100 * done) / tried).toFixed(1)} %`);
  }
  failed ||= !total.passed;
}
process.exitCode = failed ? 1 : 0;
