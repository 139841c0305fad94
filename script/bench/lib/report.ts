/** One measured number of a benchmark. */
export interface BenchResult {
  readonly name: string;
  readonly value: number;
  /** Unit of `value`, `baseline` and `target`, such as `MB/s` (10^6 bytes) or `ms`. */
  readonly unit: string;
  /** The same work done in the plainest way in the same run, or null where there is none. */
  readonly baseline: number | null;
  /** `value` over `baseline`, or null. */
  readonly ratio: number | null;
  /** The value to reach, or null where there is none. */
  readonly target: number | null;
  /** Whether the target is reached; true where there is none. */
  readonly ok: boolean;
}

/** What a benchmark knows of one number before it is judged. */
export interface Measured {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline?: number;
  readonly target?: number;
  /** Which way is better; `higher` if absent. */
  readonly better?: 'higher' | 'lower';
}

/** Judges a number against its target and its baseline. */
export function judge({ name, value, unit, baseline, target, better = 'higher' }: Measured): BenchResult {
  return {
    name,
    value: rounded(value),
    unit,
    baseline: baseline === undefined ? null : rounded(baseline),
    ratio: baseline === undefined ? null : rounded(value / baseline),
    target: target === undefined ? null : rounded(target),
    ok: target === undefined || (better === 'higher' ? value >= target : value <= target),
  };
}

/**
 * Prints results as a table for people, or as one JSON array when `--json` is among the arguments. A missed target
 * shows in the output, not in the exit code: numbers of a busy machine must not fail a build.
 */
export function report(title: string, results: readonly BenchResult[], args: readonly string[] = process.argv): void {
  if (args.includes('--json')) console.log(JSON.stringify(results));
  else console.log(`${title}\n\n${table(results)}`);
}

/** The results as an aligned text table. */
export function table(results: readonly BenchResult[]): string {
  const rows = results.map((r) => [
    r.name,
    `${r.value} ${r.unit}`,
    r.baseline === null ? '' : String(r.baseline),
    r.ratio === null ? '' : `${r.ratio} ×`,
    r.target === null ? '' : String(r.target),
    r.ok ? 'ok' : 'MISSED',
  ]);
  const lines = [['what', 'measured', 'baseline', 'ratio', 'target', ''], ...rows];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const text = (line: string[]): string =>
    line
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  return lines.map(text).join('\n');
}

/** Three significant digits, since more would only be noise; but what is counted, such as gas, is exact. */
const rounded = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(3)));
