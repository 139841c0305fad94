import type { Chain, Head } from './chain.ts';
import { OperatorError } from '../errors.ts';
import type { Log } from '../log.ts';

/** How the head is followed. */
export interface WatchOptions {
  chainId: number;
  /** A head that is lower than the last one counts only after it was seen this many times in a row: RPCs lag. */
  lowerHeadPolls: number;
}

/** A new head. `reorged`: some block that was seen before it is not on the chain any more. */
export interface HeadChange {
  head: Head;
  reorged: boolean;
}

/** What the watcher works with. */
export interface WatchDeps {
  chain: Chain;
  log: Log;
}

/** Follows the chain's head by polling, through outages, lagging RPCs and reorgs. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #deps: WatchDeps;
  #head: Head | undefined;
  #secondsPerBlock = 1;
  #lower = 0;
  #down = false;
  /** The endpoint may have become another chain while it was away. */
  #chainChecked = false;

  constructor(options: WatchOptions, deps: WatchDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The newest head that was seen. */
  get head(): Head | undefined {
    return this.#head;
  }

  /**
   * Block time at which the next block is expected, unix seconds: what is right then may be sent now. At least a second after the head; by the
   * pace of the last two heads where that is slower.
   */
  get nextTime(): number {
    return (this.#head?.timestamp ?? 0) + this.#secondsPerBlock;
  }

  /** Whether the last poll got an answer. */
  get connected(): boolean {
    return !this.#down && this.#head !== undefined;
  }

  /**
   * Asks once. Undefined when nothing is new.
   * @throws OperatorError when the RPC serves another chain; TransientError when it does not answer.
   */
  async poll(): Promise<HeadChange | undefined> {
    try {
      const change = await this.#ask();
      if (this.#down) this.#deps.log.info('RPC is back', { block: this.#head?.number });
      this.#down = false;
      return change;
    } catch (error) {
      if (!this.#down && !(error instanceof OperatorError)) this.#deps.log.warn('RPC does not answer', { error });
      this.#down = true;
      this.#chainChecked = false;
      throw error;
    }
  }

  async #ask(): Promise<HeadChange | undefined> {
    if (!this.#chainChecked) await this.#checkChain();
    const { chain, log } = this.#deps;
    const head = await chain.latest();
    const last = this.#head;
    if (last?.hash === head.hash) {
      this.#lower = 0;
      return undefined;
    }
    if (last && head.number < last.number && ++this.#lower < this.#options.lowerHeadPolls) return undefined;
    this.#lower = 0;
    const reorged = last !== undefined && !(await this.#continues(last, head));
    if (reorged) log.warn('Chain was reorganised', { from: last.number, to: head.number });
    if (last && head.number > last.number) {
      const pace = (head.timestamp - last.timestamp) / (head.number - last.number);
      this.#secondsPerBlock = Math.max(1, Math.round(pace));
    }
    this.#head = head;
    return { head, reorged };
  }

  async #continues(last: Head, head: Head): Promise<boolean> {
    if (head.number <= last.number) return false;
    if (head.number === last.number + 1) return head.parentHash === last.hash;
    return (await this.#deps.chain.block(last.number))?.hash === last.hash;
  }

  async #checkChain(): Promise<void> {
    const found = await this.#deps.chain.chainId();
    const { chainId } = this.#options;
    if (found !== chainId) {
      throw new OperatorError(
        `The RPC serves chain ${found}, this node works on chain ${chainId}. Correct rpcUrl or the deployment file.`,
        { found, wanted: chainId },
      );
    }
    this.#chainChecked = true;
  }
}
