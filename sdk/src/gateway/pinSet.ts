import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { StorageError } from '../storage/errors.ts';
import { syncFolder } from './fileBlockstore.ts';

/** One promise to keep content. */
export interface Pin {
  readonly cid: string;
  /** When it was made, in Unix milliseconds. */
  readonly createdMs: number;
  /** Whether the files that a dag-cbor root links to are kept with it. */
  readonly walk: 'none' | 'links';
}

const FILE = z.object({
  version: z.literal(1),
  pins: z.array(z.object({ cid: z.string(), createdMs: z.number(), walk: z.enum(['none', 'links']) })),
});

/** The pins of a store, in one JSON file that is replaced as a whole, so a crash leaves the old or the new one. */
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
      return new PinSet(file, FILE.parse(JSON.parse(text)).pins);
    } catch (error) {
      const advice = 'restore it from a backup, or move it away to start without pins (nothing is deleted by that)';
      throw new StorageError('internal', `the pin list ${file} is damaged; ${advice}`, { file }, { cause: error });
    }
  }

  /** How many pins there are. */
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

  /** Adds a pin, on disk when this returns. A pin that walks links is not weakened by a later one that does not. */
  async add(pin: Pin): Promise<void> {
    const old = this.#pins.get(pin.cid);
    if (old && (old.walk === pin.walk || old.walk === 'links')) return this.#save();
    this.#pins.set(pin.cid, old ? { ...old, walk: pin.walk } : pin);
    await this.#save();
  }

  /** Removes a pin, on disk when this returns. The blocks stay until garbage is collected. */
  async remove(cid: string): Promise<void> {
    if (this.#pins.delete(cid)) await this.#save();
  }

  /** Runs `task` while nothing runs {@link alone}; any number of these run side by side. */
  async together<T>(task: () => Promise<T>): Promise<T> {
    while (this.#alone) await this.#alone;
    const run = task();
    const settled = run.catch(() => {}).finally(() => this.#sharing.delete(settled));
    this.#sharing.add(settled);
    return run;
  }

  /** Runs `task` when everything that runs {@link together} or alone has ended, and holds up what comes meanwhile. */
  async alone<T>(task: () => Promise<T>): Promise<T> {
    while (this.#alone) await this.#alone;
    const run = Promise.all(this.#sharing).then(task);
    this.#alone = run.catch(() => {}).finally(() => (this.#alone = undefined));
    return run;
  }

  /** Saves that arrive while one is written share the next. */
  #save(): Promise<void> {
    if (!this.#saving) {
      this.#saving = this.#write().finally(() => (this.#saving = undefined));
      return this.#saving;
    }
    this.#queued ??= this.#saving
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
      await handle.writeFile(JSON.stringify({ version: 1, pins: this.list() }));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(draft, this.#file);
    await syncFolder(dirname(this.#file));
  }
}
