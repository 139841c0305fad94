import { SPARE_GAS } from '@dpu/sdk/market';
import type { Address, Hash, Hex } from 'viem';

import type { App } from '../app.ts';
import type { TxSteps } from './tx.svelte.ts';

/** A call, and how it is called while the wallet asks and while the chain is awaited. */
export interface Sending {
  to: Address;
  data: Hex;
  /** `Stake 5 DPU` */
  ask: string;
  /** `Staking` */
  wait: string;
}

/** Tries the call on the newest block, so that a refusal is known before anything is signed; then sends it and awaits it. */
export async function send(app: App, { to, data, ask, wait }: Sending, steps: TxSteps): Promise<Hash> {
  const [chain, wallet] = await Promise.all([app.chain(), app.wallet.client()]);
  const { account } = wallet;
  if (!account) throw new Error('The wallet gave no account. Connect it again.');
  await chain.client.call({ account, to, data });
  const gas = SPARE_GAS + (await chain.client.estimateGas({ account, to, data }));
  steps.wallet(ask);
  const hash = await wallet.sendTransaction({ to, data, gas, account, chain: wallet.chain ?? null });
  steps.chain(wait, hash);
  await chain.included(hash);
  return hash;
}
