import {
  capabilityProofsAbi,
  computeCreditsAbi,
  dpuGovernorAbi,
  dpuTimelockAbi,
  dpuTokenAbi,
  marketAbi,
} from '@dpu/sdk/abi';
import { createConfig } from 'ponder';
import { createPublicClient, http, type Address } from 'viem';
import { integer, text } from './src/env.ts';
import { addressesOf } from './src/verify/addresses.ts';

/**
 * Ponder gives every RPC entry a bucket of its own, 20 requests a second, and offers no way to turn that off. The same URL
 * many times is the way around it: 3 s instead of 50 s for a backfill of a thousand blocks.
 */
const RPC_ENTRIES = 16;

const rpcUrl = text('PONDER_RPC_URL', 'http://127.0.0.1:8545');
const databaseUrl = text('DATABASE_URL', '');
const addresses = await addressesOf(createPublicClient({ transport: http(rpcUrl) }));

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
    Market: { abi: marketAbi, ...at(addresses.Market) },
    Token: { abi: dpuTokenAbi, ...at(addresses.Token) },
    Credits: { abi: computeCreditsAbi, ...at(addresses.Credits) },
    Governor: { abi: dpuGovernorAbi, ...at(addresses.Governor) },
    Proofs: { abi: capabilityProofsAbi, ...at(addresses.Proofs) },
    Timelock: { abi: dpuTimelockAbi, ...at(addresses.Timelock) },
  },
});
