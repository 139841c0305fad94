import type { IntentKind } from '../sending/outbox.ts';
import type { Journal } from '../sending/journal.ts';

/** Weight of the newest measurement in a running average. */
const NEWEST = 0.3;

/**
 * Gas of each transaction of a lease before this node has sent one, from the contracts' own measurements, rounded up. Only those that a lease
 * needs are here: what a node does for the court is paid by the court.
 */
const USUAL_GAS: Partial<Record<IntentKind, number>> = {
  claim: 75_000,
  takeOver: 90_000,
  sit: 110_000,
  audit: 110_000,
  commit: 45_000,
  submit: 60_000,
  reveal: 50_000,
  settle: 75_000,
  agree: 110_000,
};

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS paces (runtime TEXT PRIMARY KEY, seconds REAL NOT NULL, samples INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS module_units (module TEXT PRIMARY KEY, units REAL NOT NULL, samples INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS gas_used (kind TEXT PRIMARY KEY, gas REAL NOT NULL, samples INTEGER NOT NULL) STRICT;
`;

/** One shard that was computed. */
export interface Measured {
  runtime: string;
  module: string;
  units: number;
  seconds: number;
}

/** What this node learnt from its own work: how long a unit takes per runtime, how many a module needs, what gas steps cost. On disk. */
export class Experience {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
    journal.extend(SCHEMA);
  }

  /** Takes in a shard. */
  learn({ runtime, module, units, seconds }: Measured): void {
    // Short shards are mostly the start of their process, which is no unit's time: the whole of it still is what a shard takes.
    this.#average('paces', 'runtime', 'seconds', runtime, seconds / Math.max(1, units));
    this.#average('module_units', 'module', 'units', module, units);
  }

  /** Takes in what a transaction of a kind cost. */
  learnGas(kind: IntentKind, gas: bigint): void {
    this.#average('gas_used', 'kind', 'gas', kind, Number(gas));
  }

  /** Seconds that a unit takes in a runtime here; undefined without experience. */
  secondsPerUnit(runtime: string): number | undefined {
    return this.#journal.get<{ seconds: number }>('SELECT seconds FROM paces WHERE runtime = ?', runtime)?.seconds;
  }

  /** Units that a shard of a module takes; undefined without experience. */
  unitsOf(module: string): number | undefined {
    return this.#journal.get<{ units: number }>('SELECT units FROM module_units WHERE module = ?', module)?.units;
  }

  /** Gas of a transaction of a kind: by experience, else what is usual. */
  gasOf(kind: IntentKind): bigint {
    const known = this.#journal.get<{ gas: number }>('SELECT gas FROM gas_used WHERE kind = ?', kind)?.gas;
    return BigInt(Math.ceil(known ?? USUAL_GAS[kind] ?? 0));
  }

  /** Seconds per unit of every runtime that was used. */
  paces(): Record<string, number> {
    const rows = this.#journal.all<{ runtime: string; seconds: number }>('SELECT runtime, seconds FROM paces');
    return Object.fromEntries(rows.map(({ runtime, seconds }) => [runtime, seconds]));
  }

  #average(table: string, name: string, column: string, key: string, value: number): void {
    this.#journal.run(
      `INSERT INTO ${table} VALUES (?, ?, 1) ON CONFLICT (${name}) DO UPDATE SET
       ${column} = ${column} * ${1 - NEWEST} + excluded.${column} * ${NEWEST}, samples = samples + 1`,
      key,
      value,
    );
  }
}
