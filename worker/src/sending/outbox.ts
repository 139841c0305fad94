import type { Address, Hex } from 'viem';

import type { Receipt } from '../chain/chain.ts';
import type { Journal } from './journal.ts';

/** What a transaction is for. */
export type IntentKind =
  | 'claim'
  | 'takeOver'
  | 'sit'
  | 'audit'
  | 'commit'
  | 'reveal'
  | 'submit'
  | 'settle'
  | 'agree'
  | 'lapse'
  | 'close'
  | 'challenge'
  | 'appeal'
  | 'serve'
  | 'testify'
  | 'judge'
  | 'enforce'
  | 'endpoint'
  | 'beginProof'
  | 'finishProof'
  | 'fill';

/** One thing that is to happen on chain exactly once. */
export interface Intent {
  /** Two intents with the same key are the same intent. */
  key: string;
  kind: IntentKind;
  to: Address;
  data: Hex;
  /** Gas limit. */
  gas: bigint;
  /** Higher goes first when several wait. */
  priority: number;
  /** Last block time, unix seconds, at which being mined is of any use; undefined for always. */
  deadline: number | undefined;
  /** Missing it costs a bond, so a higher fee cap applies. */
  urgent: boolean;
  /** Shards that it takes on, 0 for most. */
  shards: number;
}

/**
 * queued: without a nonce. sent: signed and on disk under its nonce, in a pool or not. mined and reverted: in a block. cancelled: its
 * nonce was used up by a transfer to oneself. expired: never sent, too late. failed: no node would take it.
 */
export type IntentStatus = 'queued' | 'sent' | 'mined' | 'reverted' | 'cancelled' | 'expired' | 'failed';

/** An intent and what became of it. */
export interface IntentRow extends Intent {
  status: IntentStatus;
  /** No reorg can undo it any more; nobody looks at it again. */
  final: boolean;
  nonce: number | undefined;
  hash: Hex | undefined;
  block: number | undefined;
  blockHash: Hex | undefined;
}

/** One signed transaction for an intent. All attempts of an intent share their nonce, so at most one is ever mined. */
export interface Attempt {
  hash: Hex;
  nonce: number;
  raw: Hex;
  /** Wei per gas. */
  maxFee: bigint;
  tip: bigint;
  /** It is the transfer to oneself that frees the nonce. */
  cancels: boolean;
  /** Latest block when it was signed. */
  block: number;
}

interface StoredIntent {
  key: string;
  kind: IntentKind;
  target: Address;
  data: Hex;
  gas: string;
  priority: number;
  deadline: number | null;
  urgent: number;
  shards: number;
  status: IntentStatus;
  final: number;
  nonce: number | null;
  hash: Hex | null;
  block: number | null;
  block_hash: Hex | null;
}

function rowOf(row: StoredIntent): IntentRow {
  return {
    key: row.key,
    kind: row.kind,
    to: row.target,
    data: row.data,
    gas: BigInt(row.gas),
    priority: row.priority,
    deadline: row.deadline ?? undefined,
    urgent: row.urgent === 1,
    shards: row.shards,
    status: row.status,
    final: row.final === 1,
    nonce: row.nonce ?? undefined,
    hash: row.hash ?? undefined,
    block: row.block ?? undefined,
    blockHash: row.block_hash ?? undefined,
  };
}

/** The durable queue of intents. Every change is on the disk when the call returns. */
export class Outbox {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Adds an intent; answers false when its key is already there, in whatever status. */
  add(intent: Intent): boolean {
    const added = this.#journal.run(
      `INSERT OR IGNORE INTO intents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0, NULL, NULL, NULL, NULL,
        (SELECT COALESCE(MAX(created), 0) + 1 FROM intents))`,
      intent.key,
      intent.kind,
      intent.to,
      intent.data,
      intent.gas.toString(),
      intent.priority,
      intent.deadline ?? null,
      Number(intent.urgent),
      intent.shards,
    );
    return added === 1;
  }

  get(key: string): IntentRow | undefined {
    const row = this.#journal.get<StoredIntent>('SELECT * FROM intents WHERE key = ?', key);
    return row && rowOf(row);
  }

  /** Everything that may still change: what waits, what is sent, and what a reorg could undo. Most urgent first. */
  live(): IntentRow[] {
    return this.#journal
      .all<StoredIntent>('SELECT * FROM intents WHERE final = 0 ORDER BY priority DESC, created')
      .map(rowOf);
  }

  /** How many intents have a key that begins with `prefix`. */
  countKeys(prefix: string): number {
    const sql = 'SELECT COUNT(*) AS n FROM intents WHERE key >= ? AND key < ?';
    return this.#journal.get<{ n: number }>(sql, prefix, `${prefix}\uffff`)?.n ?? 0;
  }

  /** Attempts of an intent, oldest first. */
  attempts(key: string): Attempt[] {
    return this.#journal
      .all<{ hash: Hex; nonce: number; raw: Hex; max_fee: string; tip: string; cancels: number; block: number }>(
        'SELECT * FROM attempts WHERE key = ? ORDER BY seq',
        key,
      )
      .map(({ max_fee, tip, cancels, ...rest }) => ({
        ...rest,
        maxFee: BigInt(max_fee),
        tip: BigInt(tip),
        cancels: cancels === 1,
      }));
  }

  /** Writes down a signed transaction before it is sent, and with it the intent's nonce. */
  addAttempt(key: string, attempt: Attempt): void {
    this.#journal.transaction(() => {
      this.#journal.run("UPDATE intents SET status = 'sent', nonce = ? WHERE key = ?", attempt.nonce, key);
      this.#journal.run(
        `INSERT OR IGNORE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, (SELECT COALESCE(MAX(seq), 0) + 1 FROM attempts))`,
        attempt.hash,
        key,
        attempt.nonce,
        attempt.raw,
        attempt.maxFee.toString(),
        attempt.tip.toString(),
        Number(attempt.cancels),
        attempt.block,
      );
    });
  }

  /** One of the attempts is in a block. */
  markMined(key: string, status: 'mined' | 'reverted' | 'cancelled', receipt: Receipt): void {
    this.#journal.run(
      'UPDATE intents SET status = ?, hash = ?, block = ?, block_hash = ? WHERE key = ?',
      status,
      receipt.hash,
      receipt.blockNumber,
      receipt.blockHash,
      key,
    );
  }

  /** The block of the attempt is not on the chain any more. */
  unmine(key: string): void {
    this.#journal.run(
      "UPDATE intents SET status = 'sent', hash = NULL, block = NULL, block_hash = NULL WHERE key = ?",
      key,
    );
  }

  /** Gives the nonce back: none of the attempts can ever be mined. */
  requeue(key: string): void {
    this.#journal.transaction(() => {
      this.#journal.run("UPDATE intents SET status = 'queued', nonce = NULL, hash = NULL WHERE key = ?", key);
      this.#journal.run('DELETE FROM attempts WHERE key = ?', key);
    });
  }

  /** Ends an intent that never reached a block. */
  end(key: string, status: 'expired' | 'failed'): void {
    this.#journal.transaction(() => {
      this.#journal.run('UPDATE intents SET status = ?, final = 1, nonce = NULL WHERE key = ?', status, key);
      this.#journal.run('DELETE FROM attempts WHERE key = ?', key);
    });
  }

  /** No reorg can undo it any more. The signed bytes are dropped. */
  finalize(key: string): void {
    this.#journal.transaction(() => {
      this.#journal.run("UPDATE intents SET final = 1, data = '0x' WHERE key = ?", key);
      this.#journal.run('DELETE FROM attempts WHERE key = ?', key);
    });
  }
}
