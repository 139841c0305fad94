import type { Hex } from 'viem';

import { isAuditable, revealTimes, type RevealTimes } from '../leases/audit.ts';
import type { Chain, Head } from './chain.ts';
import type { KnownLease } from './chainBook.ts';

/** How far back the contract can see block hashes (EIP-2935). */
const HASHES_SERVED = 8_191;

/** Facts of the chain that never change, or only with a reorg, asked once. */
export class ChainFacts {
  readonly #chain: Chain;
  readonly #blocks = new Map<number, Head>();

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  /** Forgets what a reorg may have changed. */
  forgetBlocks(): void {
    this.#blocks.clear();
  }

  /** Hash of block `number` as seeds use it, seen from the block after `head`. */
  async seed(number: number, head: Head): Promise<Hex | 'pending' | 'gone'> {
    if (number > head.number) return 'pending';
    if (head.number + 1 - number > HASHES_SERVED) return 'gone';
    return (await this.block(number, head))?.hash ?? 'pending';
  }

  /** Header of block `number`, which is at most `head`. */
  async block(number: number, head: Head): Promise<Head | undefined> {
    if (number === head.number) return head;
    const known = this.#blocks.get(number);
    if (known) return known;
    const block = await this.#chain.block(number);
    if (!block) return undefined;
    this.#blocks.set(number, block);
    // The oldest goes: seeds are asked for while their job is young.
    const oldest = this.#blocks.keys().next().value;
    if (this.#blocks.size > 1_024 && oldest !== undefined) this.#blocks.delete(oldest);
    return block;
  }

  /** When a committed lease may be revealed; undefined while the block that draws audits is not mined. */
  async revealTimes(lease: KnownLease, head: Head): Promise<RevealTimes | undefined> {
    const { committedBlock, first } = lease.lease;
    const committedAt = lease.committedAt ?? (await this.block(committedBlock, head))?.timestamp;
    if (committedAt === undefined) return undefined;
    const seed = isAuditable(lease.terms) ? await this.seed(committedBlock + 1, head) : undefined;
    return revealTimes(lease.terms, { job: lease.job, first, committedAt }, seed === 'pending' ? undefined : seed);
  }
}
