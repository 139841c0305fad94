import { PGlite } from '@electric-sql/pglite';
import { marketAbi } from '@dpu/sdk/abi';
import pg from 'pg';
import { createPublicClient, http, parseEventLogs, type Address } from 'viem';

/** What the same work costs at least: one question for all logs, decoding them, and one insert of what they say. */
export interface Floor {
  events: number;
  fetchSeconds: number;
  insertSeconds: number;
}

/** @param url PostgreSQL to insert into; PGlite in memory without. */
export async function measureFloor(rpcUrl: string, market: Address, url?: string): Promise<Floor> {
  const client = createPublicClient({ transport: http(rpcUrl, { maxResponseBodySize: false }) });
  const began = performance.now();
  const logs = await client.getLogs({ address: market, fromBlock: 0n, toBlock: 'latest' });
  const events = parseEventLogs({ abi: marketAbi, logs });
  const fetched = performance.now();
  const [ids, data] = [
    events.map((_, at) => at),
    events.map((event) =>
      JSON.stringify(event, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ),
  ];
  const [create, fill] = [
    'create temporary table floor (id int primary key, data text)',
    'insert into floor select * from unnest($1::int[], $2::text[])',
  ];
  if (url) {
    const database = new pg.Client({ connectionString: url });
    await database.connect();
    await database.query(create);
    const inserting = performance.now();
    await database.query(fill, [ids, data]);
    const done = performance.now();
    await database.end();
    return {
      events: events.length,
      fetchSeconds: (fetched - began) / 1_000,
      insertSeconds: (done - inserting) / 1_000,
    };
  }
  const database = new PGlite();
  await database.exec(create);
  const inserting = performance.now();
  await database.query(fill, [ids, data]);
  const done = performance.now();
  await database.close();
  return { events: events.length, fetchSeconds: (fetched - began) / 1_000, insertSeconds: (done - inserting) / 1_000 };
}
