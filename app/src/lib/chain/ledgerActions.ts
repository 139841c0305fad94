import { splitSignature } from '@dpu/sdk/market';
import { erc20Abi, type Address, type Hash } from 'viem';

import type { App } from '../app.ts';
import type { TxSteps } from './tx.svelte.ts';

/** A permit is good for this long. */
const PERMIT_SECONDS = 1_800n;

/** Moves `amount` of `currency` from the wallet into the Market: by permit where the token knows it, else by approval. */
export async function deposit(app: App, currency: Address, amount: bigint, steps: TxSteps): Promise<Hash> {
  const [chain, wallet] = await Promise.all([app.chain(), app.wallet.client()]);
  const account = wallet.account;
  if (!account) throw new Error('The wallet gave no account. Connect it again.');
  const market = chain.market(wallet);

  if ((await chain.allowance(currency, account.address)) < amount) {
    const { timestamp } = await chain.client.getBlock();
    const deadline = timestamp + PERMIT_SECONDS;
    const permit = await chain.permitData(currency, account.address, amount, deadline);
    if (permit) {
      steps.wallet('Sign the permit (free)');
      const { v, r, s } = splitSignature(await wallet.signTypedData({ ...permit, account }));
      steps.wallet('Deposit');
      return included(app, await market.depositWithPermit(currency, amount, deadline, v, r, s), 'Depositing', steps);
    }
    steps.wallet('Allow the Market to take the amount');
    const approval = await wallet.writeContract({
      abi: erc20Abi,
      address: currency,
      functionName: 'approve',
      args: [market.address, amount],
      account,
      chain: wallet.chain ?? null,
    });
    await included(app, approval, 'Allowing the deposit', steps);
  }
  steps.wallet('Deposit');
  return included(app, await market.deposit(currency, account.address, amount), 'Depositing', steps);
}

/** Moves `amount` of `currency` from the Market to the wallet. */
export async function withdraw(app: App, currency: Address, amount: bigint, steps: TxSteps): Promise<Hash> {
  const [chain, wallet] = await Promise.all([app.chain(), app.wallet.client()]);
  const account = wallet.account;
  if (!account) throw new Error('The wallet gave no account. Connect it again.');
  steps.wallet('Withdraw');
  return included(app, await chain.market(wallet).withdraw(currency, account.address, amount), 'Withdrawing', steps);
}

async function included(app: App, hash: Hash, step: string, steps: TxSteps): Promise<Hash> {
  steps.chain(step, hash);
  await (await app.chain()).included(hash);
  return hash;
}
