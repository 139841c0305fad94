import type { Chain } from '../chain/chain.ts';
import type { NodeConfig } from '../config.ts';
import type { Journal } from '../sending/journal.ts';
import type { Log } from '../log.ts';
import { viemChain } from '../chain/viemChain.ts';
import { Endpoints, type Endpoint } from './endpoints.ts';
import { Witness } from './witness.ts';

/** How deep blocks of two endpoints may differ before it is no ordinary reorganisation, and how many blocks one question covers. */
const FORK_BLOCKS = 64;
const RANGE_BLOCKS = 2_000;

/** The chain behind the endpoints of `config`, and the one who confirms what it says. */
export function openEndpoints(
  config: Pick<NodeConfig, 'rpc' | 'rpcTimeoutMs' | 'rpcLagBlocks' | 'rpcSolo' | 'network'>,
  log: Log,
): { chain: Chain; witness: (journal: Journal) => Witness } {
  const { market, chainId, startBlock } = config.network;
  let heard: Witness | undefined;
  const endpoint = (rpcUrl: string, index: number): Endpoint => ({
    name: `rpc ${index + 1} (${new URL(rpcUrl).host})`,
    chain: viemChain({ rpcUrl, market, timeoutMs: config.rpcTimeoutMs }),
  });
  const [first, ...more] = config.rpc;
  const endpoints = new Endpoints(
    [endpoint(first, 0), ...more.map((url, index) => endpoint(url, index + 1))],
    { chainId, lagBlocks: config.rpcLagBlocks },
    { log, onLogs: (from, logs) => heard?.heard(from, logs) },
  );
  const options = { startBlock, rangeBlocks: RANGE_BLOCKS, forkBlocks: FORK_BLOCKS, solo: config.rpcSolo };
  return {
    chain: endpoints.chain,
    witness: (journal) => (heard = new Witness(options, { endpoints, journal, log })),
  };
}
