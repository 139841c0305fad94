import { AWAITED } from '@dpu/sdk/awaited';
import { shownOf, withheldOf } from '@dpu/sdk/bench';
import { committedSeats, findJobs, jobHistory, type JobHistory } from '@dpu/sdk/history';
import { isSeat } from '@dpu/sdk/lease';
import { createMarket, type Market } from '@dpu/sdk/market';
import { readPanel } from '@dpu/sdk/panel';
import { createWalletClient, erc20Abi, http, type Address, type Hash, type Hex } from 'viem';
import { expect } from 'vitest';

import type { Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { marketOf, mined, now, pass } from './market.ts';
import { until } from './until.ts';
import type { TestJob } from './wasmJob.ts';

/** Tokens of `currency` that `account` holds outside the Market. */
export function tokensOf({ local }: Network, currency: Address, account: Address): Promise<bigint> {
  const call = { address: currency, abi: erc20Abi, functionName: 'balanceOf', args: [account] } as const;
  return local.publicClient.readContract(call);
}

/** The Market, to be read. */
export function readMarket({ local, deployment }: Network): Market {
  return createMarket({ publicClient: local.publicClient, deployment });
}

/** Puts `amount` of the requester's DPU into the Market. */
export async function fundRequester(network: Network, amount: bigint): Promise<void> {
  const { local, deployment } = network;
  const { requester } = people;
  const wallet = createWalletClient({ account: requester, chain: local.chain, transport: http(local.rpcUrl) });
  const approve = { address: deployment.token, abi: erc20Abi, functionName: 'approve' } as const;
  await mined(network, await wallet.writeContract({ ...approve, args: [deployment.market, amount] }));
  await mined(network, await marketOf(network, requester).deposit(deployment.token, requester.address, amount));
}

/** A job's life so far, by the chain's logs. */
export function historyOf({ local, deployment }: Network, id: Hex): Promise<JobHistory> {
  return jobHistory(local.publicClient, deployment, id, { gas: false });
}

/**
 * Lets the time run out for a job and pushes it through every exit that is left: lapse, settle, close, sweep. Anybody may do
 * this; here it is a stranger. Nodes may be quicker, which is as good.
 */
export async function finish(network: Network, { id, terms }: TestJob): Promise<JobHistory> {
  const stranger = marketOf(network, people.guardian);
  const exit = await stranger.worstCaseExit(terms);
  const left = exit - (await now(network));
  if (exit !== 0 && left >= 0) await pass(network, left + 1);
  const ended = await until(network, `the end of job ${id}`, async () => {
    const history = await historyOf(network, id);
    const living = history.leases.filter(({ state }) => state !== 'settled' && state !== 'lapsed');
    if (history.state !== 'open' && living.length === 0) return history;
    for (const { lease, state, result } of living) {
      const isSeated = state !== 'claimed' && readPanel(await stranger.leaseWord(id, lease.first)) !== undefined;
      if (isSeated) await tried(network, () => agreeOn(stranger, history, lease.first));
      else if (state === 'revealed')
        await tried(network, () => stranger.settle(terms, [lease], result ? [result] : []));
      else await tried(network, () => stranger.lapse(terms, lease));
    }
    if (living.length === 0) await tried(network, () => stranger.close(terms));
    return undefined;
  });
  for (const { state, lease } of ended.leases) {
    if (state === 'lapsed') await tried(network, () => stranger.sweep(id, lease.first));
  }
  return ended;
}

/** Ends the panel on the range at `first`, once every seat has shown its result or has had the time for it. */
function agreeOn(market: Market, history: JobHistory, first: number): Promise<Hash> {
  const said = committedSeats(history, first).map(({ lease, result }) =>
    result ? shownOf(lease, result) : withheldOf(lease),
  );
  return market.agree(history.terms, first, said);
}

/** Sends what may have been done by somebody else in the meantime. */
async function tried(network: Network, send: () => Promise<Hash>): Promise<void> {
  const hash = await send().catch(() => undefined);
  if (hash) await network.local.publicClient.waitForTransactionReceipt({ hash, ...AWAITED });
}

/**
 * Nothing is stuck and nothing is missing: in every currency, the tokens that the Market holds are what its books owe people,
 * and no more; every node's stake is in its owner's surrogate. All jobs must have ended.
 */
export async function expectEvenBooks(network: Network): Promise<void> {
  const { deployment, local } = network;
  const market = readMarket(network);
  const accounts = [people.deployer, people.requester, people.guardian, people.browser].map(({ address }) => address);
  if (deployment.timelock) accounts.push(deployment.timelock); // the treasury
  if (deployment.proofs) accounts.push(deployment.proofs); // what proofs of tiers will cost
  for (let node = 1; node <= 3; node += 1) accounts.push(people.owner(node).address, people.operator(node).address);

  const jobs = await findJobs(local.publicClient, deployment);
  const histories = await Promise.all(jobs.map(({ id }) => historyOf(network, id)));
  for (const { id, state } of histories) expect(['complete', 'closed'], `state of ${id}`).toContain(state);
  for (const { address, symbol } of deployment.currencies) {
    let owed = 0n;
    for (const account of accounts) {
      owed += (await market.balanceOf(address, account)) + (await market.feesOf(address, account));
    }
    expect(await tokensOf(network, address, deployment.market), `${symbol} in the Market`).toBe(owed);
  }
  for (const { id, escrow, refunded, leases, audits } of histories) {
    const isPooled = (node: number): boolean => audits.some((audit) => audit.pooled && audit.auditor === node);
    const paid = leases
      .filter(({ lease }) => !isSeat(lease) || !isPooled(lease.node))
      .reduce((sum, { payment }) => sum + (payment ? payment.paid + payment.fee : 0n), 0n);
    expect(paid + refunded, `what came out of job ${id}`).toBe(escrow);
  }
  const { nodeCount } = await market.config();
  for (let id = 1; id <= nodeCount; id += 1) {
    const { stake, locked, owner } = await market.node(id);
    expect(locked, `bonds of node ${id}`).toBe(0n);
    expect(await tokensOf(network, deployment.token, await market.surrogateOf(owner)), `stake of node ${id}`).toBe(
      stake,
    );
  }
}
