import { admit, type Lot } from './edf.ts';
import { DIMENSIONS, NOTHING, least, minus, plus, times, type Needs } from './needs.ts';

/** What is known of work before it runs. */
export interface Work {
  needs: Needs;
  /** Last second of block time at which its shards should be computed; Infinity for what can always wait. */
  deadline: number;
  /** Expected seconds of one shard. */
  seconds: number;
}

/** Shards that were promised to somebody. They hold their place on the machine until they have run, or until {@link Hold.end}. */
export interface Hold {
  /** Says what the work takes, once that is known. */
  refine(work: Partial<Work>): void;
  /** Runs one of its shards when it is its turn. Gives up waiting when aborted. */
  run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Gives back what has not begun. */
  end(): void;
}

interface Held extends Work {
  /** Promised shards that have not ended, those that run included. */
  left: number;
  /** When each shard that runs began, on the clock. */
  began: number[];
  ended: boolean;
}

interface Waiter {
  held: Held;
  /** Breaks ties, so that equal deadlines go in the order in which they came. */
  order: number;
  begin: (at: number) => void;
}

/**
 * What this machine has and who holds it. Promising books shards, running takes what they need: nothing ever runs beyond the capacity in any
 * dimension, and who waits begins in the order of the deadlines. Whether something may be promised is the plan's to say.
 */
export class Resources {
  readonly #capacity: Needs;
  readonly #nowSeconds: () => number;
  readonly #holds = new Set<Held>();
  #waiting: Waiter[] = [];
  #used: Needs = NOTHING;
  #running = 0;
  #order = 0;

  /** `nowSeconds`: a steady clock. */
  constructor({ capacity }: { capacity: Needs }, { nowSeconds }: { nowSeconds: () => number }) {
    this.#capacity = capacity;
    this.#nowSeconds = nowSeconds;
  }

  get capacity(): Needs {
    return this.#capacity;
  }

  /** Shards that run right now. */
  get running(): number {
    return this.#running;
  }

  /** What the shards take that run right now. */
  get used(): Needs {
    return this.#used;
  }

  /** What all promised shards would take if they ran at once, more than there is when they are to run after one another. */
  get promised(): Needs {
    return [...this.#holds].reduce((sum, { needs, left }) => plus(sum, times(needs, left)), NOTHING);
  }

  /** What no promised shard will need. */
  get free(): Needs {
    return minus(this.#capacity, this.promised);
  }

  /** Everything that is promised, as the plan looks at it. */
  get lots(): Lot[] {
    const now = this.#nowSeconds();
    return [...this.#holds].map(({ deadline, left, began, seconds, needs }) => ({
      deadline,
      waiting: left - began.length,
      running: began.map((at) => Math.max(0, seconds - (now - at))),
      seconds,
      needs,
    }));
  }

  /** Books `count` shards. What is larger than the machine is cut to it: it was promised, so it runs alone. */
  hold(count: number, work: Work): Hold {
    const held: Held = { ...this.#cut(work), left: count, began: [], ended: false };
    this.#holds.add(held);
    return {
      refine: (known) => {
        // What runs must give back exactly what it took.
        if (held.began.length === 0) Object.assign(held, this.#cut({ ...held, ...known }));
        this.#next();
      },
      run: (task, signal) => this.#run(held, task, signal),
      end: () => {
        held.ended = true;
        held.left = held.began.length;
        this.#forget(held);
        this.#next();
      },
    };
  }

  #cut<W extends Work>(work: W): W {
    return { ...work, needs: least(work.needs, this.#capacity) };
  }

  async #run<T>(held: Held, task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const beganAt = await this.#turn(held, signal);
    try {
      return await task();
    } finally {
      this.#running -= 1;
      this.#used = minus(this.#used, held.needs);
      held.began.splice(held.began.indexOf(beganAt), 1);
      held.left = Math.max(held.began.length, held.left - 1);
      this.#forget(held);
      this.#next();
    }
  }

  #turn(held: Held, signal: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const waiter: Waiter = {
        held,
        order: (this.#order += 1),
        begin: (at) => {
          signal.removeEventListener('abort', giveUp);
          resolve(at);
        },
      };
      const giveUp = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        reject(signal.reason as Error);
        this.#next();
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(waiter);
      this.#next();
    });
  }

  /** Begins whatever may begin. */
  #next(): void {
    if (this.#waiting.length === 0) return;
    const order = this.#waiting.toSorted((a, b) => a.held.deadline - b.held.deadline || a.order - b.order);
    const counts = admit(
      order.map(({ held }) => ({ waiting: 1, needs: held.needs })),
      minus(this.#capacity, this.#used),
    );
    const begun = new Set(order.filter((_, index) => counts[index] === 1));
    if (begun.size === 0) return;
    this.#waiting = this.#waiting.filter((waiter) => !begun.has(waiter));
    const now = this.#nowSeconds();
    for (const { held, begin } of begun) {
      held.began.push(now);
      this.#running += 1;
      this.#used = plus(this.#used, held.needs);
      begin(now);
    }
  }

  #forget(held: Held): void {
    if (held.left === 0 && (held.ended || held.began.length === 0)) this.#holds.delete(held);
  }
}

/** The largest share of any dimension that is in use, 0 … 1. */
export function shareOf(used: Needs, capacity: Needs): number {
  const shares = DIMENSIONS.filter((dimension) => capacity[dimension] > 0).map(
    (dimension) => used[dimension] / capacity[dimension],
  );
  return Math.max(0, ...shares);
}
