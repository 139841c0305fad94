import { keccak256, stringToHex, type Hex } from 'viem';

import type { Chain, Head, RawLog, SendVerdict } from '../chain/chain.ts';
import { TransientError } from '../errors.ts';
import { bytes32 } from './samples.ts';

/** A chain of blocks and logs in memory as one endpoint shows it. Forks are named: equal names are equal blocks. */
export class FakeChain {
  /** Silence: every question is a TransientError. */
  down = false;
  chainId = 1;
  verdict: SendVerdict = 'accepted';
  readonly sent: Hex[] = [];
  /** Blocks whose logs are left out of answers. */
  readonly hidden = new Set<number>();
  #blocks: { fork: string; logs: string[] }[] = [{ fork: '', logs: [] }];

  /** Adds a block with these events. */
  mine(fork = '', ...logs: string[]): this {
    this.#blocks.push({ fork, logs });
    return this;
  }

  /** Adds empty blocks until the head is block `number`. */
  mineTo(number: number, fork = ''): this {
    while (this.#blocks.length <= number) this.mine(fork);
    return this;
  }

  /** Takes blocks away until the head is block `number`. */
  cut(number: number): this {
    this.#blocks = this.#blocks.slice(0, number + 1);
    return this;
  }

  head(number = this.#blocks.length - 1): Head {
    const hash = (at: number): Hex => keccak256(stringToHex(`${this.#blocks[at]?.fork ?? ''} ${at}`));
    return { number, hash: hash(number), parentHash: hash(number - 1), timestamp: 1_000 + number, baseFee: 1n };
  }

  /** As the node asks it. Only what endpoints and scans ask is there. */
  get chain(): Chain {
    const answer = async <T>(say: () => T): Promise<T> => {
      if (this.down) throw new TransientError('nobody is there');
      return say();
    };
    return {
      chainId: () => answer(() => this.chainId),
      latest: () => answer(() => this.head()),
      block: (number: number) => answer(() => (number < this.#blocks.length ? this.head(number) : undefined)),
      logs: (from: number, to: number) => answer(() => this.#logs(from, to)),
      sendRaw: async (raw: Hex) => {
        this.sent.push(raw);
        return this.down
          ? { verdict: 'unknown', message: 'silence' }
          : { verdict: this.verdict, message: this.verdict };
      },
    } as Partial<Chain> as Chain;
  }

  #logs(from: number, to: number): RawLog[] {
    return this.#blocks.flatMap(({ logs }, number) =>
      number < from || number > to || this.hidden.has(number)
        ? []
        : logs.map((text, logIndex) => ({
            ...{ blockNumber: number, blockHash: this.head(number).hash, transactionHash: bytes32(1), logIndex },
            topics: [keccak256(stringToHex(text))] as [Hex],
            data: stringToHex(text),
          })),
    );
  }
}
