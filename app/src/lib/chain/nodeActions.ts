import { marketAbi } from '@dpu/sdk/abi';
import { marketCalls } from '@dpu/sdk/calls';
import { parseEventLogs, zeroHash, type Address } from 'viem';

import type { App } from '../app.ts';
import { send } from './send.ts';
import type { TxSteps } from './tx.svelte.ts';

/** Registers a node whose hot key is `operator`, owned by the connected account. Returns its number. */
export async function register(
  app: App,
  { operator, runtimes, endpoint }: { operator: Address; runtimes: readonly number[]; endpoint: string },
  steps: TxSteps,
): Promise<number> {
  const bits = runtimes.reduce((sum, id) => sum | (1 << id), 0);
  // The encryption key is the machine's to make; it registers it itself when it starts with one.
  const data = marketCalls.register(operator, bits, zeroHash, endpoint);
  const words = { ask: 'Register the node', wait: 'Registering' };
  const hash = await send(app, { to: app.deployment.market, data, ...words }, steps);
  const { logs } = await (await app.chain()).client.getTransactionReceipt({ hash });
  const [set] = parseEventLogs({ abi: marketAbi, eventName: 'NodeSet', logs });
  if (!set) throw new Error('The node was registered, but its number is not in the receipt. Look at your account.');
  return set.args.node;
}
