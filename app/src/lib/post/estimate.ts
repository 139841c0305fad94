import type { Api, NodeSummary } from '@dpu/sdk/api';
import type { Exclusion } from '@dpu/sdk/apiQuote';
import { encodeFundAndPost, escrowOf } from '@dpu/sdk/posting';
import type { Terms } from '@dpu/sdk/terms';
import { isAddressEqual, type Address } from 'viem';

import type { Chain } from '../chain/chain.ts';
import { ForecastRefuted, type Forecast, type Told } from './forecast.ts';

/** Why nodes would not take a job: what a quote names, and that they are one's own. */
export type Obstacle = Exclusion | 'own';

/** What each obstacle means, for "3 nodes …". */
export const OBSTACLES: Readonly<Record<Obstacle, `{count} ${string}`>> = {
  allowlist: '{count} are not among those who may take it',
  runtime: '{count} do not offer this runtime',
  tier: '{count} have not proven the tier',
  minStake: '{count} have less at stake than the network asks for',
  freeStake: '{count} have too little free stake for the bond',
  key: '{count} cannot open it: it is private',
  offline: '{count} are silent, unwell, or take no new work',
  busy: '{count} have no free slot now',
  price: '{count} ask for more than the highest price',
  own: '{count} are yours: work for oneself earns no record',
};

/** What a job would meet if it were posted now. Money is in the job's currency's smallest unit. */
export interface Estimate {
  /** Nodes that could take it now; and those among them without work, where there is no forecast. */
  eligible: number;
  idle: number;
  /** When it begins and for how much, as the indexer forecasts it; undefined when it does not. */
  forecast: Forecast | undefined;
  /** Why there is no forecast. */
  silent: 'gone' | 'wrong' | undefined;
  /** How many nodes each obstacle keeps away, several of which may keep the same one; an absent one keeps nobody. */
  obstacles: Partial<Record<Obstacle, number>>;
  /** What the whole costs when every shard is taken at the start, half way up and at the end of the ramp. */
  prices: { least: bigint; middle: bigint; most: bigint };
  /** Of the post itself, in wei of the chain's coin; undefined while the money is not there, which makes the call fail. */
  gas: { units: bigint; cost: bigint } | undefined;
  /** Last second at which money can be bound. */
  worstCaseExit: number;
}

/** What an estimate is made of. */
export interface EstimateRequest {
  terms: readonly Terms[];
  /** Ids of the nodes that may read a private job; undefined: everyone may. */
  readers?: readonly number[] | undefined;
  /** The account that would post; undefined before a wallet is connected. */
  account: Address | undefined;
}

/** Where an estimate comes from. */
export interface EstimateDeps {
  api: Pick<Api, 'nodes'>;
  /** Asks for a forecast. */
  quote: (request: EstimateRequest, now: number) => Promise<Told>;
  chain: Chain;
}

/**
 * What the job would meet: a forecast by the indexer, or where it gives none the nodes that it lists; and the chain's own view of the money. The
 * one place where pages ask.
 */
export async function estimate(request: EstimateRequest, { api, quote, chain }: EstimateDeps): Promise<Estimate> {
  const { terms, readers, account } = request;
  const [first] = terms;
  const last = terms.at(-1);
  if (!first || !last) throw new Error('There is no job to estimate.');
  const now = chain.client.getBlock().then(({ timestamp }) => Number(timestamp));
  const [told, worstCaseExit, gas] = await Promise.all([
    now.then((second) => quote(request, second)).catch((error: unknown) => ({ silent: reasonOf(error) })),
    chain.market().worstCaseExit(last),
    account ? gasOf(terms, account, chain).catch(() => undefined) : undefined,
  ]);
  const prices = pricesOf(terms);
  if ('forecast' in told) return { ...told, idle: 0, silent: undefined, prices, gas, worstCaseExit };
  const weighed = weigh(await allNodes(api), terms, { account, readers });
  return { ...weighed, forecast: undefined, silent: told.silent, prices, gas, worstCaseExit };
}

function reasonOf(error: unknown): 'gone' | 'wrong' {
  return error instanceof ForecastRefuted ? 'wrong' : 'gone';
}

/** Which nodes could take the jobs, and why the others could not. Pure. */
export function weigh(
  nodes: readonly NodeSummary[],
  terms: readonly Pick<Terms, 'runtime' | 'tier' | 'bond' | 'maxLease'>[],
  { account, readers }: Pick<EstimateRequest, 'account' | 'readers'>,
): Pick<Estimate, 'eligible' | 'idle' | 'obstacles'> {
  const obstacles: Estimate['obstacles'] = {};
  let [eligible, idle] = [0, 0];
  for (const node of nodes) {
    const obstacle = obstacleOf(node, terms, { account, readers });
    if (obstacle) obstacles[obstacle] = (obstacles[obstacle] ?? 0) + 1;
    else {
      eligible += 1;
      if (node.leases.living === 0) idle += 1;
    }
  }
  return { eligible, idle, obstacles };
}

function obstacleOf(
  { runtimes, tier, stake, locked, queued, owner, id }: NodeSummary,
  terms: readonly Pick<Terms, 'runtime' | 'tier' | 'bond'>[],
  { account, readers }: Pick<EstimateRequest, 'account' | 'readers'>,
): Obstacle | undefined {
  // A node is of use when it can do the first job; who does those after it is decided then.
  const [first] = terms;
  if (!first) return undefined;
  if (!runtimes.includes(first.runtime)) return 'runtime';
  if (tier < first.tier) return 'tier';
  if (readers && !readers.includes(id)) return 'key';
  if (stake - locked - queued < first.bond) return 'freeStake';
  if (account && isAddressEqual(owner, account)) return 'own';
  return undefined;
}

/** What all jobs together cost at three points of their ramps, before audits. Pure. */
export function pricesOf(
  terms: readonly Pick<Terms, 'shards' | 'seats' | 'minPrice' | 'maxPrice'>[],
): Estimate['prices'] {
  const sum = (price: (one: (typeof terms)[number]) => bigint): bigint =>
    terms.reduce((total, one) => total + BigInt(one.shards * one.seats) * price(one), 0n);
  return {
    least: sum(({ minPrice }) => minPrice),
    middle: sum(({ minPrice, maxPrice }) => (minPrice + maxPrice) / 2n),
    most: sum(({ maxPrice }) => maxPrice),
  };
}

async function gasOf(terms: readonly Terms[], account: Address, chain: Chain): Promise<Estimate['gas']> {
  const market = chain.market();
  const [first] = terms;
  if (!first || (await market.balanceOf(first.currency, account)) < escrowOf(terms)) return undefined;
  const data = encodeFundAndPost(market, terms);
  const [units, price] = await Promise.all([
    chain.client.estimateGas({ account, to: market.address, data }),
    chain.client.getGasPrice(),
  ]);
  return { units, cost: units * price };
}

async function allNodes(api: Pick<Api, 'nodes'>): Promise<NodeSummary[]> {
  const nodes: NodeSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.nodes({ limit: 100, ...(cursor !== undefined && { cursor }) });
    nodes.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return nodes;
}
