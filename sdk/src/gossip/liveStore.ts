/** What the network said lately: the newest of everything, bounded in bytes, gone when it is old. Holds the signed bytes, so that it can hand them on. */
import type { Hex } from 'viem';

import { mayHold } from './filter.ts';
import { readBody, type Checked } from './guard.ts';
import { decodeStatement } from './statement.ts';
import { GOSSIP_TOPICS, TOPICS, type Bodies, type GossipTopic } from './topics.ts';
import type { CidLike } from '../storage/cid.ts';
import { foldProgress, type ShardView } from './progressView.ts';

/** Bounds of the store. */
export interface LiveStoreOptions {
  /** Bytes of all statements together. */
  readonly totalBytes: number;
  /** Bytes of one node's. */
  readonly nodeBytes: number;
}

/** Messages about one job's progress that are kept beyond the newest of each shard: their lines are the log's tail. */
const TAIL_MESSAGES = 8;
/** Bytes that an entry costs beyond its own. */
const ENTRY_BYTES = 128;

interface Kept {
  topic: GossipTopic;
  sequence: number;
  time: number;
  bytes: Uint8Array;
  /** Of progress: the shards that it speaks of. */
  shards?: readonly number[];
}

/** One thing that a node said, and when (unix milliseconds of its clock). */
export type Spoken<Name extends GossipTopic> = Bodies[Name] & { node: number; saidAt: number };

/** The newest statements of every node. */
export class LiveStore {
  readonly #options: LiveStoreOptions;
  readonly #nodes = new Map<number, { bytes: number; kept: Map<string, Kept[]> }>();
  #bytes = 0;

  constructor(options: LiveStoreOptions = { totalBytes: 16 * 1024 * 1024, nodeBytes: 512 * 1024 }) {
    this.#options = options;
  }

  /** Bytes that are held, overhead included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a statement in. @returns whether it says something new. */
  add(statement: Checked<GossipTopic>): boolean {
    const { node, topic, sequence, time, bytes } = statement;
    const own = this.#nodes.get(node) ?? { bytes: 0, kept: new Map<string, Kept[]>() };
    this.#nodes.set(node, own);
    const key = keyOf(statement);
    const known = own.kept.get(key) ?? [];
    const fresh: Kept = { topic, sequence, time, bytes };
    if (topic === 'progress') fresh.shards = (statement as Checked<'progress'>).said.shards.map(({ shard }) => shard);
    else if (known.some((kept) => kept.sequence >= sequence)) return false;
    if (known.some((kept) => kept.sequence === sequence)) return false;
    const all = [...known, fresh].sort((a, b) => a.sequence - b.sequence);
    const kept = topic === 'progress' ? worthKeeping(all) : [fresh];
    if (!kept.includes(fresh)) return false;
    // Moved to the end: what was touched longest ago goes first.
    own.kept.delete(key);
    own.kept.set(key, kept);
    this.#count(own, sizeOf(kept) - sizeOf(known));
    this.#trim(node);
    return true;
  }

  /** Forgets what is older than its topic is worth. @param now Unix milliseconds. */
  expire(now: number): void {
    for (const [node, own] of this.#nodes) {
      for (const [key, list] of own.kept) {
        const left = list.filter(({ topic, time }) => time >= now - TOPICS[topic].keptMs);
        if (left.length === list.length) continue;
        this.#count(own, sizeOf(left) - sizeOf(list));
        if (left.length === 0) own.kept.delete(key);
        else own.kept.set(key, left);
      }
      if (own.kept.size === 0) this.#nodes.delete(node);
    }
  }

  /** Every statement as it was signed, oldest of each node first: for who joins late. */
  *all(): Generator<Uint8Array> {
    for (const { kept } of this.#nodes.values()) {
      for (const { bytes } of [...kept.values()].flat().sort((a, b) => a.sequence - b.sequence)) yield bytes;
    }
  }

  heartbeats(): Spoken<'heartbeat'>[] {
    return this.#spoken('heartbeat', () => true);
  }

  declines(job?: Hex): Spoken<'decline'>[] {
    return this.#spoken('decline', (key) => job === undefined || key === `decline:${job.toLowerCase()}`);
  }

  /** Shards of a job as their nodes last spoke of them, with the tail of their logs. */
  progress(job: Hex): ShardView[] {
    return foldProgress(this.#spoken('progress', (key) => key === `progress:${job.toLowerCase()}`));
  }

  /** Whether a node said that it holds `cid`: no is certain unless it is silent, yes is nearly. */
  holds(node: number, cid: CidLike): boolean {
    const [kept] = this.#nodes.get(node)?.kept.get('holdings') ?? [];
    const said = kept && (read(kept.bytes) as Bodies['holdings'] | undefined);
    return said !== undefined && mayHold(said, cid);
  }

  /** Nodes that said that they hold `cid`. */
  holders(cid: CidLike): number[] {
    return [...this.#nodes.keys()].filter((node) => this.holds(node, cid));
  }

  #spoken<Name extends GossipTopic>(topic: Name, wanted: (key: string) => boolean): Spoken<Name>[] {
    return [...this.#nodes].flatMap(([node, { kept }]) =>
      [...kept]
        .filter(([key, [first]]) => first?.topic === topic && wanted(key))
        .flatMap(([, list]) => list)
        .map(({ bytes, time }) => ({ ...(read(bytes) as Bodies[Name]), node, saidAt: time })),
    );
  }

  #count(own: { bytes: number }, by: number): void {
    own.bytes += by;
    this.#bytes += by;
  }

  /** One node cannot push out what another said, except where all together are too much: then who said most loses first. */
  #trim(node: number): void {
    const own = this.#nodes.get(node);
    while (own && own.bytes > this.#options.nodeBytes && this.#dropOldest(own));
    while (this.#bytes > this.#options.totalBytes) {
      const heaviest = [...this.#nodes.values()].reduce((a, b) => (b.bytes > a.bytes ? b : a));
      if (!this.#dropOldest(heaviest)) return;
    }
  }

  /** Heartbeats and holdings stay: there is one of each. */
  #dropOldest(own: { bytes: number; kept: Map<string, Kept[]> }): boolean {
    for (const [key, list] of own.kept) {
      if (key === 'heartbeat' || key === 'holdings') continue;
      const [oldest, ...rest] = list;
      if (rest.length === 0) own.kept.delete(key);
      else own.kept.set(key, rest);
      this.#count(own, -sizeOf(oldest ? [oldest] : []));
      return true;
    }
    return false;
  }
}

function keyOf({ topic, said }: Checked<GossipTopic>): string {
  return 'job' in said ? `${topic}:${said.job}` : topic;
}

/** The last messages, and before them those that are the newest word on some shard. */
function worthKeeping(list: readonly Kept[]): Kept[] {
  const later = new Set<number>();
  return list
    .toReversed()
    .filter(({ shards = [] }, index) => {
      const says = shards.some((shard) => !later.has(shard));
      for (const shard of shards) later.add(shard);
      return says || index < TAIL_MESSAGES;
    })
    .reverse();
}

const sizeOf = (list: readonly Kept[]): number => list.reduce((sum, { bytes }) => sum + bytes.length + ENTRY_BYTES, 0);

/** What kept bytes say. They were checked when they came. */
function read(bytes: Uint8Array): Bodies[GossipTopic] | undefined {
  const statement = decodeStatement(bytes);
  const topic = GOSSIP_TOPICS.find((name) => name === statement?.topic);
  return statement && topic ? readBody(topic, statement.body) : undefined;
}
