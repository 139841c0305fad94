import type { LiveBlock } from '@dpu/sdk/api';
import { stats } from '../../ponder.schema.ts';
import type { Database } from './app.ts';

/** The newest block with an event, and what tells it apart from another of the same number. */
export interface Head extends LiveBlock {
  key: string;
}

/** The newest block that changed rows; undefined before the first. */
export async function readHead(db: Database): Promise<Head | undefined> {
  const [row] = await db
    .select({ event: stats.event, hash: stats.blockHash, number: stats.block, timestamp: stats.timestamp })
    .from(stats)
    .limit(1);
  return row && { key: `${row.hash} ${row.event}`, number: row.number, timestamp: row.timestamp };
}

/**
 * Watches the newest block for all listeners together: one small query every `everyMs`, and none while nobody listens.
 * Ponder's own notifications are not public, and asking works the same in a process that only serves.
 */
export class Changes {
  readonly #read: () => Promise<Head | undefined>;
  readonly #everyMs: number;
  readonly #listeners = new Set<(head: Head) => void>();
  #timer: NodeJS.Timeout | undefined;
  #head: Head | undefined;

  constructor(options: { everyMs: number }, deps: { read: () => Promise<Head | undefined> }) {
    this.#everyMs = options.everyMs;
    this.#read = deps.read;
  }

  /** Calls `listener` with the newest block, if there is one, and with each that follows, until the returned function is called. */
  listen(listener: (head: Head) => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) {
      this.#head = undefined;
      void this.#tick();
    } else if (this.#head) {
      listener(this.#head);
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) clearTimeout(this.#timer);
    };
  }

  async #tick(): Promise<void> {
    // The database is replaced while Ponder reloads its code; the next tick finds the new one.
    const head = await this.#read().catch(() => undefined);
    if (head && head.key !== this.#head?.key) {
      this.#head = head;
      for (const listener of this.#listeners) listener(head);
    }
    clearTimeout(this.#timer);
    if (this.#listeners.size > 0) this.#timer = setTimeout(() => void this.#tick(), this.#everyMs).unref();
  }
}
