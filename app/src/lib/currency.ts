import type { Deployment } from '@dpu/sdk/deployment';

import { formatAmount, shortHex } from './format.ts';

/** How amounts of one token are shown. */
export interface Currency {
  address: `0x${string}`;
  symbol: string;
  decimals: number;
}

/** The token at `address`. One that the deployment does not list is shown in its smallest unit, by its address. */
export function currencyOf(deployment: Pick<Deployment, 'currencies' | 'token'>, address: string): Currency {
  const wanted = address.toLowerCase();
  const known = deployment.currencies.find((currency) => currency.address.toLowerCase() === wanted);
  if (known) return known;
  if (deployment.token.toLowerCase() === wanted) return dpuOf(deployment);
  return { address: address as `0x${string}`, symbol: shortHex(address), decimals: 0 };
}

/** The DPU token, in which bonds and stakes are held. */
export function dpuOf(deployment: Pick<Deployment, 'currencies' | 'token'>): Currency {
  const listed = deployment.currencies.find(({ address }) => address.toLowerCase() === deployment.token.toLowerCase());
  return listed ?? { address: deployment.token, symbol: 'DPU', decimals: 18 };
}

/** `12.5 USDC`. */
export function formatMoney(amount: bigint, { decimals, symbol }: Pick<Currency, 'decimals' | 'symbol'>): string {
  return `${formatAmount(amount, decimals)} ${symbol}`;
}
