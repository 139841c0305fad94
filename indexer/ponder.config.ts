import { marketAbi } from '@dpu/sdk/abi';
import { createConfig } from 'ponder';
import { createPublicClient, erc20Abi, getAddress, http, isAddress, parseAbi, type Address } from 'viem';

/**
 * Ponder gives every RPC entry a bucket of its own, 20 requests a second, and offers no way to turn that off. The same URL
 * many times is the way around it: 3 s instead of 50 s for a backfill of a thousand blocks.
 */
const RPC_ENTRIES = 16;

/** The environment is wrong; the message says which variable and what it should be. */
class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const env = process.env;

function integer(name: string, fallback: number): number {
  const text = env[name];
  if (!text) return fallback;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new ConfigError(`${name} is "${text}", but must be a whole number of at least 0`);
  }
  return value;
}

function address(name: string): Address | undefined {
  const text = env[name];
  if (!text) return undefined;
  if (!isAddress(text, { strict: false })) throw new ConfigError(`${name} is "${text}", but must be an address`);
  return getAddress(text);
}

const rpcUrl = env['PONDER_RPC_URL'] ?? 'http://127.0.0.1:8545';

const market = address('PONDER_MARKET');
if (!market) throw new ConfigError('PONDER_MARKET is not set; it is the address of the Market contract');

/** Bonuses and slashes are in DPU and their events do not name it. It never changes, so asking once at start is enough. */
async function tokenOf(contract: Address): Promise<Address> {
  try {
    return await createPublicClient({ transport: http(rpcUrl) }).readContract({
      address: contract,
      abi: parseAbi(['function TOKEN() view returns (address)']),
      functionName: 'TOKEN',
    });
  } catch (cause) {
    throw new ConfigError(
      `no Market answers at ${contract}; check PONDER_MARKET and PONDER_RPC_URL, or set PONDER_TOKEN`,
      {
        cause,
      },
    );
  }
}

export default createConfig({
  ordering: 'omnichain',
  database: env['DATABASE_URL']
    ? { kind: 'postgres', connectionString: env['DATABASE_URL'] }
    : { kind: 'pglite', directory: env['PONDER_PGLITE_DIR'] || '.ponder/pglite' },
  chains: {
    dpu: {
      id: integer('PONDER_CHAIN_ID', 31337),
      rpc: Array.from({ length: RPC_ENTRIES }, () => rpcUrl),
      pollingInterval: integer('PONDER_POLL_MS', 250),
    },
  },
  contracts: {
    Market: {
      abi: marketAbi,
      chain: 'dpu',
      address: market,
      // The deployment's block or earlier: its events name the treasury and the first parameters.
      startBlock: integer('PONDER_START_BLOCK', 0),
    },
    /** Never indexed; here so that handlers know its address. */
    Token: {
      abi: erc20Abi,
      chain: 'dpu',
      address: address('PONDER_TOKEN') ?? (await tokenOf(market)),
      startBlock: integer('PONDER_START_BLOCK', 0),
    },
  },
});
