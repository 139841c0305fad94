/** What is known about mutants: the verdicts so far, and the survivors that a person has explained. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import type { Status, Verdict } from './lane.ts';
import type { Mutant } from './operators.ts';

/** A verdict with what it was about. */
export interface Entry extends Verdict {
  readonly key: string;
  readonly file: string;
  readonly scope: string;
  readonly operator: string;
  readonly line: number;
  readonly original: string;
  readonly mutated: string;
  readonly digest: string;
}

/** The result file: read at the start, written after each verdict, so that a run that was stopped goes on where it was. */
export class Results {
  readonly #path: string;
  readonly #entries = new Map<string, Entry>();

  constructor(path: string) {
    this.#path = path;
    if (!existsSync(path)) return;
    for (const entry of JSON.parse(readFileSync(path, 'utf8')) as Entry[]) this.#entries.set(entry.key, entry);
  }

  /** The verdict on `mutant`, unless its function has changed since. */
  find({ key, digest }: Mutant): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry?.digest === digest ? entry : undefined;
  }

  /** Forgets the survivors among `mutants`, so that better tests may kill them. */
  retry(mutants: Mutant[]): void {
    for (const mutant of mutants) if (this.find(mutant)?.status === 'survived') this.#entries.delete(mutant.key);
  }

  /** Notes a verdict, on disk too. */
  add({ key, file, scope, operator, line, original, mutated, digest }: Mutant, verdict: Verdict): void {
    this.#entries.set(key, { key, file, scope, operator, line, original, mutated, digest, ...verdict });
    mkdirSync(dirname(this.#path), { recursive: true });
    const text = JSON.stringify([...this.#entries.values()], null, 1);
    writeFileSync(`${this.#path}.new`, `${text}\n`);
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
export function tableOf(entries: Entry[], explained: Map<string, string>): Row[] {
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
