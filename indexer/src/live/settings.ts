import type { BridgeOptions } from '@dpu/sdk/gossip/bridge';
import { getAddress } from 'viem';

/** How an indexer listens to the nodes. */
export type LiveSettings = Pick<BridgeOptions, 'deployment' | 'dir' | 'listen' | 'announce'>;

const ADDRESS = '/ip4/127.0.0.1/tcp/0';
const list = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/**
 * Settings of the live part, from the environment that `ponder.config.ts` has checked by then.
 * @returns undefined when no folder is named: then the indexer does not listen.
 */
export function liveSettings(env: Readonly<Record<string, string | undefined>>): LiveSettings | undefined {
  const dir = env['PONDER_LIVE_DIR'];
  const market = env['PONDER_MARKET'];
  if (!dir || !market) return undefined;
  const listen = list(env['PONDER_LIVE_LISTEN']);
  const announce = list(env['PONDER_LIVE_ANNOUNCE']);
  return {
    deployment: {
      chainId: Number(env['PONDER_CHAIN_ID'] || 31_337),
      market: getAddress(market),
      startBlock: Number(env['PONDER_START_BLOCK'] || 0),
      rpcUrl: env['PONDER_RPC_URL'] ?? 'http://127.0.0.1:8545',
    },
    dir,
    listen: listen.length > 0 ? listen : [ADDRESS, `${ADDRESS}/ws`],
    ...(announce.length > 0 ? { announce } : {}),
  };
}
