/** The node that lies in some stories: a key of its own, no process. */
import { setTimeout as sleep } from 'node:timers/promises';
import { erc20Abi, parseEther, zeroHash, type Hash, type Hex } from 'viem';
import { AWAITED } from '@dpu/sdk/awaited';
import { marketAbi } from '@dpu/sdk/abi';
import { jobHistory, type HistoryLease, type JobHistory } from '@dpu/sdk/history';
import { createMarket, type Market } from '@dpu/sdk/market';
import { RUNTIMES } from '@dpu/sdk/terms';

import { call, walletOf } from '../network/equip.ts';
import type { Network } from '../network/network.ts';
import { people } from '../network/people.ts';
import { must, StoryDiffers } from './story.ts';

const POLL_MS = 400;
/** Opens every commitment of the liar: it has nothing to hide from anybody who could read this. */
export const SALT: Hex = `0x${'33'.repeat(32)}`;

/** The node that lies. */
export interface Liar {
  node: number;
  market: Market;
}

/** Registers a node and stakes `stake` DPU wei for it. Its one key is owner and operator: it has nothing to protect. */
export async function enlist(network: Network, stake: bigint): Promise<Liar> {
  const { local, deployment } = network;
  const { market, token } = deployment;
  const { address } = people.liar;
  await local.testClient.setBalance({ address, value: parseEther('10') });
  const gift = [address, stake];
  await call(local, people.deployer, { address: token, abi: erc20Abi, functionName: 'transfer', args: gift });
  // What it shows is on the network's gateway.
  const registration = [address, 1 << RUNTIMES.wasm, zeroHash, deployment.gatewayUrl];
  await call(local, people.liar, { address: market, abi: marketAbi, functionName: 'register', args: registration });
  await call(local, people.liar, { address: token, abi: erc20Abi, functionName: 'approve', args: [market, stake] });
  const walletClient = walletOf(local, people.liar);
  const client = createMarket({ publicClient: local.publicClient, walletClient, deployment });
  const node = await client.nodeOf(address);
  await call(local, people.liar, { address: market, abi: marketAbi, functionName: 'stake', args: [node, stake] });
  return { node, market: client };
}

/** What the chain knows of the liar's lease or seat at `first`. */
export async function heldBy(
  network: Network,
  { node }: Liar,
  id: Hex,
  first: number,
): Promise<HistoryLease | undefined> {
  const { leases } = await historyOf(network, id);
  return leases.find(({ lease }) => lease.node === node && lease.first === first);
}

/** A job's life so far, without its gas. */
export function historyOf({ local, deployment }: Network, id: Hex): Promise<JobHistory> {
  return jobHistory(local.publicClient, deployment, id, { gas: false });
}

/** Waits for a transaction. @throws StoryDiffers when it reverted */
export async function mined({ local }: Network, hash: Hash): Promise<void> {
  const { status } = await local.publicClient.waitForTransactionReceipt({ hash, ...AWAITED });
  must(`the transaction ${hash}`, status, 'success');
}

/** Waits for a transaction that others may have made impossible: then nothing has happened. */
export async function tried({ local }: Network, sent: Promise<Hash>): Promise<void> {
  const hash = await sent.catch(() => undefined);
  if (hash) await local.publicClient.waitForTransactionReceipt({ hash, ...AWAITED });
}

/** Asks again and again until there is an answer. @throws StoryDiffers when the story is over without one */
export async function until<T>(signal: AbortSignal, ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    if (signal.aborted) throw new StoryDiffers('the job', 'over', 'going on until the liar has lied');
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}
