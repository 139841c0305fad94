/** Runs the tests against one mutant after another in one copy of the project. */
import type { Scratch } from './scratch.ts';

/** What became of a mutant. `compile-error`: Solidity refuses it, so no programmer could have made that mistake. */
export type Status = 'killed' | 'survived' | 'compile-error';

/** A verdict, and by which test. `timeout` is a kill: the contract went round in circles. */
export interface Verdict {
  readonly status: Status;
  readonly by?: string;
  readonly seconds: number;
}

/** Suites that run together, and how long they may take. */
interface Stage {
  readonly suites: readonly string[];
  /** Seconds of processor time. */
  readonly limit: number;
}

/** Seconds of processor time up to which a suite belongs to the first, the second, … stage: a mutant that an earlier stage kills never sees the later. */
const CLASSES = [0.5, 5, Number.POSITIVE_INFINITY];
/** Suites that killed the last mutants of a file are tried first: most mutants of a file fall to the same few. */
const FAVOURITES = 3;

/** What they bound is the cost of optimized code, and no code here is. */
const NO_GAS = ['--no-match-test', '^test_Gas_'];

/** Code with switches costs several times as much, and some tests draw thousands of times. */
const MUCH_GAS = ['--gas-limit', String(2n ** 50n)];

/** Fixed, so that a mutant's fate is the same tomorrow. */
const SEED = '0x5eed';

/** One copy, with its test suites in the order in which they are tried. */
export class Lane {
  readonly scratch: Scratch;
  #stages: Stage[] = [];
  /** Seconds of each suite without a mutant. */
  #suites = new Map<string, number>();
  /** By source file, newest first. */
  readonly #killers = new Map<string, string[]>();

  constructor(scratch: Scratch) {
    this.scratch = scratch;
  }

  /** Runs all tests with no mutant on, and sorts the suites by what they take. Throws when one fails: then nothing that follows would mean anything. */
  async baseline(): Promise<number[]> {
    const { code, output } = await this.#test(0n, { suites: [], limit: 1_800 });
    if (code !== 0)
      throw new Error(`the tests fail without any mutant:\n${failuresOf(output).join('\n') || output.slice(-3_000)}`);
    this.#suites = suitesOf(output);
    const named = (from: number, to: number): [string, number][] =>
      [...this.#suites].filter(([, seconds]) => seconds > from && seconds <= to);
    const classes = CLASSES.map((to, at) => named(CLASSES[at - 1] ?? -1, to)).filter((list) => list.length > 0);
    const totals = classes.map((list) => list.reduce((sum, [, seconds]) => sum + seconds, 0));
    this.#stages = classes.map((list, at) => ({
      suites: list.map(([name]) => name),
      limit: (totals[at] as number) * 4 + 30,
    }));
    return totals;
  }

  /** Takes over what another lane measured. */
  boundLike(other: Lane): void {
    this.#stages = other.#stages;
    this.#suites = other.#suites;
  }

  /** Runs the tests with mutant `id` of `file` on (0: with what is installed) until one fails; where `quick`, without the slowest. */
  async judge(id: bigint, file: string, quick = false): Promise<Verdict> {
    const from = performance.now();
    const verdict = (status: Status, by?: string): Verdict => ({
      status,
      ...(by === undefined ? {} : { by }),
      seconds: Math.round((performance.now() - from) / 100) / 10,
    });
    for (const stage of [...this.#favourites(file), ...this.#stages.slice(0, quick ? -1 : undefined)]) {
      const { code, output, stopped } = await this.#test(id, stage);
      if (stopped) return verdict('killed', 'timeout');
      if (code === 0) continue;
      const [first] = failuresOf(output);
      if (first === undefined) throw new Error(`forge failed, but no test did:\n${output.slice(-3_000)}`);
      this.#remember(file, first.split('.')[0] as string);
      return verdict('killed', first);
    }
    return verdict('survived');
  }

  #favourites(file: string): Stage[] {
    const suites = this.#killers.get(file) ?? [];
    return suites.length === 0 ? [] : [{ suites, limit: 60 }];
  }

  #remember(file: string, suite: string): void {
    // A slow one would cost every other mutant of the file more than it saves.
    if ((this.#suites.get(suite) ?? Number.POSITIVE_INFINITY) > (CLASSES[1] as number)) return;
    const others = (this.#killers.get(file) ?? []).filter((one) => one !== suite);
    this.#killers.set(file, [suite, ...others].slice(0, FAVOURITES));
  }

  #test(id: bigint, { suites, limit }: Stage): ReturnType<Scratch['forge']> {
    const coinbase = `0x${id.toString(16).padStart(40, '0')}`;
    const filter = suites.length === 0 ? [] : ['--match-contract', `^(${suites.join('|')})$`];
    const args = [
      'test',
      '--fail-fast',
      '--fuzz-seed',
      SEED,
      '--block-coinbase',
      coinbase,
      ...NO_GAS,
      ...MUCH_GAS,
      ...filter,
    ];
    return this.scratch.forge(args, limit);
  }
}

/** The failed tests that forge names, `Suite.test`. A failed campaign is told as a sequence of calls; then the suite alone is named. */
export function failuresOf(output: string): string[] {
  const failures: string[] = [];
  let suite = '';
  for (const line of output.split('\n')) {
    suite = /^Ran \d+ tests? for [^:]+:(\w+)/u.exec(line)?.[1] ?? suite;
    if (!line.startsWith('[FAIL')) continue;
    const name = /\]\s+(\w+)\s?\(/u.exec(line)?.[1];
    failures.push(name ? `${suite}.${name}` : suite);
  }
  return failures;
}

const UNITS: Record<string, number> = { ns: 1e-9, µs: 1e-6, ms: 1e-3, s: 1 };

/** Seconds of processor time of each suite that forge ran; those of one name together. */
export function suitesOf(output: string): Map<string, number> {
  const suites = new Map<string, number>();
  const pattern = /^Ran \d+ tests? for [^:]+:(\w+)[^]*?\(([\d.]+)(ns|µs|ms|s) CPU time\)/gmu;
  for (const [, name = '', amount, unit = 's'] of output.matchAll(pattern))
    suites.set(name, (suites.get(name) ?? 0) + Number(amount) * (UNITS[unit] as number));
  return suites;
}
