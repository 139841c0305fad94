/** Where the pretended network is, what stands on it, and its clock. */
import { createHash } from 'node:crypto';

import { packRules } from '@dpu/sdk/rules';
import { RULES } from '@dpu/sdk/testing';
import { marketDomain } from '@dpu/sdk/terms';
import type { Address, Hex } from 'viem';

export const PORT = Number(process.argv[2] ?? 24_900);
/** Second of block 0; a block a second follows. */
export const START = Math.floor(Date.now() / 1_000) - 86_400;

/** Bytes that look random and are always the same for `seed`. */
export const hex = (seed: string, bytes = 32): Hex =>
  `0x${createHash('sha256')
    .update(seed)
    .digest('hex')
    .slice(0, bytes * 2)}`;

export const now = (): number => Math.floor(Date.now() / 1_000);
/** The newest block. */
export const block = (): number => now() - START;

export const DPU = hex('dpu', 20);
export const USD = hex('usd', 20);
export const CREDITS = hex('credits', 20);
/** The account of the demo wallet. */
export const ME: Address = '0xa0ee7a142d267c1f36714e4a8f75612f20a79720';
export const MARKET = hex('market', 20);
export const NODES = 6;

export const deployment = {
  chainId: 31_337,
  rpcUrl: `http://127.0.0.1:${PORT}/rpc`,
  market: MARKET,
  token: DPU,
  governor: hex('governor', 20),
  timelock: hex('timelock', 20),
  credits: CREDITS,
  exchange: { router: hex('router', 20), pair: hex('pair', 20) },
  currencies: [
    { address: DPU, symbol: 'DPU', decimals: 18 },
    { address: USD, symbol: 'USDL', decimals: 6 },
    { address: CREDITS, symbol: 'DPUC', decimals: 18 },
  ],
  startBlock: 0,
  indexerUrl: `http://127.0.0.1:${PORT}`,
  gatewayUrl: `http://127.0.0.1:${PORT}/gateway`,
};

export const domain = marketDomain(deployment.chainId, MARKET);
export const rules = { ...RULES, auditRates: 0b0101_0101_0101_0101, revealWindow: 600 };
export const packedRules = packRules(rules);

/** Whole units of a token with 18 digits. */
export const wei = (units: number): bigint => BigInt(Math.round(units * 1_000)) * 10n ** 15n;

/** A node, as both the chain and the indexer tell of it. */
export function nodeFacts(id: number) {
  return {
    id,
    owner: id === 2 ? ME : hex(`owner${id}`, 20),
    operator: hex(`operator${id}`, 20),
    stake: wei(12_000 - id * 1_530),
    locked: wei(id * 210),
    queued: id === 2 ? wei(400) : 0n,
    unstakeAt: id === 2 ? now() + 260_000 : 0,
    record: 4_600 + id * 870,
    runtimes: RUNTIMES[id - 1] ?? [1],
    tier: id === 3 ? 2 : id === 5 ? 1 : 0,
    tierUntil: id === 3 ? START + 40 * 86_400 : id === 5 ? START + 4 * 86_400 : 0,
    key: id % 2 ? hex(`key${id}`) : null,
    endpoint: `http://127.0.0.1:${24_100 + id}`,
    since: START + 60 * id,
  };
}

const RUNTIMES = [[1, 3, 6], [1, 2, 3, 4, 5, 6, 7], [1, 2, 4], [1], [1, 3, 5, 7], [1, 2]];
