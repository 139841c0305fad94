/** What stories have in common: they check themselves against the chain, and say amounts in the same way. */
import { formatEther } from 'viem';

import type { Network } from '../network/network.ts';

/** Thrown when the chain does not say what the story says. */
export class StoryDiffers extends Error {
  constructor(what: string, actual: unknown, expected: unknown) {
    super(`${what} is ${String(actual)} on chain, the story says ${String(expected)}.`);
    this.name = 'StoryDiffers';
  }
}

/** Checks a fact of the story. @throws StoryDiffers */
export function must<T>(what: string, actual: T, expected: T): void {
  if (actual !== expected) throw new StoryDiffers(what, actual, expected);
}

/** The exact amount, with thousands set apart. */
export function dpu(amount: bigint): string {
  const [units = '0', part] = formatEther(amount).split('.');
  return `${BigInt(units).toLocaleString('en-US')}${part ? `.${part}` : ''} DPU`;
}

/** Time of the newest block, unix seconds. */
export async function now({ local }: Network): Promise<number> {
  return Number((await local.publicClient.getBlock()).timestamp);
}

/**
 * Lets empty blocks pass until second `time`, one a second as usual, but without the wait: nodes that look on see a chain that was quick.
 */
export async function hurryTo(network: Network, time: number): Promise<void> {
  const blocks = time - (await now(network));
  if (blocks > 0) await network.local.testClient.mine({ blocks, interval: 1 });
}
