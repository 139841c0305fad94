import { setTimeout as sleep } from 'node:timers/promises';

import { formatUnits } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

import type { NodeConfig } from '../config.ts';
import { readKeyFile } from '../keys/keyFile.ts';
import { ownerOf, reader } from './owner.ts';
import { fetchStatus } from './status.ts';
import { order } from '../operator/order.ts';

/** What `dpu-node exit` was told. */
export interface ExitOptions {
  config: NodeConfig;
  ownerKeyFile?: string | undefined;
}

/** Lets the running node finish what it holds and take nothing new, then queues the stake to leave or says how. */
export async function exit(
  { config, ownerKeyFile }: ExitOptions,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const status = await fetchStatus(config);
  await order(config, 'leave');
  print(`Node ${status.node} takes no new work. It ends by itself when its leases are paid.`);
  await finished(config, print, signal);

  const operator = privateKeyToAccount(readKeyFile(config.operatorKeyFile, config.keyPassword)).address;
  const { market } = reader(config);
  const node = await market.nodeOf(operator);
  const { stake, locked, queued } = await market.node(node);
  if (ownerKeyFile === undefined) {
    print(`Node ${node} has ${formatUnits(stake - locked - queued, 18)} DPU of free stake.`);
    print('With the owner’s wallet, in the dApp: queue the unstake, wait for the unbonding time, then unstake.');
    print('Or run: dpu-node exit --owner-key-file FILE');
    return;
  }
  const { amount, unstakeAt } = await ownerOf(config, ownerKeyFile).queueUnstake(node);
  print(
    `${formatUnits(amount, 18)} DPU are queued; they may leave from ${new Date(unstakeAt * 1000).toISOString()} on.`,
  );
}

/** Waits until the node has ended. */
async function finished(config: NodeConfig, print: (line: string) => void, signal: AbortSignal): Promise<void> {
  let left = -1;
  for (;;) {
    const status = await fetchStatus(config).catch((): undefined => undefined);
    if (!status) return;
    if (status.leases.length !== left) {
      left = status.leases.length;
      print(left === 0 ? 'Nothing is left to do.' : `Waiting for ${left} leases.`);
    }
    await sleep(1_000, undefined, { signal });
  }
}
