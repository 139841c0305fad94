export interface LoaderOptions<Value> {
  load: (signal: AbortSignal) => Promise<Value>;
  /** After every load that was not overtaken by `stop`. */
  onEnd: (outcome: { value: Value } | { error: unknown }) => void;
}

/**
 * Loads something again and again without ever loading it twice at once: wishes that arrive during a load lead to one more
 * load after it. What was stopped reports nothing any more.
 */
export class Loader<Value> {
  #options: LoaderOptions<Value>;
  #stop: AbortController | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(options: LoaderOptions<Value>) {
    this.#options = options;
  }

  /** Lets `refresh` work, until `stop`. */
  start(): void {
    this.#stop ??= new AbortController();
  }

  /** Ends a load that is under way. */
  stop(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#running = undefined;
    this.#again = false;
  }

  /** Ends when an answer that was asked for after this call has come. Does nothing while stopped. */
  refresh(): Promise<void> {
    const stop = this.#stop;
    if (!stop) return Promise.resolve();
    if (this.#running) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#work(stop.signal);
    return this.#running;
  }

  async #work(signal: AbortSignal): Promise<void> {
    do {
      this.#again = false;
      const outcome = await this.#options.load(signal).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      if (signal.aborted) return;
      this.#options.onEnd(outcome);
    } while (this.#again);
    this.#running = undefined;
  }
}
