import pg from 'pg';

/** A schema of an index: `<name>_<number>`, shown under the name by views once it is complete. */
export interface Built {
  schema: string;
  number: number;
  /** Its backfill is over. */
  isReady: boolean;
}

/** What is done to the schemas of one database. */
export interface Schemas {
  /** Those that there are, oldest first. */
  all(): Promise<Built[]>;
  /** The one that the views show; undefined before the first is complete. */
  shown(): Promise<string | undefined>;
  /** Forgets what Ponder keeps of the chain's blocks and logs: it must be read again. */
  forgetChain(): Promise<void>;
  drop(schema: string): Promise<void>;
  close(): Promise<void>;
}

/** The schemas that belong to the views `name` in the database at `url`. */
export function schemasOf(url: string, name: string): Schemas {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  // A connection that breaks while nobody uses it must not end the process; the next question tells.
  pool.on('error', () => undefined);
  const ask = async (sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
    (await pool.query<Record<string, unknown>>(sql, values)).rows;
  return {
    async all() {
      const found = await ask(
        `select table_schema as schema from information_schema.tables where table_name = '_ponder_meta' and table_type = 'BASE TABLE'`,
      );
      const built: Built[] = [];
      for (const { schema } of found) {
        const [, number] = new RegExp(`^${name}_(\\d+)$`).exec(String(schema)) ?? [];
        if (number === undefined) continue;
        const [meta] = await ask(
          `select value->>'is_ready' as ready from "${String(schema)}"._ponder_meta where key = 'app'`,
        );
        built.push({ schema: String(schema), number: Number(number), isReady: meta?.['ready'] === '1' });
      }
      return built.sort((a, b) => a.number - b.number);
    },
    async shown() {
      const [row] = await ask(
        `select table_schema as schema from information_schema.view_table_usage where view_schema = $1 and view_name = '_ponder_checkpoint'`,
        [name],
      );
      return row && String(row['schema']);
    },
    forgetChain: async () => void (await ask('drop schema if exists ponder_sync cascade')),
    drop: async (schema) => void (await ask(`drop schema if exists "${schema}" cascade`)),
    close: () => pool.end(),
  };
}
