/** What of sequence numbers must survive the process: which were heard, and which this node has used. Node only. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

import { ReplayWindows, type Place } from './replay.ts';
import { TOPICS, type TopicName } from './topics.ts';

/** Lines after which the file is written anew with those that still count. */
const COMPACT_LINES = 50_000;
/** Numbers that are reserved at once, so that not every message waits for the disk. */
const RESERVED = 1_024;

/** Windows against replays that a file remembers: a node that is started again hears nothing twice. */
export class HeardFile {
  readonly windows = new ReplayWindows();
  readonly #file: string;
  readonly #keptMs: number;
  #lines: Place[] = [];
  #descriptor: number;

  /**
   * @param keptMs Age from which a statement is refused anyway, milliseconds.
   * @param now Unix milliseconds.
   */
  constructor(file: string, keptMs: number, now: number) {
    this.#file = file;
    this.#keptMs = keptMs;
    mkdirSync(dirname(file), { recursive: true });
    for (const place of readPlaces(file)) {
      if (place.time < now - keptMs) continue;
      if (this.windows.mark(place)) this.#lines.push(place);
    }
    this.#descriptor = this.#rewrite();
  }

  /** Marks a statement as heard, here and in the file. @returns false when it was before. */
  mark(place: Place): boolean {
    if (!this.windows.mark(place)) return false;
    this.#lines.push(place);
    // Without fsync: a crash of this process loses nothing, one of the machine at most what its age refuses soon.
    writeSync(this.#descriptor, lineOf(place));
    if (this.#lines.length >= COMPACT_LINES) this.#compact();
    return true;
  }

  /** Forgets what its age refuses. */
  forget(now: number): void {
    this.windows.forget(now - this.#keptMs);
    this.#lines = this.#lines.filter(({ time }) => time >= now - this.#keptMs);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #compact(): void {
    this.forget(this.#lines.reduce((latest, { time }) => Math.max(latest, time), 0));
    // When all of it still counts, half of it must do: what is lost is the oldest.
    if (this.#lines.length >= COMPACT_LINES) this.#lines = this.#lines.slice(COMPACT_LINES / 2);
    closeSync(this.#descriptor);
    this.#descriptor = this.#rewrite();
  }

  #rewrite(): number {
    const draft = `${this.#file}.draft`;
    const descriptor = openSync(draft, 'w', 0o600);
    writeSync(descriptor, this.#lines.map(lineOf).join(''));
    renameSync(draft, this.#file);
    return descriptor;
  }
}

function lineOf({ topic, node, sequence, time }: Place): string {
  return `${topic} ${node} ${sequence} ${time}\n`;
}

/** Lines that are whole; a line that a crash cut is none. */
function readPlaces(file: string): Place[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const [topic = '', ...numbers] = line.split(' ');
      const [node, sequence, time] = numbers.map(Number);
      if (!(topic in TOPICS) || numbers.length !== 3 || !numbers.every((number) => /^\d+$/.test(number))) return [];
      return [{ topic: topic as TopicName, node: node!, sequence: sequence!, time: time! }];
    });
}

/** Sequence numbers for what this node says: they rise over every restart, and even when the file is lost, as they begin at the clock. */
export class OwnSequences {
  readonly #file: string;
  readonly #first: number;
  readonly #next = new Map<TopicName, number>();
  #reserved = 0;

  /** @param now Unix milliseconds. */
  constructor(file: string, now: number) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    const known = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
    this.#first = Math.max(Number.isSafeInteger(known) ? known : 0, now);
  }

  /** A number that this node has not used on the topic. */
  next(topic: TopicName): number {
    const sequence = this.#next.get(topic) ?? this.#first;
    if (sequence >= this.#reserved) {
      const reserved = sequence + RESERVED;
      writeFileSync(`${this.#file}.draft`, `${reserved}\n`, { mode: 0o600 });
      renameSync(`${this.#file}.draft`, this.#file);
      this.#reserved = reserved;
    }
    this.#next.set(topic, sequence + 1);
    return sequence;
  }
}
