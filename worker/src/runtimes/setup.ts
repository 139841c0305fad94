import { ShardError } from './runtime.ts';

/** How a runtime gets what its shards need of this machine, and gets rid of it. */
export interface SetupSteps<Made> {
  /** Finds and starts it; rejects with the reason where this machine cannot. `signal` is that of whoever asked first. */
  readonly make: (signal?: AbortSignal) => Promise<Made>;
  /** Undoes what `make` did. */
  readonly dispose: (made: Made) => Promise<void>;
}

/**
 * What a runtime needs of this machine, made when it is first asked for and once only, however many ask at a time. A failure is
 * not kept: the operator may install what was missing while the node runs. Closing disposes of it once; whoever asks after that
 * gets a new one.
 */
export class Setup<Made> {
  readonly #cannot: string;
  readonly #steps: SetupSteps<Made>;
  #made: Promise<Made> | undefined;

  /** `cannot` begins what the operator reads when it fails: "Videos cannot be made here". */
  constructor(cannot: string, steps: SetupSteps<Made>) {
    this.#cannot = cannot;
    this.#steps = steps;
  }

  /** @throws ShardError of reason `sandbox`, which is this machine's fault. */
  get(signal?: AbortSignal): Promise<Made> {
    if (this.#made !== undefined) return this.#made;
    const made = this.#steps.make(signal).catch((error: unknown) => {
      if (this.#made === made) this.#made = undefined;
      const why = error instanceof Error ? error.message : String(error);
      throw new ShardError('sandbox', 'machine', `${this.#cannot}: ${why}`, {}, error);
    });
    this.#made = made;
    return made;
  }

  /** Waits for what is being made and disposes of it. Does nothing where nothing was made. */
  async close(): Promise<void> {
    const made = this.#made;
    // Before anything is awaited: a second call must find nothing.
    this.#made = undefined;
    const ready = await made?.catch(() => undefined);
    if (ready !== undefined) await this.#steps.dispose(ready);
  }
}
