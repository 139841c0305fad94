import { marketAbi } from '@dpu/sdk/abi';
import type { Api, JobState } from '@dpu/sdk/api';
import type { Address, Hex } from 'viem';
import { expect } from 'vitest';
import { people, type Chain } from './chain.ts';

/** What the API calls each state of the contract. A leased job has a living lease over all of it. */
const STATES: JobState[][] = [[], ['open', 'running'], ['cancelled'], ['complete'], ['closed'], ['running']];

const EFFECT: Record<string, bigint> = {
  ...{ deposit: 1n, withdrawal: -1n, escrow: -1n, refund: 1n, paid: 1n, fee: 0n, collected: 1n },
  ...{ bonus: 1n, sweep: 1n, slash: 0n, burn: 0n, treasury: 1n, audit: -1n, auditRefund: 1n },
  ...{ pledge: -1n, release: 1n, jury: 1n, reward: 1n, repaid: 1n, forfeit: 1n },
};

const lower = (address: Address) => address.toLowerCase() as Address;

/** Sends one GraphQL query. */
export async function graphql<Data>(url: string, query: string): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Free balances of everybody, by the contract, the API, and the sum of the payments, which must be three times the same. */
export async function expectBalances(chain: Chain, api: Api, url: string): Promise<void> {
  const { payments } = await graphql<{
    payments: { items: Record<'account' | 'currency' | 'kind' | 'amount', string>[] };
  }>(url, '{ payments(limit: 1000) { items { account currency kind amount } } }');
  for (const [name, { address }] of Object.entries(people)) {
    const { balances } = await api.account(address);
    for (const currency of [chain.token, chain.dollar]) {
      const truth = await chain.read({
        ...{ address: chain.market, abi: marketAbi, functionName: 'balanceOf' },
        args: [currency, address],
      });
      const row = balances.find((balance) => balance.currency === lower(currency))?.amount ?? 0n;
      const sum = payments.items
        .filter((payment) => payment.account === lower(address) && payment.currency === lower(currency))
        .reduce((total, payment) => total + EFFECT[payment.kind]! * BigInt(payment.amount), 0n);
      expect(row, `${name} in ${currency}`).toBe(truth);
      expect(sum, `payments of ${name} in ${currency}`).toBe(truth);
    }
  }
}

/** What is still bound and uncollected, per currency, and that the Market's tokens are exactly what its books owe. */
export async function expectCurrencies(chain: Chain, url: string): Promise<void> {
  type Row = Record<'address' | 'escrow' | 'uncollected', string>;
  const { currencys } = await graphql<{ currencys: { items: Row[] } }>(
    url,
    '{ currencys { items { address escrow uncollected } } }',
  );
  for (const currency of [chain.token, chain.dollar]) {
    const row = currencys.items.find((item) => item.address === lower(currency))!;
    const fees = await Promise.all(
      Object.values(people).map(({ address }) =>
        chain.read({ address: chain.market, abi: marketAbi, functionName: 'feesOf', args: [currency, address] }),
      ),
    );
    expect(BigInt(row.uncollected), `fees in ${currency}`).toBe(fees.reduce((sum, fee) => sum + fee, 0n));
    expect(BigInt(row.escrow), `escrow in ${currency}`).toBe(0n);
  }
}

/** Every field of each node. */
export async function expectNodes(chain: Chain, api: Api, ids: number[] = [1, 2]): Promise<void> {
  for (const id of ids) {
    const truth = await chain.read({ address: chain.market, abi: marketAbi, functionName: 'node', args: [id] });
    const row = (await api.node(id))!;
    expect(row).toMatchObject({
      stake: truth.stake,
      locked: truth.locked,
      queued: truth.queued,
      unstakeAt: truth.unstakeAt || null,
      record: truth.record,
      since: truth.since,
      tier: truth.tier,
      tierUntil: truth.tierUntil,
      owner: lower(truth.owner),
      operator: lower(truth.operator),
      runtimes: [1, 2],
      endpoint: truth.endpoint,
      key: null,
    });
  }
}

/** Each job's state. */
export async function expectStates(chain: Chain, api: Api, ids: Hex[]): Promise<void> {
  for (const id of ids) {
    const truth = await chain.read({ address: chain.market, abi: marketAbi, functionName: 'job', args: [id] });
    expect(STATES[truth.state], `state of ${id}`).toContain((await api.job(id))?.state);
  }
}

/** Everything the REST API can say, to compare two indexers; without finality, which grows as blocks are mined. */
export async function everything(api: Api): Promise<unknown> {
  const jobs = await api.jobs({ limit: 100 });
  const said = {
    stats: await api.stats(),
    jobs: await Promise.all(jobs.items.map((job) => api.job(job.id))),
    nodes: await Promise.all([1, 2].map((id) => api.node(id))),
    accounts: await Promise.all(Object.values(people).map(({ address }) => api.account(address))),
    activity: await api.activity({ limit: 100 }),
  };
  return withoutFinality(said);
}

function withoutFinality(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutFinality);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => name !== 'finality');
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutFinality(inner)]));
}
