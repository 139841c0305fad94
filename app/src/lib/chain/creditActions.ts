import { creditsOf, encodeBuy, encodePrioritize } from '@dpu/sdk/credits';
import { encodeSwapExactIn, pairOf, type Quote } from '@dpu/sdk/pair';
import { encodeFunctionData, erc20Abi, type Address, type Hash, type Hex } from 'viem';

import type { App } from '../app.ts';
import { send } from './send.ts';
import type { TxSteps } from './tx.svelte.ts';

/** A trade that is not made within this is not made at all, seconds. */
const TRADE_SECONDS = 600;
/** How far a trade may turn out worse than quoted, basis points. */
export const SLIPPAGE_BPS = 50;

/** Burns credits for a job. */
export function prioritize(app: App, job: Hex, amount: bigint, steps: TxSteps): Promise<Hash> {
  const call = encodePrioritize(app.deployment, job, amount);
  return send(app, { ...call, ask: 'Burn credits for the job', wait: 'Burning' }, steps);
}

/** Buys new credits at the standing offer, for at most `mostCost` DPU wei. */
export async function buy(app: App, amount: bigint, mostCost: bigint, steps: TxSteps): Promise<Hash> {
  const account = await accountOf(app);
  await approve(app, app.deployment.token, creditsOf(app.deployment), mostCost, account, steps);
  const call = encodeBuy(app.deployment, amount, account, mostCost);
  return send(app, { ...call, ask: 'Buy credits', wait: 'Buying' }, steps);
}

/** Trades on the pair, as quoted. */
export async function trade(app: App, quote: Quote, steps: TxSteps): Promise<Hash> {
  const { credits, token, router } = pairOf(app.deployment);
  const account = await accountOf(app);
  const given = quote.side === 'sellCredits' ? credits : token;
  await approve(app, given, router, quote.amountIn, account, steps);
  const { timestamp } = await (await app.chain()).client.getBlock();
  const limits = { to: account, slippageBps: SLIPPAGE_BPS, deadline: Number(timestamp) + TRADE_SECONDS };
  return send(app, { ...encodeSwapExactIn(app.deployment, quote, limits), ask: 'Trade', wait: 'Trading' }, steps);
}

async function accountOf(app: App): Promise<Address> {
  const { account } = await app.wallet.client();
  if (!account) throw new Error('The wallet gave no account. Connect it again.');
  return account.address;
}

async function approve(
  app: App,
  token: Address,
  spender: Address,
  amount: bigint,
  account: Address,
  steps: TxSteps,
): Promise<void> {
  const { client } = await app.chain();
  const question = { abi: erc20Abi, address: token, functionName: 'allowance', args: [account, spender] } as const;
  if ((await client.readContract(question)) >= amount) return;
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [spender, amount] });
  await send(app, { to: token, data, ask: 'Allow exactly this amount to be taken', wait: 'Allowing it' }, steps);
}
