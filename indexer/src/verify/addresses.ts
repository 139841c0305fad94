import { marketAbi } from '@dpu/sdk/abi';
import { zeroAddress, type PublicClient } from 'viem';
import { address, ConfigError, marketAddress } from '../env.ts';
import type { Addresses } from './replay.ts';

/**
 * Addresses as the environment has them, else as the Market names them. It is asked at start alone: the token never changes, and who owns it, mints credits or
 * gives tiers seldom.
 * @throws ConfigError when no Market answers
 */
export async function addressesOf(client: PublicClient): Promise<Addresses> {
  const market = marketAddress();
  const ask = async (functionName: 'TOKEN' | 'credits' | 'prover' | 'owner') => {
    try {
      return await client.readContract({ address: market, abi: marketAbi, functionName });
    } catch (cause) {
      const sentence = `no Market answers at ${market}; check PONDER_MARKET and PONDER_RPC_URL, or set PONDER_TOKEN, PONDER_CREDITS, PONDER_PROOFS and PONDER_TIMELOCK`;
      throw new ConfigError(sentence, { cause });
    }
  };
  return {
    Market: market,
    Token: address('PONDER_TOKEN') ?? (await ask('TOKEN')),
    Credits: address('PONDER_CREDITS') ?? (await ask('credits')),
    Governor: address('PONDER_GOVERNOR') ?? zeroAddress,
    Proofs: address('PONDER_PROOFS') ?? (await ask('prover')),
    Timelock: address('PONDER_TIMELOCK') ?? (await ask('owner')),
  };
}
