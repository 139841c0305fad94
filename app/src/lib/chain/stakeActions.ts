import { dpuTokenAbi } from '@dpu/sdk/abi';
import { marketCalls } from '@dpu/sdk/calls';
import { splitSignature } from '@dpu/sdk/market';
import { encodeFunctionData, erc20Abi, type Address, type Hash } from 'viem';

import type { App } from '../app.ts';
import { send } from './send.ts';
import type { TxSteps } from './tx.svelte.ts';

/** A permit is good for this long. */
const PERMIT_SECONDS = 1_800n;

/**
 * Adds `amount` of DPU to node `id`: by a permit and the stake in one transaction where the token knows permits, by an approval
 * and a stake where it does not, and at once where the Market may take enough already.
 */
export async function stake(app: App, id: number, amount: bigint, steps: TxSteps): Promise<Hash> {
  const { market, token } = app.deployment;
  const [chain, wallet] = await Promise.all([app.chain(), app.wallet.client()]);
  const { account } = wallet;
  if (!account) throw new Error('The wallet gave no account. Connect it again.');
  let data = marketCalls.stake(id, amount);

  if ((await chain.allowance(token, account.address)) < amount) {
    const { timestamp } = await chain.client.getBlock();
    const deadline = timestamp + PERMIT_SECONDS;
    const permit = await chain.permitData(token, account.address, amount, deadline);
    if (permit) {
      steps.wallet('Sign the permit (free)');
      const { v, r, s } = splitSignature(await wallet.signTypedData({ ...permit, account }));
      data = marketCalls.multicall([marketCalls.permit(token, amount, deadline, v, r, s), data]);
    } else {
      const approve = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [market, amount] });
      const words = { ask: 'Allow the Market to take the amount', wait: 'Allowing the stake' };
      await send(app, { to: token, data: approve, ...words }, steps);
    }
  }
  return send(app, { to: market, data, ask: 'Stake', wait: 'Staking' }, steps);
}

/** Queues `amount` of node `id` to leave. */
export function queueExit(app: App, id: number, amount: bigint, steps: TxSteps): Promise<Hash> {
  const data = marketCalls.queueUnstake(id, amount);
  return send(app, { to: app.deployment.market, data, ask: 'Queue the exit', wait: 'Queueing the exit' }, steps);
}

/** Puts everything queued of node `id` back to work. */
export function cancelExit(app: App, id: number, steps: TxSteps): Promise<Hash> {
  const data = marketCalls.cancelUnstake(id);
  return send(app, { to: app.deployment.market, data, ask: 'Cancel the exit', wait: 'Cancelling the exit' }, steps);
}

/** Takes what was queued of node `id` out to the connected wallet. */
export async function takeOut(app: App, id: number, steps: TxSteps): Promise<Hash> {
  const { account } = await app.wallet.client();
  if (!account) throw new Error('The wallet gave no account. Connect it again.');
  const data = marketCalls.unstake(id, account.address);
  return send(app, { to: app.deployment.market, data, ask: 'Take it out', wait: 'Taking it out' }, steps);
}

/** Delegates the votes of the given parts to `to`, one transaction for each: the two lie in different contracts. */
export async function delegate(
  app: App,
  parts: readonly ('wallet' | 'staked')[],
  to: Address,
  steps: TxSteps,
): Promise<Hash | undefined> {
  const { market, token } = app.deployment;
  let hash: Hash | undefined;
  for (const [index, part] of parts.entries()) {
    const count = parts.length > 1 ? ` (${index + 1} of ${parts.length})` : '';
    const call =
      part === 'staked'
        ? { to: market, data: marketCalls.delegateStake(to), ask: `Delegate what is staked${count}` }
        : {
            to: token,
            data: encodeFunctionData({ abi: dpuTokenAbi, functionName: 'delegate', args: [to] }),
            ask: `Delegate what is in the wallet${count}`,
          };
    hash = await send(app, { ...call, wait: 'Delegating' }, steps);
  }
  return hash;
}
