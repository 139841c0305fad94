/** What is known about mutants: the verdicts so far, and the survivors that a person has explained. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import type { Status, Verdict } from './lane.ts';
import type { Mutant } from './operators.ts';

/** A verdict with what it was about. */
export type Entry = Mutant & Pick<Verdict, 'status' | 'by'>;

/** What is kept of a verdict: the text of its function as a digest, what became of the mutant, and the test that killed it. */
type Kept = [digest: string, status: Status, by?: string];

/** The result file: read at the start, written after each verdict, so that a run that was stopped goes on where it was. */
export class Results {
  readonly #path: string;
  readonly #kept = new Map<string, Kept>();

  constructor(path: string) {
    this.#path = path;
    if (!existsSync(path)) return;
    for (const [key, kept] of Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Record<string, Kept>))
      this.#kept.set(key, kept);
  }

  /** The verdict on `mutant`, unless its function has changed since. */
  find(mutant: Mutant): Entry | undefined {
    const [digest, status, by] = this.#kept.get(mutant.key) ?? [];
    return digest === mutant.digest && status ? { ...mutant, status, ...(by && { by }) } : undefined;
  }

  /** Forgets the survivors among `mutants`, so that better tests may kill them. */
  retry(mutants: Mutant[]): void {
    for (const mutant of mutants) if (this.find(mutant)?.status === 'survived') this.#kept.delete(mutant.key);
  }

  /** Forgets what is not among `mutants`: functions that are gone. */
  prune(mutants: Mutant[]): void {
    const keys = new Set(mutants.map(({ key }) => key));
    for (const key of this.#kept.keys()) if (!keys.has(key)) this.#kept.delete(key);
  }

  /** Notes a verdict, on disk too: a line each, in order, so that versions of the file can be compared. */
  add({ key, digest }: Mutant, { status, by }: Verdict): void {
    this.#kept.set(key, by === undefined ? [digest, status] : [digest, status, by]);
    mkdirSync(dirname(this.#path), { recursive: true });
    const lines = [...this.#kept].sort(([a], [b]) => (a < b ? -1 : 1));
    const text = lines.map(([name, kept]) => `${JSON.stringify(name)}: ${JSON.stringify(kept)}`).join(',\n');
    writeFileSync(`${this.#path}.new`, `{\n${text}\n}\n`);
    renameSync(`${this.#path}.new`, this.#path);
  }
}

/** Why some mutants may live: they change nothing that anyone could see. */
export interface Explanation {
  readonly key: string;
  readonly reason: string;
}

/** Reads the explanations; throws at one without a reason. */
export function readExplanations(path: string): Map<string, string> {
  const list = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Explanation[]) : [];
  for (const { key, reason } of list) if (!reason?.trim()) throw new Error(`${path} gives no reason for ${key}`);
  return new Map(list.map(({ key, reason }) => [key, reason]));
}

/** How many mutants of one contract ended how. */
export interface Row {
  name: string;
  mutants: number;
  killed: number;
  explained: number;
  survived: number;
  'compile-error': number;
}

/** Counts by the contract in `scope`, with a sum in the last row. */
export function tableOf(
  entries: Pick<Entry, 'key' | 'file' | 'scope' | 'status'>[],
  explained: Map<string, string>,
): Row[] {
  const empty = (name: string): Row => ({ name, mutants: 0, killed: 0, explained: 0, survived: 0, 'compile-error': 0 });
  const rows = new Map<string, Row>();
  const total = empty('all');
  for (const { key, file, scope, status } of entries) {
    const name = `${file.replace('src-contracts/', '')} ${scope.includes('.') ? scope.split('.')[0] : ''}`.trim();
    const row = rows.get(name) ?? empty(name);
    rows.set(name, row);
    const column: Status | 'explained' = status === 'survived' && explained.has(key) ? 'explained' : status;
    for (const counts of [row, total]) {
      counts.mutants += 1;
      counts[column] += 1;
    }
  }
  return [...[...rows.values()].sort((a, b) => a.name.localeCompare(b.name)), total];
}

/** The part of the mutants that could be killed and were, in percent; explained survivors could not. */
export function scoreOf({ killed, survived }: Row): number {
  return killed + survived === 0 ? 100 : (100 * killed) / (killed + survived);
}
