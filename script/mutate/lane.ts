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

/** From quick to slow; a mutant that an earlier stage kills never sees the later. */
const STAGES = [
  ['--match-path', 'test/contracts/unit/*'],
  ['--no-match-path', 'test/contracts/{unit,invariant}/*'],
  ['--match-path', 'test/contracts/invariant/*'],
];

/** Fixed, so that a mutant's fate is the same tomorrow. */
const SEED = '0x5eed';

/** One copy with the longest time that each of its stages may take. */
export class Lane {
  readonly scratch: Scratch;
  #limits: number[] = STAGES.map(() => 600_000);

  constructor(scratch: Scratch) {
    this.scratch = scratch;
  }

  /** Runs all tests with no mutant on. Throws when one fails: then nothing that follows would mean anything. */
  async baseline(): Promise<number[]> {
    const seconds: number[] = [];
    for (const stage of STAGES.keys()) {
      const from = performance.now();
      const { code, output } = await this.#test(stage, 0n);
      if (code !== 0)
        throw new Error(`the tests fail without any mutant:\n${failuresOf(output).join('\n') || output.slice(-3_000)}`);
      const ms = performance.now() - from;
      this.#limits[stage] = ms * 4 + 30_000;
      seconds.push(ms / 1_000);
    }
    return seconds;
  }

  /** Takes over the bounds that another lane measured. */
  boundLike(other: Lane): void {
    this.#limits = other.#limits;
  }

  /** Runs the tests with mutant `id` on (0: with what is installed) until one fails. */
  async judge(id: bigint): Promise<Verdict> {
    const from = performance.now();
    const verdict = (status: Status, by?: string): Verdict => ({
      status,
      ...(by === undefined ? {} : { by }),
      seconds: Math.round((performance.now() - from) / 100) / 10,
    });
    for (const stage of STAGES.keys()) {
      const { code, output, stopped } = await this.#test(stage, id);
      if (stopped) return verdict('killed', 'timeout');
      if (code === 0) continue;
      const [first] = failuresOf(output);
      if (first === undefined) throw new Error(`forge failed, but no test did:\n${output.slice(-3_000)}`);
      return verdict('killed', first);
    }
    return verdict('survived');
  }

  #test(stage: number, id: bigint): ReturnType<Scratch['forge']> {
    const coinbase = `0x${id.toString(16).padStart(40, '0')}`;
    const filter = STAGES[stage] as string[];
    const args = ['test', '--fail-fast', '--fuzz-seed', SEED, '--block-coinbase', coinbase, ...filter];
    return this.scratch.forge(args, this.#limits[stage] as number);
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
