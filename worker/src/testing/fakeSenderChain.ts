import { keccak256, parseTransaction, type Address, type Hex } from 'viem';

import type { Head, Receipt, SenderChain, SendVerdict } from '../chain/chain.ts';

interface Pooled {
  hash: Hex;
  nonce: number;
  data: Hex;
  to: Address;
  maxFee: bigint;
  tip: bigint;
}

interface Block {
  head: Head;
  mined: Pooled[];
}

/** One account's view of a chain, in memory: a pool with replacement rules, blocks, reorgs, and faults on demand. */
export class FakeSenderChain implements SenderChain {
  baseFee = 1_000_000_000n;
  funds = 10n ** 18n;
  /** Verdicts to give instead of the true one, first in first out. `unknown` takes the transaction all the same. */
  readonly faults: SendVerdict[] = [];
  /** Every raw transaction that was offered, in order. */
  readonly offered: Hex[] = [];
  readonly #blocks: Block[] = [{ head: headOf(0, 0n, 0), mined: [] }];
  readonly #pool = new Map<number, Pooled>();
  /** Nonces that something else used up. */
  #foreign = 0;
  #fork = 0;

  get head(): Head {
    return this.#blocks.at(-1)!.head;
  }

  /** Data of everything on the chain, in order; transfers to oneself show as `0x`. */
  get executed(): Hex[] {
    return this.#blocks.flatMap(({ mined }) => mined.map(({ data }) => data));
  }

  get pooled(): { nonce: number; data: Hex; maxFee: bigint; tip: bigint }[] {
    return [...this.#pool.values()]
      .sort((a, b) => a.nonce - b.nonce)
      .map(({ nonce, data, maxFee, tip }) => ({ nonce, data, maxFee, tip }));
  }

  /** Mines a block a second later with everything in the pool that can pay. `take: false` leaves it empty. */
  mine({ take = true }: { take?: boolean } = {}): Head {
    const mined: Pooled[] = [];
    for (let nonce = this.#nonce(); take; nonce += 1) {
      const next = this.#pool.get(nonce);
      if (!next || next.maxFee < this.baseFee) break;
      this.#pool.delete(nonce);
      mined.push(next);
    }
    const { number, timestamp } = this.head;
    this.#blocks.push({ head: headOf(number + 1, this.baseFee, timestamp + 1, this.#fork), mined });
    return this.head;
  }

  /** Takes `depth` blocks away; their transactions are back in the pool unless `drop`. New blocks get other hashes. */
  reorg(depth: number, { drop = false }: { drop?: boolean } = {}): void {
    this.#fork += 1;
    for (const { mined } of this.#blocks.splice(-depth)) {
      if (!drop) for (const back of mined) this.#pool.set(back.nonce, back);
    }
  }

  /** The pool forgets everything. */
  dropPool(): void {
    this.#pool.clear();
  }

  /** Another program with the same key uses the next nonce. */
  useNonce(): void {
    this.#pool.delete(this.#nonce());
    this.#foreign += 1;
  }

  #nonce(): number {
    return this.#foreign + this.#blocks.reduce((sum, { mined }) => sum + mined.length, 0);
  }

  async nonce(): Promise<number> {
    return this.#nonce();
  }

  async balance(): Promise<bigint> {
    return this.funds;
  }

  async sendRaw(raw: Hex): Promise<{ verdict: SendVerdict; message: string }> {
    this.offered.push(raw);
    const fault = this.faults.shift();
    if (fault !== undefined && fault !== 'unknown') return { verdict: fault, message: fault };
    const verdict = this.#take(raw);
    return { verdict: fault ?? verdict, message: fault ?? verdict };
  }

  #take(raw: Hex): SendVerdict {
    const {
      nonce = 0,
      maxFeePerGas: maxFee = 0n,
      maxPriorityFeePerGas: tip = 0n,
      data = '0x',
      to,
    } = parseTransaction(raw);
    const hash = keccak256(raw);
    const before = this.#pool.get(nonce);
    if (before?.hash === hash) return 'known';
    if (nonce < this.#nonce()) return 'nonceTooLow';
    if (this.funds === 0n) return 'insufficientFunds';
    if (maxFee < this.baseFee) return 'feeTooLow';
    if (before && (maxFee * 10n < before.maxFee * 11n || tip * 10n < before.tip * 11n)) return 'underpriced';
    this.#pool.set(nonce, { hash, nonce, data, to: to ?? '0x', maxFee, tip });
    return 'accepted';
  }

  async receipt(hash: Hex): Promise<Receipt | undefined> {
    for (const { head, mined } of this.#blocks) {
      if (!mined.some((one) => one.hash === hash)) continue;
      return { hash, ok: true, blockNumber: head.number, blockHash: head.hash, gasUsed: 21_000n, gasPrice: 1n };
    }
    return undefined;
  }

  async knows(hash: Hex): Promise<boolean> {
    return [...this.#pool.values()].some((one) => one.hash === hash) || (await this.receipt(hash)) !== undefined;
  }
}

function headOf(number: number, baseFee: bigint, timestamp: number, fork = 0): Head {
  const hash = (at: number): Hex => keccak256(`0x${(fork * 1_000_000 + at + 1).toString(16).padStart(16, '0')}`);
  return { number, hash: hash(number), parentHash: hash(number - 1), timestamp, baseFee };
}
