/**
 * The log of a shard, hash-chained: each line names the hash of the line before it, so that nothing can be taken out, put in or changed later without
 * changing the last hash. A lease's log is one text file with a JSON object per line, the shards one after the other. Logs differ between honest nodes, so
 * they are beside the result: the manifest names the file, the Merkle root does not know it.
 */
import { sha256, stringToBytes, type Hex } from 'viem';
import * as z from 'zod';

/** Levels of a line: what the shard said, what its process said on the side, the node's own words, and the last line of all. */
export const LINE_LEVELS = ['out', 'err', 'note', 'end'] as const;
/** Level of a line. */
export type LineLevel = (typeof LINE_LEVELS)[number];
/** Most characters of a line; longer ones are cut into several. */
export const LINE_CHARS = 1_024;
/** Most bytes of one shard's log, chain included. What is beyond is left out, and the last line says how much. */
export const MAX_SHARD_LOG_BYTES = 128 * 1024;
/** Kept free for the last line. */
const END_BYTES = 512;

/** One line. */
export interface LogEntry {
  /** Milliseconds since the shard began, by the node's clock. */
  ms: number;
  level: LineLevel;
  text: string;
}

/** Whose log it is: the first line names it, so that a chain cannot be passed off as another's. */
export interface LogOwner {
  job: Hex;
  shard: number;
  node: number;
}

/** A shard's log whose chain holds. */
export interface ShardLog extends LogOwner {
  entries: LogEntry[];
  /** Hash of the last line. */
  head: Hex;
  /** Whether it has an end: without, the node stopped before the shard did. */
  complete: boolean;
}

const lineSchema = z.strictObject({
  shard: z.int().min(0).max(0xffff_ffff),
  prev: z.string().regex(/^0x[0-9a-f]{64}$/),
  ms: z.int().min(0),
  level: z.enum(LINE_LEVELS),
  text: z.string().max(LINE_CHARS),
});

/** Thrown when a log is not what its node wrote: a chain that does not hold. */
export class LogBroken extends Error {
  /** Number of the line in the file, from 1. */
  readonly line: number;

  constructor(line: number, problem: string) {
    super(`The log is broken at line ${line}: ${problem}. Do not trust what it says; the result is not concerned.`);
    this.name = 'LogBroken';
    this.line = line;
  }
}

/** What the first line of a chain names as the hash before it. */
export function logOrigin({ job, shard, node }: LogOwner): Hex {
  return sha256(stringToBytes(`dpu shard log 1\n${job.toLowerCase()}\n${shard}\n${node}`));
}

/** Writes a shard's log. */
export class ShardLogWriter {
  readonly #shard: number;
  readonly #hash: (bytes: Uint8Array) => Hex;
  readonly #lines: string[] = [];
  readonly #entries: LogEntry[] = [];
  #head: Hex;
  #bytes = 0;
  #rest = '';
  #restLevel: LineLevel = 'out';
  #omitted = 0;
  #ended = false;

  /** @param hash sha2-256; Node's own is faster than the one for browsers. */
  constructor(owner: LogOwner, hash: (bytes: Uint8Array) => Hex = sha256) {
    this.#hash = hash;
    this.#shard = owner.shard;
    this.#head = logOrigin(owner);
  }

  /** Hash of the last line. */
  get head(): Hex {
    return this.#head;
  }

  /** Lines so far. */
  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  /** Takes a piece of what was said; whole lines are chained at once, the rest waits for its end. */
  write(level: LineLevel, ms: number, text: string): void {
    if (level !== this.#restLevel) this.#flush(ms);
    this.#restLevel = level;
    const pieces = (this.#rest + text).split('\n');
    this.#rest = pieces.pop() ?? '';
    for (const piece of pieces) this.#line(level, ms, piece);
    // A line without an end must not wait for ever, nor grow.
    while (this.#rest.length >= LINE_CHARS) {
      this.#line(level, ms, this.#rest.slice(0, LINE_CHARS));
      this.#rest = this.#rest.slice(LINE_CHARS);
    }
  }

  /** Writes the last line. Nothing follows it. */
  end(ms: number, text: string): void {
    if (this.#ended) return;
    this.#flush(ms);
    const omitted = this.#omitted === 0 ? '' : ` (${this.#omitted} lines left out)`;
    this.#chain({ ms, level: 'end', text: `${text.slice(0, 200)}${omitted}` });
    this.#ended = true;
  }

  /** The log as it is stored: lines with an end each. */
  toString(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }

  #flush(ms: number): void {
    if (this.#rest !== '') this.#line(this.#restLevel, ms, this.#rest);
    this.#rest = '';
  }

  #line(level: LineLevel, ms: number, text: string): void {
    if (this.#ended) return;
    for (let at = 0; at === 0 || at < text.length; at += LINE_CHARS) {
      this.#chain({ ms, level, text: text.slice(at, at + LINE_CHARS).toWellFormed() });
    }
  }

  #chain({ ms, level, text }: LogEntry): void {
    const entry = { ms: Math.max(0, Math.round(ms)), level, text };
    const line = JSON.stringify({ shard: this.#shard, prev: this.#head, ...entry });
    const bytes = stringToBytes(line);
    if (level !== 'end' && this.#bytes + bytes.length + 1 > MAX_SHARD_LOG_BYTES - END_BYTES) {
      this.#omitted += 1;
      return;
    }
    this.#bytes += bytes.length + 1;
    this.#lines.push(line);
    this.#entries.push(entry);
    this.#head = this.#hash(bytes);
  }
}

/**
 * Reads a lease's log and checks every chain in it.
 * @returns The logs of the shards that have one, by shard.
 * @throws LogBroken
 */
export function parseLog(text: string, { job, node }: Omit<LogOwner, 'shard'>): Map<number, ShardLog> {
  const logs = new Map<number, ShardLog>();
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new LogBroken(lines.length + 1, 'its end is missing');
  for (const [index, line] of lines.entries()) {
    const at = index + 1;
    const { shard, prev, ...entry } = parseLine(line, at);
    const log = logs.get(shard) ?? {
      ...{ job, shard, node },
      entries: [],
      head: logOrigin({ job, shard, node }),
      complete: false,
    };
    if (log.complete) throw new LogBroken(at, `shard ${shard} goes on after its end`);
    if (prev !== log.head) throw new LogBroken(at, `it follows ${prev}, but the line before it is ${log.head}`);
    log.entries.push(entry);
    log.head = sha256(stringToBytes(line));
    log.complete = entry.level === 'end';
    logs.set(shard, log);
  }
  return logs;
}

function parseLine(line: string, at: number): z.output<typeof lineSchema> {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch {
    throw new LogBroken(at, 'it is no line of a log');
  }
}
