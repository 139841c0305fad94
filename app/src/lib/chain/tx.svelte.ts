import type { Hash } from 'viem';

/** What a person can be told about an error. */
export interface Explanation {
  sentence: string;
  /** What to do next. */
  action?: string;
}

/** The four looks of a transaction, and the moment after a good one. */
export type TxLook =
  | { status: 'idle' }
  | { status: 'wallet'; step: string }
  | { status: 'chain'; step: string; hash?: Hash }
  | { status: 'failed'; explanation: Explanation }
  | { status: 'done'; hash?: Hash };

/** How work says where it is. */
export interface TxSteps {
  /** The wallet shows something to confirm. */
  wallet(step: string): void;
  /** It was sent; now the chain has to include it. */
  chain(step: string, hash?: Hash): void;
}

export type Explain = (error: unknown) => Promise<Explanation> | Explanation;

/** One transaction (or a short series that belongs together) as state. A second start while one runs is ignored. */
export class Tx {
  #explain: Explain;
  #look = $state.raw<TxLook>({ status: 'idle' });

  constructor(explain: Explain) {
    this.#explain = explain;
  }

  get look(): TxLook {
    return this.#look;
  }

  get busy(): boolean {
    return this.#look.status === 'wallet' || this.#look.status === 'chain';
  }

  /** Runs `work`; whether it succeeded. Never throws: what went wrong is in `look`. */
  async run(work: (steps: TxSteps) => Promise<Hash | void>): Promise<boolean> {
    if (this.busy) return false;
    this.#look = { status: 'wallet', step: 'Preparing' };
    try {
      const hash = await work({
        wallet: (step) => (this.#look = { status: 'wallet', step }),
        chain: (step, hash) => (this.#look = { status: 'chain', step, ...(hash && { hash }) }),
      });
      this.#look = { status: 'done', ...(hash && { hash }) };
      return true;
    } catch (error) {
      this.#look = { status: 'failed', explanation: await this.#explain(error) };
      return false;
    }
  }

  reset(): void {
    if (!this.busy) this.#look = { status: 'idle' };
  }
}
