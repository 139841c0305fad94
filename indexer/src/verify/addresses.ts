import { marketAbi } from '@dpu/sdk/abi';
import { zeroAddress, type PublicClient } from 'viem';
import { address, marketAddress } from '../env.ts';
import type { Addresses } from './replay.ts';

/** Addresses as the environment has them, else as the Market names them; `ponder.config.ts` asks in the same way. */
export async function addressesOf(client: PublicClient): Promise<Addresses> {
  const market = marketAddress();
  const ask = (functionName: 'TOKEN' | 'credits' | 'prover' | 'owner') =>
    client.readContract({ address: market, abi: marketAbi, functionName });
  return {
    Market: market,
    Token: address('PONDER_TOKEN') ?? (await ask('TOKEN')),
    Credits: address('PONDER_CREDITS') ?? (await ask('credits')),
    Governor: address('PONDER_GOVERNOR') ?? zeroAddress,
    Proofs: address('PONDER_PROOFS') ?? (await ask('prover')),
    Timelock: address('PONDER_TIMELOCK') ?? (await ask('owner')),
  };
}
