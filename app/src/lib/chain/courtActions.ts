import { marketCalls } from '@dpu/sdk/calls';
import { disputeCost, faultShard, provenShard, claimsFault } from '@dpu/sdk/court';
import type { HistoryLease, JobHistory } from '@dpu/sdk/history';
import type { ShardLeaf } from '@dpu/sdk/merkle';
import { splitSignature } from '@dpu/sdk/market';
import type { Hash, Hex } from 'viem';

import type { App } from '../app.ts';
import type { CourtCase } from './court.ts';
import { send } from './send.ts';
import type { TxSteps } from './tx.svelte.ts';

/** A permit is good for this long. */
const PERMIT_SECONDS = 1_800n;

/**
 * Says that shard `index` of a revealed lease is wrong. The bond comes from the account's balance in the Market; what is missing there is
 * brought from the wallet in the same transaction. `leaves`: all of the lease's, as its verified manifest has them.
 */
export async function challenge(
  app: App,
  { terms }: Pick<JobHistory, 'terms'>,
  { lease, result }: HistoryLease,
  index: number,
  leaves: readonly ShardLeaf[],
  steps: TxSteps,
): Promise<Hash> {
  if (!result) throw new Error(`The result of shard ${index} is not public yet, so nobody can challenge it.`);
  const shard = claimsFault(result) ? faultShard(index) : provenShard(leaves, index);
  const call = marketCalls.challenge(terms, lease, result, shard, 0);
  return withBond(
    app,
    call,
    disputeCost(terms).challenging,
    { ask: 'Challenge the shard', wait: 'Challenging' },
    steps,
  );
}

/** Calls the second jury. */
export function appeal(app: App, { terms, dispute }: CourtCase, steps: TxSteps): Promise<Hash> {
  const call = marketCalls.appeal(terms, dispute.lease, dispute.index, 0);
  return withBond(app, call, disputeCost(terms).appealing, { ask: 'Call the second jury', wait: 'Appealing' }, steps);
}

/** Carries a verdict out. */
export async function enforce(
  app: App,
  { job, terms, postedBlock, dispute }: CourtCase,
  steps: TxSteps,
): Promise<Hash> {
  const chain = await app.chain();
  const history = await chain.history(job, { fromBlock: postedBlock });
  const held = history.leases.find(
    ({ lease }) => lease.first === dispute.lease.first && lease.node === dispute.lease.node,
  );
  if (!held?.result) throw new Error('The lease that was judged is not there any more.');
  const data = marketCalls.enforce(terms, held.lease, held.result, dispute.index);
  const words = { ask: 'Carry the verdict out', wait: 'Carrying the verdict out' };
  return send(app, { to: app.deployment.market, data, ...words }, steps);
}

/** Sends `call` with `bond` DPU in the Market, bringing what is missing by a permit. */
async function withBond(
  app: App,
  call: Hex,
  bond: bigint,
  words: { ask: string; wait: string },
  steps: TxSteps,
): Promise<Hash> {
  const { market, token } = app.deployment;
  const [chain, wallet] = await Promise.all([app.chain(), app.wallet.client()]);
  const { account } = wallet;
  if (!account) throw new Error('The wallet gave no account. Connect it again.');
  const missing = bond - (await chain.market().balanceOf(token, account.address));
  if (missing <= 0n) return send(app, { to: market, data: call, ...words }, steps);
  const calls: Hex[] = [];
  if ((await chain.allowance(token, account.address)) < missing) {
    const deadline = (await chain.client.getBlock()).timestamp + PERMIT_SECONDS;
    const permit = await chain.permitData(token, account.address, missing, deadline);
    if (!permit) throw new Error('The DPU token knows no permits here. Deposit the bond on the account page first.');
    steps.wallet('Sign the permit (free)');
    const { v, r, s } = splitSignature(await wallet.signTypedData({ ...permit, account }));
    calls.push(marketCalls.permit(token, missing, deadline, v, r, s));
  }
  calls.push(marketCalls.deposit(token, account.address, missing), call);
  return send(app, { to: market, data: marketCalls.multicall(calls), ...words }, steps);
}
