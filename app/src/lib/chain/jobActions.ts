import type { HistoryLease, JobHistory } from '@dpu/sdk/history';
import type { Market } from '@dpu/sdk/market';
import { acceptanceTypedData, marketDomain } from '@dpu/sdk/terms';
import type { Hash, Hex, WalletClient } from 'viem';

import type { App } from '../app.ts';
import type { TxSteps } from './tx.svelte.ts';

/** What can be done with a job from its page. */
export type JobAction = 'accept' | 'settle' | 'lapse' | 'cancel' | 'close';

/** Signs, sends and awaits `action` for `leases` of the job, all in one transaction. */
export async function runJobAction(
  app: App,
  action: JobAction,
  history: JobHistory,
  leases: readonly HistoryLease[],
  steps: TxSteps,
): Promise<Hash> {
  const [chain, wallet] = await Promise.all([app.chain(), app.wallet.client()]);
  const market = chain.market(wallet);
  const { terms } = history;
  const calls: Hex[] = [];
  if (action === 'accept') calls.push(...(await acceptances(app, market, wallet, history, leases, steps)));
  if (action === 'settle')
    calls.push(
      market.encode.settle(
        terms,
        leases.map(({ lease }) => lease),
        leases.map(resultOf),
      ),
    );
  if (action === 'lapse') calls.push(...leases.map(({ lease }) => market.encode.lapse(terms, lease)));
  if (action === 'cancel') calls.push(market.encode.cancel(terms));
  if (action === 'close') calls.push(market.encode.close(terms));

  const [only] = calls;
  steps.wallet(STEP[action]);
  const hash = await market.sendData(calls.length === 1 && only ? only : market.encode.multicall(calls));
  steps.chain(STEP[action], hash);
  await chain.included(hash);
  return hash;
}

const STEP: Readonly<Record<JobAction, string>> = {
  accept: 'Paying accepted leases',
  settle: 'Settling leases',
  lapse: 'Freeing overdue shards',
  cancel: 'Cancelling the job',
  close: 'Closing the job',
};

/** One signature for each lease: an acceptance names exactly one result. */
async function acceptances(
  app: App,
  market: Market,
  wallet: WalletClient,
  { id, terms }: JobHistory,
  leases: readonly HistoryLease[],
  steps: TxSteps,
): Promise<Hex[]> {
  const domain = marketDomain(app.deployment.chainId, app.deployment.market);
  const calls: Hex[] = [];
  for (const [index, held] of leases.entries()) {
    const result = resultOf(held);
    const { first, node } = held.lease;
    steps.wallet(leases.length === 1 ? 'Sign the acceptance' : `Sign acceptance ${index + 1} of ${leases.length}`);
    const data = acceptanceTypedData({ job: id, first, node, ...result }, domain);
    const signature = await wallet.signTypedData({ ...data, account: wallet.account ?? terms.requester });
    calls.push(market.encode.accept(terms, held.lease, result, signature));
  }
  return calls;
}

function resultOf({ result, lease }: HistoryLease): NonNullable<HistoryLease['result']> {
  if (!result) throw new Error(`The result of the lease from shard ${lease.first} is not public yet.`);
  return result;
}
