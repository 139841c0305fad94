import { setTimeout as sleep } from 'node:timers/promises';

/** How a loop runs. */
export interface RepeatOptions {
  /** Pause between the end of one run and the start of the next, milliseconds. */
  everyMs: number;
  /** Ends the loop; a run in progress gets it too. */
  signal: AbortSignal;
  /** Called with what a run threw, unless the loop was ended. Throwing from here ends the loop with that error. */
  onError: (error: unknown) => void;
}

/**
 * The one loop of the node. Runs never overlap: a slow run drops ticks instead of queueing them, because a late answer
 * about the chain is worth less than a fresh one.
 */
export async function repeat(
  task: (signal: AbortSignal) => Promise<void>,
  { everyMs, signal, onError }: RepeatOptions,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await task(signal);
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {});
  }
}

/** Runs tasks strictly one after the other; a task that fails does not stop those behind it. */
export class Queue {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `task` once everything before it has ended, and answers with its outcome. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const outcome = this.#tail.then(task);
    this.#tail = outcome.catch(() => {});
    return outcome;
  }

  /** Resolves when everything that was queued has ended. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}
