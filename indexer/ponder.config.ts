import {
  capabilityProofsAbi,
  computeCreditsAbi,
  dpuGovernorAbi,
  dpuTimelockAbi,
  dpuTokenAbi,
  marketAbi,
} from '@dpu/sdk/abi';
import { createConfig } from 'ponder';
import { createPublicClient, http, zeroAddress, type Address } from 'viem';
import { address, ConfigError, integer, marketAddress, text } from './src/env.ts';

/**
 * Ponder gives every RPC entry a bucket of its own, 20 requests a second, and offers no way to turn that off. The same URL
 * many times is the way around it: 3 s instead of 50 s for a backfill of a thousand blocks.
 */
const RPC_ENTRIES = 16;

const rpcUrl = text('PONDER_RPC_URL', 'http://127.0.0.1:8545');
const databaseUrl = text('DATABASE_URL', '');
const market = marketAddress();

/** What the Market names itself is asked once, at start: the token never changes, and who owns it, mints credits or gives tiers seldom. */
async function askMarket(contract: Address, functionName: 'TOKEN' | 'credits' | 'prover' | 'owner'): Promise<Address> {
  try {
    const client = createPublicClient({ transport: http(rpcUrl) });
    return await client.readContract({ address: contract, abi: marketAbi, functionName });
  } catch (cause) {
    const sentence = `no Market answers at ${contract}; check PONDER_MARKET and PONDER_RPC_URL, or set PONDER_TOKEN, PONDER_CREDITS, PONDER_PROOFS and PONDER_TIMELOCK`;
    throw new ConfigError(sentence, { cause });
  }
}

// The deployment's first block or earlier: the first events name the treasury, the parameters, and who holds the first DPU.
const startBlock = integer('PONDER_START_BLOCK', 0);
/** Where a contract is. At the zero address nothing ever happens, so a network without governance has empty tables of it. */
const at = (address: Address) => ({ chain: 'dpu' as const, address, startBlock });

export default createConfig({
  ordering: 'omnichain',
  database: databaseUrl
    ? { kind: 'postgres', connectionString: databaseUrl }
    : { kind: 'pglite', directory: text('PONDER_PGLITE_DIR', '.ponder/pglite') },
  chains: {
    dpu: {
      id: integer('PONDER_CHAIN_ID', 31337),
      rpc: Array.from({ length: RPC_ENTRIES }, () => rpcUrl),
      pollingInterval: integer('PONDER_POLL_MS', 250),
    },
  },
  contracts: {
    Market: { abi: marketAbi, ...at(market) },
    Token: { abi: dpuTokenAbi, ...at(address('PONDER_TOKEN') ?? (await askMarket(market, 'TOKEN'))) },
    Credits: { abi: computeCreditsAbi, ...at(address('PONDER_CREDITS') ?? (await askMarket(market, 'credits'))) },
    Governor: { abi: dpuGovernorAbi, ...at(address('PONDER_GOVERNOR') ?? zeroAddress) },
    Proofs: { abi: capabilityProofsAbi, ...at(address('PONDER_PROOFS') ?? (await askMarket(market, 'prover'))) },
    Timelock: { abi: dpuTimelockAbi, ...at(address('PONDER_TIMELOCK') ?? (await askMarket(market, 'owner'))) },
  },
});
