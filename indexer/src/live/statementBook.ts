import type { DatabaseSync } from 'node:sqlite';

import { readBody, type Checked } from '@dpu/sdk/gossip/guard';
import type { Spoken } from '@dpu/sdk/gossip/liveStore';
import { decodeStatement } from '@dpu/sdk/gossip/statement';
import { GOSSIP_TOPICS, TOPICS, type GossipTopic } from '@dpu/sdk/gossip/topics';

import { openFile } from './openFile.ts';

/** How much is kept. */
export interface StatementBookOptions {
  /** Bytes of everything. */
  readonly totalBytes: number;
  /** Bytes that one node may have on one topic: a node that says much pushes out its own words on that topic alone. */
  readonly nodeBytes: number;
}

const HOUR = 3_600_000;
/** How long each topic is worth keeping here, milliseconds: a requester asks for reasons long after neighbours have forgotten them. */
export const BOOK_KEPT_MS: Readonly<Record<GossipTopic, number>> = {
  heartbeat: 24 * HOUR,
  decline: 7 * 24 * HOUR,
  progress: TOPICS.progress.keptMs,
  holdings: TOPICS.holdings.keptMs,
};

const DEFAULTS: StatementBookOptions = { totalBytes: 128 * 1024 * 1024, nodeBytes: 512 * 1024 };
/** Bytes that a row costs beyond its own. */
const ROW_BYTES = 128;

const TABLES = `
  CREATE TABLE IF NOT EXISTS statement (
    node INTEGER NOT NULL, topic TEXT NOT NULL, job TEXT NOT NULL, sequence INTEGER NOT NULL,
    time INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (node, topic, job, sequence)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS statement_of_job ON statement (job, topic);
  CREATE INDEX IF NOT EXISTS statement_by_age ON statement (topic, time);
`;

interface Row {
  node: number;
  topic: GossipTopic;
  sequence: number;
  time: number;
  bytes: Uint8Array;
}

/**
 * What nodes said, as it was signed, in a file of its own: the chain's tables can be dropped and built again, this cannot. Of heartbeats, holdings and
 * declines the newest of each node (and job); of progress everything within the bounds.
 */
export class StatementBook {
  readonly #options: StatementBookOptions;
  readonly #database: DatabaseSync;
  /** Bytes by node and topic. */
  readonly #held = new Map<string, number>();
  #bytes = 0;

  constructor(file: string, options: StatementBookOptions = DEFAULTS) {
    this.#options = options;
    this.#database = openFile(file, TABLES);
    const sums = this.#all<{ node: number; topic: string; bytes: number }>(
      'SELECT node, topic, SUM(LENGTH(bytes) + ?) AS bytes FROM statement GROUP BY node, topic',
      ROW_BYTES,
    );
    for (const { node, topic, bytes } of sums) this.#count(node, topic, bytes);
  }

  /** Bytes that are held, overhead included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes in what was heard and checked. What says less than what is there is left out. */
  add({ node, topic, sequence, time, bytes, said }: Checked<GossipTopic>): void {
    const job = 'job' in said ? said.job : '';
    if (topic !== 'progress') {
      const newer =
        'SELECT 1 AS there FROM statement WHERE node = ? AND topic = ? AND job = ? AND sequence >= ? LIMIT 1';
      if (this.#all(newer, node, topic, job, sequence).length > 0) return;
      this.#remove('node = ? AND topic = ? AND job = ?', node, topic, job);
    }
    const insert =
      'INSERT OR IGNORE INTO statement (node, topic, job, sequence, time, bytes) VALUES (?, ?, ?, ?, ?, ?)';
    const { changes } = this.#database.prepare(insert).run(node, topic, job, sequence, time, bytes);
    if (Number(changes) === 0) return;
    this.#count(node, topic, bytes.length + ROW_BYTES);
    while (this.#of(node, topic) > this.#options.nodeBytes && this.#dropOldest(node, topic));
    while (this.#bytes > this.#options.totalBytes) {
      const [heaviest] = [...this.#held].reduce((a, b) => (b[1] > a[1] ? b : a));
      const [by = '', about = ''] = heaviest.split(' ');
      if (!this.#dropOldest(Number(by), about)) return;
    }
  }

  /** Forgets what is older than its topic is worth. @param now Unix milliseconds. */
  expire(now: number): void {
    for (const topic of GOSSIP_TOPICS) this.#remove('topic = ? AND time < ?', topic, now - BOOK_KEPT_MS[topic]);
  }

  /** What neighbours would still hand on, oldest of each node first: for the memory of a place that was started again. @param now Unix milliseconds. */
  *fresh(now: number): Generator<Checked<GossipTopic>> {
    for (const topic of GOSSIP_TOPICS) {
      const sql = 'SELECT * FROM statement WHERE topic = ? AND time >= ? ORDER BY node, sequence';
      for (const row of this.#all<Row>(sql, topic, now - TOPICS[topic].keptMs)) {
        const statement = decodeStatement(row.bytes);
        const said = statement && readBody(topic, statement.body);
        if (said) yield { ...statement, topic, said, bytes: row.bytes };
      }
    }
  }

  /** What each node said last about a job. */
  declines(job: string): Spoken<'decline'>[] {
    return this.#spoken('decline', 'job = ? AND topic = ?', job.toLowerCase(), 'decline');
  }

  /** What a node said of itself last. */
  heartbeat(node: number): Spoken<'heartbeat'> | undefined {
    return this.#spoken('heartbeat', "node = ? AND topic = 'heartbeat'", node)[0];
  }

  close(): void {
    this.#database.close();
  }

  #spoken<Name extends GossipTopic>(topic: Name, where: string, ...values: (string | number)[]): Spoken<Name>[] {
    return this.#all<Row>(`SELECT * FROM statement WHERE ${where} ORDER BY node`, ...values).flatMap(
      ({ node, time, bytes }) => {
        const statement = decodeStatement(bytes);
        const said = statement && readBody(topic, statement.body);
        return said ? [{ ...said, node, saidAt: time }] : [];
      },
    );
  }

  #all<Result>(sql: string, ...values: (string | number)[]): Result[] {
    return this.#database.prepare(sql).all(...values) as Result[];
  }

  #remove(where: string, ...values: (string | number)[]): number {
    const sql = `DELETE FROM statement WHERE ${where} RETURNING node, topic, LENGTH(bytes) AS length`;
    const gone = this.#all<{ node: number; topic: string; length: number }>(sql, ...values);
    for (const { node, topic, length } of gone) this.#count(node, topic, -length - ROW_BYTES);
    return gone.length;
  }

  #dropOldest(node: number, topic: string): boolean {
    const oldest = 'SELECT rowid FROM statement WHERE node = ? AND topic = ? ORDER BY sequence LIMIT 1';
    return this.#remove(`rowid = (${oldest})`, node, topic) > 0;
  }

  #of(node: number, topic: string): number {
    return this.#held.get(`${node} ${topic}`) ?? 0;
  }

  #count(node: number, topic: string, by: number): void {
    const bytes = this.#of(node, topic) + by;
    if (bytes === 0) this.#held.delete(`${node} ${topic}`);
    else this.#held.set(`${node} ${topic}`, bytes);
    this.#bytes += by;
  }
}
