import { getTableColumns, getTableName, type Table } from 'drizzle-orm';
import { toSnakeCase } from 'drizzle-orm/casing';
import pg from 'pg';
import { keccak256, toHex, type Hex } from 'viem';

import * as schema from '../../../indexer/ponder.schema.ts';
import { drawsOf } from '../../lib/faultPlan.ts';

type Row = Record<string, unknown>;

/** Jobs whose rows are written at once. */
const BATCH = 2_000;

/** What the generator makes: `jobs` jobs with a lease, three events and two payments each, of a thousand people on fifty nodes. */
export interface Market {
  jobs: number;
  currency: Hex;
  /** Newest block and time in the index; what is made lies before. */
  before: { block: number; timestamp: number };
  chainId: number;
}

const digits = (value: number, length: number) => String(value).padStart(length, '0');
/** The id of the job of this number. */
export const jobIdOf = (seed: number, number: number): Hex => keccak256(toHex(`job ${seed} ${number}`));

/** Writes rows straight into the tables of an index that stands still, by a seed. Its triggers are left out: what is made is final. */
export async function fillTables(url: string, at: string, seed: number, market: Market): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      `set session_replication_role = replica; set search_path = "${at}"; set synchronous_commit = off`,
    );
    const draw = drawsOf(seed);
    for (let from = 0; from < market.jobs; from += BATCH) {
      const made = Array.from({ length: Math.min(BATCH, market.jobs - from) }, (_, one) =>
        jobOf(seed, from + one, draw, market),
      );
      await insert(
        client,
        schema.job,
        made.map(({ job }) => job),
      );
      await insert(
        client,
        schema.lease,
        made.map(({ lease }) => lease),
      );
      await insert(
        client,
        schema.activity,
        made.flatMap(({ activity }) => activity),
      );
      await insert(
        client,
        schema.payment,
        made.flatMap(({ payment }) => payment),
      );
    }
    await client.query('analyze');
  } finally {
    await client.end();
  }
}

function jobOf(seed: number, number: number, draw: () => number, { currency, before, chainId, jobs }: Market) {
  const upTo = (most: number) => Math.floor(draw() * most);
  const id = jobIdOf(seed, number);
  const timestamp = before.timestamp - (jobs - number) - 1;
  // Many events in one early block, told apart by their log.
  const event = (log: number) =>
    `${digits(timestamp, 10)}${digits(chainId, 16)}${digits(0, 16)}${digits(number, 16)}5${digits(log, 16)}`;
  const transaction = keccak256(id);
  const requester = `0x${digits(upTo(1_000), 40)}`;
  const node = 1 + upTo(50);
  const isOpen = number % 20 === 0;
  const stamp = { changedBlock: 0, changedTransaction: transaction };
  const happened = { block: 0, timestamp, transaction };
  const job: Row = {
    ...{
      id,
      requester,
      currency,
      state: isOpen ? 'open' : 'complete',
      signed: false,
      minPrice: 1_000n,
      maxPrice: 3_000n,
      bond: 10n ** 19n,
    },
    ...{
      shards: 4,
      maxLease: 4,
      runtime: 1 + upTo(2),
      tier: 0,
      seats: 1,
      direct: false,
      tolerant: false,
      auditBps: 0,
      rules: 0n,
      params: 1,
    },
    ...{
      node: 0,
      start: timestamp,
      expiry: timestamp + 86_400,
      ramp: 600,
      exec: 60,
      window: 60,
      spec: keccak256(transaction),
      afterJob: `0x${'0'.repeat(64)}`,
    },
    ...{
      salt: BigInt(number),
      claimed: 4,
      settled: isOpen ? 0 : 4,
      lapses: 0,
      escrow: 12_000n,
      paid: 8_000n,
      fee: 240n,
      refunded: 3_760n,
      event: event(1),
    },
    ...{ postedAt: timestamp, postedBlock: 0, transaction, cancelledAt: null, closedAt: null, ...stamp },
  };
  const lease: Row = {
    ...{
      job: id,
      first: 0,
      count: 4,
      node,
      price: 2_000n,
      bond: 10n ** 19n,
      bonus: 0n,
      deadline: timestamp + 600,
      phase: isOpen ? 'claimed' : 'settled',
    },
    ...{
      event: event(2),
      claimedAt: timestamp + upTo(60),
      paid: 8_000n,
      fee: 240n,
      accepted: false,
      lapses: 0,
      ...stamp,
    },
  };
  const types = ['jobPosted', 'leaseClaimed', 'leaseSettled'] as const;
  const activity = types.map((type, log): Row => ({
    event: event(log + 1),
    type,
    job: id,
    first: 0,
    node,
    account: requester,
    amount: 8_000n,
    currency,
    ...happened,
  }));
  const payment = ['escrow', 'paid'].map((kind, part): Row => ({
    ...{
      sortKey: `${event(3)}.${kind}.${part}`,
      event: event(3),
      kind,
      part,
      currency,
      account: requester,
      amount: 8_000n,
      job: id,
      first: 0,
      node,
      ...happened,
    },
  }));
  return { job, lease, activity, payment };
}

/** One statement with one parameter: PostgreSQL makes the rows itself, ten times as fast as of a parameter for each value. */
async function insert(client: pg.Client, table: Table, rows: readonly Row[]): Promise<void> {
  const columns = Object.entries(getTableColumns(table)).map(
    ([name, column]) => [name, toSnakeCase(column.name || name)] as const,
  );
  const plain = (value: unknown) => (typeof value === 'bigint' ? String(value) : (value ?? null));
  const made = rows.map((row) => Object.fromEntries(columns.map(([name, at]) => [at, plain(row[name])])));
  const at = `"${getTableName(table)}"`;
  await client.query(`insert into ${at} select * from json_populate_recordset(null::${at}, $1)`, [
    JSON.stringify(made),
  ]);
}
