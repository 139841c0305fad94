import { keccak256, type Hex, type PrivateKeyAccount } from 'viem';

import type { Head, Receipt, SenderChain } from '../chain/chain.ts';
import { OperatorError } from '../errors.ts';
import { bumpedFees, firstFees, type FeePolicy, type Fees } from './fees.ts';
import type { Log } from '../log.ts';
import type { Attempt, Intent, IntentKind, IntentRow, IntentStatus, Outbox } from './outbox.ts';
import { Queue } from '../repeat.ts';

/** How transactions are sent. Depths are in blocks. */
export interface SenderOptions {
  account: PrivateKeyAccount;
  chainId: number;
  fees: FeePolicy;
  /** A transaction this deep is never looked at again. */
  finalityBlocks: number;
  /** A transaction that was next in line for this long is replaced at a higher fee. */
  bumpAfterBlocks: number;
  /** A nonce that was used up by none of our transactions, for this long, was used by somebody else. */
  lostAfterBlocks: number;
  /** Most nonces in flight. */
  maxInFlight: number;
}

/** What the sender works with. */
export interface SenderDeps {
  chain: SenderChain;
  outbox: Outbox;
  log: Log;
  /** Called once per change of an intent's status to an outcome; again when a reorg changed it. */
  onOutcome?: (kind: IntentKind, status: IntentStatus, receipt: Receipt | undefined) => void;
}

/** A self transfer costs exactly this. */
const TRANSFER_GAS = 21_000n;
/** How often a transaction that nodes refuse is offered, one head apart. */
const REFUSALS_ALLOWED = 3;

/**
 * The only place that sends transactions. It owns the operator's nonces; every transaction is on disk before it leaves, and
 * every intent lands at most once however often the process dies, the pool drops it or the chain turns back.
 */
export class Sender {
  readonly #options: SenderOptions;
  readonly #deps: SenderDeps;
  readonly #queue = new Queue();
  readonly #unseenSince = new Map<string, number>();
  readonly #refusals = new Map<string, number>();
  #head: Head | undefined;
  #chainNonce: number | undefined;
  #checkMined = true;
  #problem: OperatorError | undefined;

  constructor(options: SenderOptions, deps: SenderDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** What the operator must do before anything more can be sent; undefined when all is well. */
  get problem(): OperatorError | undefined {
    return this.#problem;
  }

  /** Intents that wait or are in a pool. */
  get pending(): number {
    return this.#deps.outbox.live().filter(({ status }) => status === 'queued' || status === 'sent').length;
  }

  /**
   * Makes sure that the intent happens: writes it down, then sends it at once. Calling again with the same key changes nothing.
   * Answers whether it was new.
   */
  async submit(intent: Intent): Promise<boolean> {
    const added = this.#deps.outbox.add(intent);
    if (added) await this.#queue.run(() => this.#flush());
    return added;
  }

  /**
   * Looks at the chain once per new head: what was mined, what is gone, what needs a better fee. `reorged`: blocks that were
   * seen are not on the chain any more.
   */
  tick(head: Head, reorged: boolean): Promise<void> {
    return this.#queue.run(async () => {
      this.#head = head;
      this.#chainNonce = await this.#deps.chain.nonce(this.#options.account.address);
      for (const row of this.#deps.outbox.live()) {
        if (row.status !== 'queued' && row.status !== 'sent')
          await this.#watchMined(row, head, reorged || this.#checkMined);
      }
      // A start counts as a reorg: nobody knows what happened in between.
      this.#checkMined = false;
      for (const row of this.#sentInOrder()) await this.#watchSent(row, head);
      await this.#flush();
      await this.#fillGaps(head);
      await this.#lookIntoWallet();
    });
  }

  /** Resolves when nothing is being sent right now. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  #sentInOrder(): IntentRow[] {
    return this.#deps.outbox
      .live()
      .filter(({ status }) => status === 'sent')
      .sort((a, b) => (a.nonce ?? 0) - (b.nonce ?? 0));
  }

  /* MINED */

