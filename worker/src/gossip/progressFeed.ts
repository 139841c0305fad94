import { encodeBody } from '@dpu/sdk/gossip/statement';
import type { Sayable } from '@dpu/sdk/gossip/gossip';
import { PREVIEW_BYTES, PROGRESS_LINES, PROGRESS_SHARDS, SEALED_BYTES, type Preview } from '@dpu/sdk/gossip/topics';
import { sealBytes } from '@dpu/sdk/privacy/stream';
import { ShardLogWriter, type LogOwner } from '@dpu/sdk/shardLog';
import { hexToBytes, type Hex } from 'viem';

import { sha256 } from '../work/workspace.ts';

/** How progress is told. */
export interface ProgressFeedOptions {
  /** Messages that one flush sends at most; what does not fit waits for the next. */
  readonly messagesPerFlush: number;
  /** Shards that may wait; of those that have ended the oldest are then not told any more. Their logs are stored all the same. */
  readonly mostWaiting: number;
}

/** Where progress goes. */
export interface ProgressFeedDeps {
  /** Says it to the network; undefined for a node that does not gossip. */
  say: ((progress: Sayable<'progress'>) => Promise<void>) | undefined;
  /** Milliseconds of a steady clock. */
  clockMs: () => number;
}

/** One run of a shard, for as long as it lasts. */
export interface ShardFeed {
  /** Takes a piece of the shard's log. A line such as `progress 3/10` or `progress 30%` says how far it is. */
  log(text: string): void;
  /** Says how far the shard is, 0 … 1. */
  progress(share: number): void;
  /** Shows what the shard has so far. Too large a preview is left out. */
  preview(preview: Preview): void;
  /** Ends the run. @returns the chained log as it is stored; empty when the shard said nothing. */
  end(state: 'done' | 'failed', text: string): string;
}

interface Running {
  owner: LogOwner;
  /** Readers of a private job, to whom lines and previews are sealed. */
  readers: readonly string[] | undefined;
  writer: ShardLogWriter;
  state: 'running' | 'done' | 'failed';
  startedMs: number;
  endedMs: number | undefined;
  permille: number | null;
  preview: Preview | undefined;
  /** Lines that were told. */
  told: number;
}

type SaidShard = Sayable<'progress'>['shards'][number];

const PROGRESS_LINE = /^progress (?:(\d{1,9})\/(\d{1,9})|(\d{1,3})(?:\.\d+)?%)$/m;
/** What a message about shards may come to before it is sent, bytes: under the topic's limit with room for what surrounds it. */
const MESSAGE_BYTES = 20 * 1024;
/** Bytes of lines that are told of one shard at once. */
const LINES_BYTES = 8 * 1024;

/** Keeps the chained log of every shard that runs, and tells the network how they come along. */
export class ProgressFeed {
  readonly #options: ProgressFeedOptions;
  readonly #deps: ProgressFeedDeps;
  /** Shards with something to tell, by job and shard; who changed first tells first. */
  readonly #waiting = new Map<string, Running>();

