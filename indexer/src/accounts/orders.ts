/** Orders that a wallet signed and a program brings by an API key: checked against the key's caps, simulated, sent by the relayer. */
import type { Order, placedOrderSchema } from '@dpu/sdk/apiAccount';
import { MarketRevert } from '@dpu/sdk/revert';
import { jobId, worstCase, type MarketDomain, type Terms } from '@dpu/sdk/terms';
import type { z } from 'zod';

import { ProblemError } from '../api/problem.ts';
import { DAY_MS, type KeyRow } from './keys.ts';
import type { Sql, Store } from './store.ts';

type Hex = `0x${string}`;
type Json = z.input<typeof placedOrderSchema>;

/** Orders that one account may have brought on chain within a day: each costs the service gas. */
const ORDERS_A_DAY = 100;

/** Brings an order on chain. @throws MarketRevert when the contract refuses it, before anything is sent */
export type Relay = (terms: Terms, signature: Hex) => Promise<Hex>;

export interface OrdersDeps {
  store: Store;
  domain: MarketDomain;
  /** Undefined: this service sends nothing. */
  relay: Relay | undefined;
  /** Unix ms. */
  now: () => number;
}

interface Spent {
  key: string;
  transaction: Hex | null;
}
const SPENT = 'SELECT key, transaction FROM spend WHERE job = $1';
/** What the Market says of a job that is there already. */
const POSTED = 'JobInState';

/** Takes orders. */
export class Orders {
  readonly #deps: OrdersDeps;
  /** The last that was begun: the relayer's transactions are sent one after the other, so that each sees the nonce of the one before. */
  #sending: Promise<unknown> = Promise.resolve();

  constructor(deps: OrdersDeps) {
    this.#deps = deps;
  }

  /** Whether orders are relayed at all. */
  get relays(): boolean {
    return this.#deps.relay !== undefined;
  }

  /** @throws ProblemError `no-relayer`, `order-refused`, `cap-exceeded`, `chain-unavailable` */
  async place(key: KeyRow, { terms, signature }: Order): Promise<Json> {
    const { store, domain, relay } = this.#deps;
    if (!relay)
      throw new ProblemError(
        'no-relayer',
        'this service has no relayer: post the order yourself, or give it to a node',
      );
    if (terms.requester !== key.account)
      throw new ProblemError('order-refused', `the requester must be the key’s account, ${key.account}`);
    const id = jobId(terms, domain);
    const amount = worstCase(terms);
    const answer = (transaction: Hex): Json => ({
      ...{ id, transaction },
      spent: { currency: terms.currency, amount: String(amount) },
    });

    const before = await store.transaction((sql) => this.#reserve(sql, key, id, terms.currency, amount));
    if (before?.transaction) return answer(before.transaction);
    if (before && before.key !== key.id)
      throw new ProblemError('order-refused', 'another of your keys brings this order just now');
    const send = async (): Promise<Hex> => {
      const [now] = await store.query<Spent>(SPENT, [id]);
      if (now?.transaction) return now.transaction;
      const transaction = await relay(terms, signature);
      await store.query('UPDATE spend SET transaction = $2 WHERE job = $1', [id, transaction]);
      return transaction;
    };
    const sent = this.#sending.then(send);
    this.#sending = sent.catch(() => undefined);
    try {
      return answer(await sent);
    } catch (error) {
      // Only what was refused for sure is given back: an answer that never came may have been sent.
      if (!(error instanceof MarketRevert)) {
        console.warn('An order was not relayed', { job: id, error });
        const sentence = 'the chain did not answer; send the same order again, it counts once';
        throw new ProblemError('chain-unavailable', sentence);
      }
      // A job that is there after an attempt without an end was most likely posted by it.
      const isPosted = before !== undefined && error.errorName === POSTED;
      if (!isPosted)
        await store.query('DELETE FROM spend WHERE job = $1 AND key = $2 AND transaction IS NULL', [id, key.id]);
      throw new ProblemError('order-refused', `the Market refuses it: ${error.errorName}`);
    }
  }

  /** Counts the order against the key's caps, or finds that it was counted. The key's row is locked until the transaction ends. */
  async #reserve(sql: Sql, key: KeyRow, job: Hex, currency: Hex, amount: bigint): Promise<Spent | undefined> {
    const at = this.#deps.now();
    await sql.query('SELECT id FROM api_key WHERE id = $1 FOR UPDATE', [key.id]);
    const [known] = await sql.query<Spent>(SPENT, [job]);
    if (known) return known;

    const [cap] = await sql.query<{ per_day: string | null; total: string | null }>(
      'SELECT per_day::text AS per_day, total::text AS total FROM cap WHERE key = $1 AND currency = $2',
      [key.id, currency],
    );
    if (!cap) throw new ProblemError('cap-exceeded', `the key has no cap for ${currency}, so it may spend none of it`);
    const [sums] = await sql.query<{ day: string; total: string }>(
      `SELECT coalesce(sum(amount) FILTER (WHERE at > $3), 0)::text AS day, coalesce(sum(amount), 0)::text AS total
       FROM spend WHERE key = $1 AND currency = $2`,
      [key.id, currency, at - DAY_MS],
    );
    for (const [name, limit, spent] of [
      ['a day', cap.per_day, sums!.day],
      ['in total', cap.total, sums!.total],
    ] as const) {
      if (limit === null || BigInt(spent) + amount <= BigInt(limit)) continue;
      const sentence = `the order can cost ${amount}, and of the key’s ${limit} ${name} ${spent} are spent`;
      throw new ProblemError('cap-exceeded', sentence);
    }
    const [orders] = await sql.query<{ count: number }>(
      'SELECT count(*) AS count FROM spend WHERE account = $1 AND at > $2',
      [key.account, at - DAY_MS],
    );
    if (orders!.count >= ORDERS_A_DAY)
      throw new ProblemError('cap-exceeded', `${ORDERS_A_DAY} orders a day are relayed for one account`);
    // The same job by another key at the same time: the primary key lets one through, and the other finds it.
    const made = await sql.query(
      `INSERT INTO spend (job, key, account, currency, amount, at) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (job) DO NOTHING RETURNING job`,
      [job, key.id, key.account, currency, String(amount), at],
    );
    if (made.length === 0) throw new ProblemError('order-refused', 'another of your keys brings this order just now');
    return undefined;
  }
}
