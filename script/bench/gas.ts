import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nativeBinary, root } from '../native.mjs';
import { judge, report } from './lib/report.ts';
import type { BenchResult } from './lib/report.ts';

/**
 * Gas of every call and of whole lives, from the forge tests in `test/contracts/gas` (`isolate = true`, so each number is
 * what a receipt would say). `baseline` is the leanest peer that does the same, measured with its own code, or, for the
 * lines marked "floor", what bare slots and calldata cost. `--json` prints JSON, `--no-run` reads the committed snapshots.
 */

/** What a line is judged by: the snapshot's name, the number beside it and the target of DESIGN.md. */
interface Line {
  readonly snapshot: string;
  readonly name?: string;
  readonly baseline?: number;
  readonly target?: number;
}

/** Whole lives of one single-shard task, then shares of larger ones. Boundless: mock verifier; Hourglass: mock certificate. */
const TOTALS: Line[] = [
  { snapshot: 'direct, no window, one price', baseline: 265_951, target: 220_000 },
  { snapshot: 'direct, DPU', name: 'direct, 2 min window, price ramp', baseline: 265_951, target: 220_000 },
  { snapshot: 'direct, ERC-20', name: 'direct, 2 min window, price ramp, ERC-20', baseline: 265_951 },
  { snapshot: 'direct, accepted by signature', baseline: 265_951 },
  { snapshot: 'commit, audit draw, reveal, no window, one price', baseline: 501_000, target: 250_000 },
  {
    snapshot: 'commit, audit draw, reveal, DPU',
    name: 'commit, audit draw, reveal, 2 min window, price ramp',
    baseline: 501_000,
    target: 250_000,
  },
  { snapshot: 'commit, audit draw, reveal, ERC-20', name: 'the same in ERC-20', baseline: 501_000 },
  { snapshot: 'signed order and acceptance, one transaction', baseline: 138_505, target: 140_000 },
  {
    snapshot: 'signed order, signed acceptance',
    name: 'signed order, bond, signed acceptance, two transactions',
    baseline: 234_339,
    target: 140_000,
  },
  {
    snapshot: 'three seats, claim and commit together, DPU',
    name: 'three seats, claim and commit together, all reveals in one',
    baseline: 908_000,
    target: 360_000,
  },
  { snapshot: 'three seats, DPU', name: 'three seats, claimed before they are computed', baseline: 908_000 },
  {
    snapshot: 'challenge and verdict of five jurors',
    target: 650_000,
  },
  { snapshot: 'per shard, 64 in one lease', baseline: 57_278, target: 5_000 },
  { snapshot: 'per shard, 64 in one lease, with commit', baseline: 57_278, target: 5_000 },
  { snapshot: 'per shard, 256 in four leases, settled together', baseline: 57_278, target: 5_000 },
];

/** Single calls beside the peers' calls that do the same. */
const STEPS: Line[] = [
  { snapshot: 'deposit', baseline: 49_792 },
  { snapshot: 'depositWithPermit', baseline: 72_339 },
  { snapshot: 'post, DPU', baseline: 151_632 },
  { snapshot: 'post, ERC-20', baseline: 151_632 },
  { snapshot: 'claim, solo', baseline: 149_319 },
  { snapshot: 'claim, solo', name: 'claim, solo (floor: lock of 1 new slot, 2 updates, 1 event)', baseline: 55_710 },
  { snapshot: 'commit, solo', baseline: 53_214 },
  { snapshot: 'reveal, solo', baseline: 56_000 },
  { snapshot: 'submit, solo', baseline: 116_632 },
  { snapshot: 'settle, solo', baseline: 85_856 },
  { snapshot: 'settle, solo', name: 'settle, solo (floor: 2 slot updates, 1 event)', baseline: 33_285 },
  { snapshot: 'settleOrder', name: 'settleOrder (floor: whole life, 4 slot updates, 1 event)', baseline: 44_032 },
];

/** Runs the gas tests, which write the snapshots. */
function measure(): void {
  const quiet = process.argv.includes('--json') ? 'ignore' : 'inherit';
  const { status } = spawnSync(nativeBinary('forge'), ['test', '--match-contract', 'GasTest', '--summary'], {
    cwd: root,
    stdio: ['ignore', quiet, 'inherit'],
  });
  if (status !== 0)
    throw new Error(`the gas tests failed with exit code ${String(status)}: run node script/forge.mjs test`);
}

function snapshot(group: string): Record<string, string> {
  return JSON.parse(readFileSync(join(root, 'test/snapshots', `${group}.json`), 'utf8')) as Record<string, string>;
}

function judged(group: string, lines: Line[]): BenchResult[] {
  const values = snapshot(group);
  const named = new Set(lines.map((line) => line.snapshot));
  const rest = Object.keys(values).filter((name) => !named.has(name));
  return [...lines, ...rest.map((name): Line => ({ snapshot: name }))].map(
    ({ snapshot: key, name = key, ...judgedBy }) => {
      const value = values[key];
      if (value === undefined) throw new Error(`test/snapshots/${group}.json has no "${key}": run the gas tests`);
      return judge({ name, value: Number(value), unit: 'gas', better: 'lower', ...judgedBy });
    },
  );
}

if (!process.argv.includes('--no-run')) measure();
report('Gas: whole lives, then single calls', [...judged('totals', TOTALS), ...judged('steps', STEPS)]);
