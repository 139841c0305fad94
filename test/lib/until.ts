import { setTimeout as sleep } from 'node:timers/promises';

import type { Network } from '../../script/network/network.ts';

/** How often is asked, milliseconds. */
const EVERY_MS = 50;
/** A test that waits longer than this has failed, whatever the chain's clock says; busy machines are slow. */
const MOST_MS = 150_000;

/**
 * Resolves with what `check` answers as soon as that is something. Counts blocks, not seconds.
 * @throws when it did not happen within `blocks`.
 */
export async function until<T>(
  { local }: Pick<Network, 'local'>,
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  blocks = 120,
): Promise<T> {
  const latest = (): Promise<bigint> => local.publicClient.getBlockNumber();
  const from = await latest();
  const started = performance.now();
  for (;;) {
    const answer = await check();
    if (answer !== undefined && answer !== false) return answer;
    if ((await latest()) - from > BigInt(blocks)) throw new Error(`${what} did not happen within ${blocks} blocks`);
    if (performance.now() - started > MOST_MS) throw new Error(`${what} did not happen in ${MOST_MS / 1_000} s`);
    await sleep(EVERY_MS);
  }
}