  async #watchMined(row: IntentRow, head: Head, verify: boolean): Promise<void> {
    const { chain, outbox, log } = this.#deps;
    const deep = row.block !== undefined && head.number - row.block >= this.#options.finalityBlocks;
    if (!deep && !verify) return;
    const receipt = await this.#findReceipt(row);
    if (!receipt) {
      if (row.hash && (await chain.receipt(row.hash))) return;
      log.warn('Transaction left the chain', { key: row.key, hash: row.hash });
      outbox.unmine(row.key);
    } else if (receipt.blockHash !== row.blockHash) this.#conclude(row, receipt);
    else if (deep) outbox.finalize(row.key);
  }

  async #findReceipt(row: IntentRow): Promise<Receipt | undefined> {
    // Newest first: the best paying one is the likeliest.
    for (const attempt of this.#deps.outbox.attempts(row.key).reverse()) {
      const receipt = await this.#deps.chain.receipt(attempt.hash);
      if (receipt) return receipt;
    }
    return undefined;
  }

  #conclude(row: IntentRow, receipt: Receipt): void {
    const cancels = this.#deps.outbox.attempts(row.key).some(({ hash, cancels: c }) => c && hash === receipt.hash);
    const status = cancels ? 'cancelled' : receipt.ok ? 'mined' : 'reverted';
    this.#deps.outbox.markMined(row.key, status, receipt);
    this.#unseenSince.delete(row.key);
    this.#deps.log.debug('Transaction mined', { key: row.key, status, hash: receipt.hash, block: receipt.blockNumber });
    if (status === 'reverted') this.#deps.log.warn('Transaction reverted', { key: row.key, hash: receipt.hash });
    this.#deps.onOutcome?.(row.kind, status, receipt);
  }

  /* SENT */

  async #watchSent(row: IntentRow, head: Head): Promise<void> {
    const { chain, outbox, log } = this.#deps;
    const nonce = row.nonce ?? 0;
    const chainNonce = this.#chainNonce ?? 0;
    if (nonce < chainNonce) {
      const receipt = await this.#findReceipt(row);
      if (receipt) return this.#conclude(row, receipt);
      // One RPC may count a nonce before it can show the receipt; give it time before calling the nonce lost.
      const since = this.#unseenSince.get(row.key) ?? head.number;
      this.#unseenSince.set(row.key, since);
      if (head.number - since < this.#options.lostAfterBlocks) return;
      log.warn('Nonce was used by somebody else', { key: row.key, nonce });
      this.#unseenSince.delete(row.key);
      return outbox.requeue(row.key);
    }
    this.#unseenSince.delete(row.key);

    const last = outbox.attempts(row.key).at(-1);
    if (!last) return outbox.requeue(row.key);
    const late = row.deadline !== undefined && head.timestamp > row.deadline;
    if (late && !last.cancels) return this.#replace(row, last, head, true);
    const stuck = nonce === chainNonce && head.number - last.block >= this.#options.bumpAfterBlocks;
    if (stuck || last.maxFee < head.baseFee) return this.#replace(row, last, head, last.cancels);
    if (head.number > last.block && !(await chain.knows(last.hash))) {
      log.warn('Transaction was dropped, sending it again', { key: row.key, hash: last.hash });
      await this.#offer(row, last, false);
    }
  }

  /** Replaces the last attempt at a higher fee; when the cap forbids it, offers the old one again. */
  async #replace(row: IntentRow, last: Attempt, head: Head, cancels: boolean): Promise<void> {
    const fees = bumpedFees(this.#options.fees, head.baseFee, row.urgent || this.#blocksUrgent(row), last);
    if (!fees) {
      this.#deps.log.warn('Fee cap reached, waiting for a lower base fee', { key: row.key, baseFee: head.baseFee });
      await this.#offer(row, last, false);
      return;
    }
    const attempt = await this.#sign(row, last.nonce, fees, head.number, cancels);
    this.#deps.outbox.addAttempt(row.key, attempt);
    this.#deps.log.info(cancels ? 'Transaction cancelled' : 'Transaction replaced', {
      key: row.key,
      hash: attempt.hash,
      maxFee: fees.maxFee,
    });
    await this.#offer(row, attempt, false);
  }

  /** A cheap transaction in front of one that must not be late is as urgent as that one. */
  #blocksUrgent({ nonce = 0 }: IntentRow): boolean {
    return this.#deps.outbox.live().some((row) => row.urgent && row.status === 'sent' && (row.nonce ?? 0) > nonce);
  }

  /* NEW */

  async #flush(): Promise<void> {
    const head = this.#head;
    // Before the first head nobody knows the base fee; what waits goes out with the first tick.
    if (!head) return;
    const { outbox } = this.#deps;
    for (const row of outbox.live()) {
      if (row.status !== 'queued') continue;
      if (row.deadline !== undefined && head.timestamp > row.deadline) {
        outbox.end(row.key, 'expired');
        this.#deps.onOutcome?.(row.kind, 'expired', undefined);
        continue;
      }
      const taken = this.#takenNonces();
      if (taken.size >= this.#options.maxInFlight) return;
      let nonce = this.#chainNonce ?? 0;
      while (taken.has(nonce)) nonce += 1;
      const fees = firstFees(this.#options.fees, head.baseFee, row.urgent);
      // Too expensive now and nothing is lost by waiting: without a nonce it cannot stand in anybody's way.
      if (!row.urgent && fees.maxFee < head.baseFee) continue;
      const attempt = await this.#sign(row, nonce, fees, head.number, false);
      outbox.addAttempt(row.key, attempt);
      if (!(await this.#offer(row, attempt, true))) return;
    }
  }

  /** With nothing left to send, no transaction would ever show that the wallet was filled. */
  async #lookIntoWallet(): Promise<void> {
    const { chain, outbox } = this.#deps;
    if (!this.#problem || outbox.live().some(({ status }) => status === 'queued')) return;
    const balance = await chain.balance(this.#options.account.address);
    if (balance > BigInt(String(this.#problem.context['balance']))) this.#problem = undefined;
  }

  #takenNonces(): Set<number> {
    return new Set(this.#sentInOrder().flatMap(({ nonce }) => (nonce === undefined ? [] : [nonce])));
  }

  /** A nonce below others that nothing waits for blocks them all; an empty transfer takes it. */
  async #fillGaps(head: Head): Promise<void> {
    const taken = this.#takenNonces();
    const highest = Math.max(-1, ...taken);
    for (let nonce = this.#chainNonce ?? 0; nonce < highest; nonce += 1) {
      if (taken.has(nonce)) continue;
      const self = this.#options.account.address;
      const key = `fill:${nonce}:${this.#deps.outbox.countKeys(`fill:${nonce}:`)}`;
      const intent: Intent = {
        key,
        kind: 'fill',
        to: self,
        data: '0x',
        gas: TRANSFER_GAS,
        priority: 9,
        deadline: undefined,
        urgent: true,
        shards: 0,
      };
      this.#deps.outbox.add(intent);
      const row = this.#deps.outbox.get(key);
      if (!row) continue;
      const attempt = await this.#sign(
        row,
        nonce,
        firstFees(this.#options.fees, head.baseFee, true),
        head.number,
        true,
      );
      this.#deps.outbox.addAttempt(key, attempt);
      this.#deps.log.warn('Filling a nonce that nothing uses', { nonce });
      await this.#offer(row, attempt, true);
    }
  }

  async #sign(row: IntentRow, nonce: number, fees: Fees, block: number, cancels: boolean): Promise<Attempt> {
    const { account, chainId } = this.#options;
    const raw: Hex = await account.signTransaction({
      type: 'eip1559',
      chainId,
      nonce,
      maxFeePerGas: fees.maxFee,
      maxPriorityFeePerGas: fees.tip,
      ...(cancels ? { to: account.address, gas: TRANSFER_GAS } : { to: row.to, data: row.data, gas: row.gas }),
    });
    return { hash: keccak256(raw), nonce, raw, ...fees, cancels, block };
  }

  /**
   * Sends an attempt that is already on disk. `first`: it never left this process before, so a refusal means that it is nowhere.
   * Answers whether the next intent may go out.
   */
  async #offer(row: IntentRow, attempt: Attempt, first: boolean): Promise<boolean> {
    const { chain, outbox, log } = this.#deps;
    const { verdict, message } = await chain.sendRaw(attempt.raw);
    if (verdict === 'accepted' || verdict === 'known') {
      this.#problem = undefined;
      this.#refusals.delete(row.key);
      if (first) log.debug('Transaction sent', { key: row.key, hash: attempt.hash, nonce: attempt.nonce });
      return true;
    }
    log.debug('Transaction not taken', { key: row.key, verdict, message });
    switch (verdict) {
      case 'unknown':
        return false; // The next head shows whether it is in the pool.
      case 'nonceTooLow':
        // Mined while we were looking away, or used by somebody else: the next head tells. A new one is nowhere, so it moves on.
        this.#chainNonce = await chain.nonce(this.#options.account.address);
        if (first) outbox.requeue(row.key);
        return false;
      case 'underpriced':
      case 'feeTooLow': {
        const fees = this.#head && bumpedFees(this.#options.fees, this.#head.baseFee, row.urgent, attempt);
        if (!fees) return true;
        const better = await this.#sign(row, attempt.nonce, fees, attempt.block, attempt.cancels);
        outbox.addAttempt(row.key, better);
        return this.#offer(row, better, false);
      }
      case 'insufficientFunds': {
        const { address } = this.#options.account;
        const problem = new OperatorError(
          `The operator's wallet ${address} cannot pay for gas. Send it some of the chain's coin; the node goes on by itself.`,
          { address, balance: (await chain.balance(address)).toString() },
        );
        if (!this.#problem) log.error(problem.message, problem.context);
        this.#problem = problem;
        if (first) outbox.requeue(row.key);
        return false;
      }
      case 'rejected': {
        const refusals = (this.#refusals.get(row.key) ?? 0) + 1;
        this.#refusals.set(row.key, refusals);
        log.warn('Transaction refused', { key: row.key, message, refusals });
        if (!first) return true;
        if (refusals < REFUSALS_ALLOWED) outbox.requeue(row.key);
        else {
          outbox.end(row.key, 'failed');
          this.#deps.onOutcome?.(row.kind, 'failed', undefined);
        }
        return true;
      }
    }
  }
}
