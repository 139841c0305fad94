import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { StorageError } from '../storage/errors.ts';
import { syncFolder } from './fileBlockstore.ts';

/** One promise to keep a root: to whom, until when, and how much of that writer's allowance it takes. */
export interface Hold {
  /** For whom it is kept: `self`, `node:3`, or `wallet:0x…` in lower case. One hold for each of them and root. */
  readonly by: string;
  /** Last Unix millisecond at which it is kept; null for ever. */
  readonly untilMs: number | null;
  /** Bytes of blocks under the root. Shared blocks count for every root: a writer pays for what it asked for. */
  readonly bytes: number;
}

/** The hold of whoever owns the store, for ever. */
export const OWN: Hold = { by: 'self', untilMs: null, bytes: 0 };

/** Content that is kept: a root, and everybody that it was promised to. */
export interface Pin {
  readonly cid: string;
  /** When it was made, in Unix milliseconds. */
  readonly createdMs: number;
  /** Whether the files that a dag-cbor root links to are kept with it. */
  readonly walk: 'none' | 'links';
  /** At least one. The pin ends with the last of them. */
  readonly holds: readonly Hold[];
}

const WALK = z.enum(['none', 'links']);
const HOLD = z.object({ by: z.string(), untilMs: z.number().nullable(), bytes: z.number() });
const FILE = z.object({
  version: z.literal(2),
  pins: z.array(z.object({ cid: z.string(), createdMs: z.number(), walk: WALK, holds: z.array(HOLD).min(1) })),
});
/** What was written before pins could end. */
const FIRST_FILE = z.object({
  version: z.literal(1),
  pins: z.array(z.object({ cid: z.string(), createdMs: z.number(), walk: WALK })),
});

/**
 * The pins of a store, in one JSON file that is replaced as a whole, so a crash leaves the old or the new one. A pin names a root and
 * nothing else: what blocks it keeps is found by walking, so a block that several roots share stays as long as any of them.
 */
export class PinSet {
  readonly #file: string;
  readonly #pins: Map<string, Pin>;
  readonly #sharing = new Set<Promise<unknown>>();
  #alone: Promise<unknown> | undefined;
  #saving: Promise<void> | undefined;
  #queued: Promise<void> | undefined;

  private constructor(file: string, pins: readonly Pin[]) {
    this.#file = file;
    this.#pins = new Map(pins.map((pin) => [pin.cid, pin]));
  }

  /** Reads `file`; an absent file is an empty set, an unreadable one an error, since forgetting pins loses data. */
  static async open(file: string): Promise<PinSet> {
    await mkdir(dirname(file), { recursive: true });
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new PinSet(file, []);
      throw error;
    }
    try {
      return new PinSet(file, parse(JSON.parse(text)));
    } catch (error) {
      const advice = 'restore it from a backup, or move it away to start without pins (nothing is deleted by that)';
      throw new StorageError('internal', `the pin list ${file} is damaged; ${advice}`, { file }, { cause: error });
    }
  }

  /** How many roots are kept. */
  get count(): number {
    return this.#pins.size;
  }

  /** All pins, oldest first. */
  list(): Pin[] {
    return [...this.#pins.values()];
  }

  has(cid: string): boolean {
    return this.#pins.has(cid);
  }

  /** The pin of a root. */
  get(cid: string): Pin | undefined {
    return this.#pins.get(cid);
  }

  /** Bytes that are kept for `by`, and under how many roots. */
  usage(by: string): { bytes: number; roots: number } {
    let bytes = 0;
    let roots = 0;
    for (const { holds } of this.#pins.values()) {
      const hold = holds.find((one) => one.by === by);
      if (!hold) continue;
      bytes += hold.bytes;
      roots += 1;
    }
    return { bytes, roots };
  }

  /**
   * Keeps a root for one more, or for longer; on disk when this returns. Nothing is weakened: neither a walk of links, nor a
   * time that was promised before.
   */
  async add(pin: Omit<Pin, 'holds'>, hold: Hold = OWN): Promise<void> {
    const old = this.#pins.get(pin.cid);
    const before = old?.holds.find(({ by }) => by === hold.by);
    const merged = before ? { ...hold, untilMs: later(before.untilMs, hold.untilMs) } : hold;
    const holds = [...(old?.holds.filter(({ by }) => by !== hold.by) ?? []), merged];
    const walk = old?.walk === 'links' ? 'links' : pin.walk;
    this.#pins.set(pin.cid, { cid: pin.cid, createdMs: old?.createdMs ?? pin.createdMs, walk, holds });
    await this.#save();
  }

  /** Ends the hold of `by`, or all of them; on disk when this returns. The blocks stay until garbage is collected. */
  async remove(cid: string, by?: string): Promise<void> {
    if (this.#end(cid, (hold) => by === undefined || hold.by === by)) await this.#save();
  }

  /** Ends every hold whose time is over, on disk when this returns. Answers the roots that nobody holds any more. */
  async expire(nowMs: number): Promise<string[]> {
    const before = this.list();
    let changed = false;
    for (const { cid } of before) {
      changed = this.#end(cid, ({ untilMs }) => untilMs !== null && untilMs < nowMs) || changed;
    }
    if (changed) await this.#save();
    return before.map(({ cid }) => cid).filter((cid) => !this.#pins.has(cid));
  }

  /** Runs `task` while nothing runs {@link alone}; any number of these run side by side. */
  async together<T>(task: () => Promise<T>): Promise<T> {
    while (this.#alone) await this.#alone;
    const run = task();
    // Whoever runs alone waits for the end of this, whatever the end is; the failure is the caller's.
    const settled = run.catch(() => {}).finally(() => this.#sharing.delete(settled));
    this.#sharing.add(settled);
    return run;
  }

  /** Runs `task` when everything that runs {@link together} or alone has ended, and holds up what comes meanwhile. */
  async alone<T>(task: () => Promise<T>): Promise<T> {
    while (this.#alone) await this.#alone;
    const run = Promise.all(this.#sharing).then(task);
    // As above: others wait for the end, and the caller has the failure.
    this.#alone = run.catch(() => {}).finally(() => (this.#alone = undefined));
    return run;
  }

  #end(cid: string, ends: (hold: Hold) => boolean): boolean {
    const pin = this.#pins.get(cid);
    if (!pin) return false;
    const holds = pin.holds.filter((hold) => !ends(hold));
    if (holds.length === pin.holds.length) return false;
    if (holds.length === 0) this.#pins.delete(cid);
    else this.#pins.set(cid, { ...pin, holds });
    return true;
  }

  /** Saves that arrive while one is written share the next. */
  #save(): Promise<void> {
    if (!this.#saving) {
      this.#saving = this.#write().finally(() => (this.#saving = undefined));
      return this.#saving;
    }
    this.#queued ??= this.#saving
      // Its failure is that of whoever asked for it. This save writes everything anew.
      .catch(() => {})
      .then(() => {
        this.#queued = undefined;
        return this.#save();
      });
    return this.#queued;
  }

  async #write(): Promise<void> {
    const draft = `${this.#file}.tmp`;
    const handle = await open(draft, 'w');
    try {
      await handle.writeFile(JSON.stringify({ version: 2, pins: this.list() }));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(draft, this.#file);
    await syncFolder(dirname(this.#file));
  }
}

function parse(value: unknown): Pin[] {
  const first = FIRST_FILE.safeParse(value);
  if (first.success) return first.data.pins.map((pin) => ({ ...pin, holds: [OWN] }));
  return FILE.parse(value).pins;
}

const later = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : Math.max(a, b));