  constructor(options: ProgressFeedOptions, deps: ProgressFeedDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Begins a run of a shard; an earlier run of the same shard is forgotten. */
  begin(owner: LogOwner, readers?: readonly string[]): ShardFeed {
    const { clockMs } = this.#deps;
    const startedMs = clockMs();
    const run: Running = {
      ...{ owner, readers, startedMs, writer: new ShardLogWriter(owner, sha256), state: 'running', endedMs: undefined },
      ...{ permille: null, preview: undefined, told: 0 },
    };
    const elapsed = (): number => clockMs() - startedMs;
    let ended = false;
    const changed = (): void => {
      if (!ended) this.#wait(run);
    };
    changed();
    return {
      log: (text) => {
        run.writer.write('out', elapsed(), text);
        run.permille = shareOf(text) ?? run.permille;
        changed();
      },
      progress: (share) => {
        run.permille = Math.round(Math.min(1, Math.max(0, share)) * 1000);
        changed();
      },
      preview: (preview) => {
        if (preview.bytes.length > PREVIEW_BYTES) return;
        run.preview = preview;
        changed();
      },
      end: (state, text) => {
        const spoke = run.writer.entries.length > 0;
        run.writer.end(elapsed(), text);
        run.state = state;
        run.endedMs = elapsed();
        if (state === 'done') run.permille = 1000;
        changed();
        ended = true;
        return spoke || run.writer.entries.length > 1 ? run.writer.toString() : '';
      },
    };
  }

  /** Tells what has changed. Called every second or so. */
  async flush(): Promise<void> {
    const { say } = this.#deps;
    if (!say) return this.#waiting.clear();
    for (let sent = 0; sent < this.#options.messagesPerFlush; sent += 1) {
      const [first] = this.#waiting.values();
      if (!first) return;
      const shards: SaidShard[] = [];
      let size = 0;
      // A copy: a shard with more lines is put back at the end, for the next message.
      for (const [key, run] of [...this.#waiting]) {
        if (run.owner.job !== first.owner.job || shards.length === PROGRESS_SHARDS) continue;
        const { said, bytes, told } = await saidOf(run, this.#deps.clockMs());
        if (shards.length > 0 && size + bytes > MESSAGE_BYTES) break;
        size += bytes;
        shards.push(said);
        run.told = told;
        run.preview = undefined;
        this.#waiting.delete(key);
        // More lines than one message takes: the rest has its turn behind the others.
        if (told < run.writer.entries.length) this.#waiting.set(key, run);
        if (size > MESSAGE_BYTES) break;
      }
      await say({ job: hexToBytes(first.owner.job), shards });
    }
  }

  #wait(run: Running): void {
    const key = `${run.owner.job}:${run.owner.shard}`;
    if (this.#waiting.get(key) !== run) this.#waiting.set(key, run);
    if (this.#waiting.size <= this.#options.mostWaiting) return;
    for (const [other, { state }] of this.#waiting) {
      if (state === 'running' || other === key) continue;
      this.#waiting.delete(other);
      return;
    }
  }
}

/** How far a log says that its shard is, thousandths; undefined when it does not say. */
function shareOf(text: string): number | undefined {
  const [, done, of, percent] = PROGRESS_LINE.exec(text) ?? [];
  const share = percent === undefined ? Number(done) / Number(of) : Number(percent) / 100;
  return Number.isFinite(share) && share >= 0 && share <= 1 ? Math.round(share * 1000) : undefined;
}

/** What is said of a shard now, roughly how many bytes that takes, and how many lines are told with it. */
async function saidOf(run: Running, nowMs: number): Promise<{ said: SaidShard; bytes: number; told: number }> {
  const { writer, owner, readers, preview } = run;
  const all = writer.entries;
  // A shard that says more than can be told live is heard again where it is now; the stored log has all of it.
  let from = Math.max(run.told, run.endedMs === undefined ? 0 : all.length - PROGRESS_LINES);
  from = Math.min(from, all.length);
  const lines: [number, (typeof all)[number]['level'], string][] = [];
  let size = 0;
  for (const { ms, level, text } of all.slice(from, from + PROGRESS_LINES)) {
    size += 3 * text.length + 16;
    if (lines.length > 0 && size > LINES_BYTES) break;
    lines.push([ms, level, text]);
  }
  const shown = { lines, ...(preview ? { preview } : {}) };
  const closed = readers && (lines.length > 0 || preview) ? await sealBytes(encodeBody(shown), readers) : undefined;
  // Many readers, and a large preview: the stored log has the lines.
  const sealed = closed && closed.length <= SEALED_BYTES ? closed : undefined;
  const said: SaidShard = {
    ...{ shard: owner.shard, state: run.state, permille: run.permille, from },
    ms: Math.max(0, Math.round(run.endedMs ?? nowMs - run.startedMs)),
    entries: all.length,
    head: hexToBytes(writer.head as Hex),
    ...(readers ? { lines: [], ...(sealed ? { sealed } : {}) } : shown),
  };
  return { said, bytes: encodeBody(said).length, told: from + lines.length };
}
