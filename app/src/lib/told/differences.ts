/** What an indexer tells, laid beside what the chain says. Pure. */
import type { Job, NodeSummary } from '@dpu/sdk/api';
import type { JobHistory } from '@dpu/sdk/history';

import { formatMoney, type Currency } from '../currency.ts';
import { formatBps, shortHex } from '../format.ts';

/** One thing that the indexer and the chain say differently. */
export interface Difference {
  /** `the highest price of a shard` */
  what: string;
  /** What the indexer tells. */
  told: string;
  /** What the chain says. */
  chain: string;
  /** It never changes, or the indexer is ahead of the chain: being slow does not explain it. */
  certain: boolean;
}

/** A node as the Market's `node` returns it, as far as it is compared. */
export interface ChainNode {
  owner: string;
  operator: string;
  key: string;
  endpoint: string;
  /** DPU wei. */
  stake: bigint;
  /** Basis points. */
  record: number;
}

/** Seconds after its last event in which an indexer may not have told of it. */
export const PATIENCE = 60;
const ENDED = new Set(['complete', 'closed']);
const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/**
 * What an indexer tells of a job that the chain does not say. `told` must have been asked for before the chain was read: then the chain is at
 * least as new, and an indexer that is ahead of it is wrong. One that is behind is given `PATIENCE` seconds, by the chain's clock `now`.
 */
export function jobDifferences(
  told: Pick<Job, 'requester' | 'currency' | 'minPrice' | 'maxPrice' | 'bond' | 'shards' | 'spec' | 'state'> &
    Pick<Job, 'refunded' | 'settled'>,
  { terms, state, refunded, leases, steps }: Pick<JobHistory, 'terms' | 'state' | 'refunded' | 'leases' | 'steps'>,
  { currency, dpu, now }: { currency: Currency; dpu: Currency; now: number },
): Difference[] {
  const found: Difference[] = [];
  const fixed = (what: string, one: string, other: string): void => {
    if (!same(one, other)) found.push({ what, told: one, chain: other, certain: true });
  };
  fixed('the requester', told.requester, terms.requester);
  fixed('the currency', told.currency, terms.currency);
  fixed('the lowest price of a shard', formatMoney(told.minPrice, currency), formatMoney(terms.minPrice, currency));
  fixed('the highest price of a shard', formatMoney(told.maxPrice, currency), formatMoney(terms.maxPrice, currency));
  fixed('the bond of a shard', formatMoney(told.bond, dpu), formatMoney(terms.bond, dpu));
  fixed('the number of shards', String(told.shards), String(terms.shards));
  fixed('its description', told.spec, terms.spec);

  const late = now - (steps.at(-1)?.timestamp ?? now) > PATIENCE;
  const moving = (what: string, one: string, other: string, ahead: boolean): void => {
    if (one !== other && (ahead || late)) found.push({ what, told: one, chain: other, certain: ahead });
  };
  // Where nobody works yet an indexer says `open`, later `running`; the chain's history has one word for both.
  const living = told.state === 'running' ? 'open' : told.state;
  moving('its state', living, state, ENDED.has(living) && !ENDED.has(state));
  // Several seats of a range begin with the same shard, and settle it once.
  const settled = [
    ...new Map(
      leases.filter((held) => held.state === 'settled').map(({ lease }) => [lease.first, lease.count]),
    ).values(),
  ];
  const done = settled.reduce((sum, count) => sum + count, 0);
  moving('the number of settled shards', String(told.settled), String(done), told.settled > done);
  moving(
    'what was paid back',
    formatMoney(told.refunded, currency),
    formatMoney(refunded, currency),
    told.refunded > refunded,
  );
  return found;
}

/** What an indexer tells of a node that the chain does not say. Any of it may change, so a slow indexer explains all of it for a while. */
export function nodeDifferences(
  told: Pick<NodeSummary, 'owner' | 'operator' | 'key' | 'endpoint' | 'stake' | 'record'>,
  chain: ChainNode,
  dpu: Currency,
): Difference[] {
  const rows: [what: string, told: string, chain: string][] = [
    ['the owner', told.owner, chain.owner.toLowerCase()],
    ['the operator', told.operator, chain.operator.toLowerCase()],
    ['the key for private jobs', keyText(told.key), keyText(chain.key)],
    ['the gateway', told.endpoint, chain.endpoint],
    ['the stake', formatMoney(told.stake, dpu), formatMoney(chain.stake, dpu)],
    ['the record', formatBps(told.record), formatBps(chain.record)],
  ];
  return rows
    .filter(([, one, other]) => one !== other)
    .map(([what, one, other]) => ({ what, told: brief(one), chain: brief(other), certain: false }));
}

function keyText(key: string | null): string {
  return key === null || /^0x0*$/.test(key) ? 'none' : key.toLowerCase();
}

function brief(text: string): string {
  return /^0x[0-9a-f]{40,}$/.test(text) ? shortHex(text) : text;
}

/**
 * Differences that have stood for a while: what is true of one look may be a slow indexer, what is true of all looks for `patienceMs` is not.
 * `now` in milliseconds.
 */
export class Standing {
  #since = new Map<string, number>();
  #patienceMs: number;

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** Of what is different now, what has been for long enough. */
  look(differences: readonly Difference[], now: number): Difference[] {
    const seen = new Set(differences.map(({ what }) => what));
    for (const what of this.#since.keys()) if (!seen.has(what)) this.#since.delete(what);
    for (const { what } of differences) if (!this.#since.has(what)) this.#since.set(what, now);
    return differences.filter(
      ({ what, certain }) => certain || now - (this.#since.get(what) ?? now) >= this.#patienceMs,
    );
  }
}
