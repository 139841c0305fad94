import { marketAbi } from '@dpu/sdk/abi';
import { packTerms } from '@dpu/sdk/packedTerms';
import type { Address, PublicClient } from 'viem';
import type { ChainView } from '../quote/view.ts';

/** Reads what only the chain knows from the Market at `market`. The token never changes, so it is asked for once. */
export function chainView(client: Pick<PublicClient, 'readContract' | 'getGasPrice'>, market: Address): ChainView {
  const of = { address: market, abi: marketAbi } as const;
  let token: Promise<Address> | undefined;
  return {
    token() {
      token ??= client.readContract({ ...of, functionName: 'TOKEN' }).catch((error: unknown) => {
        token = undefined;
        throw error;
      });
      return token;
    },
    async worstCaseExit(terms) {
      return client.readContract({ ...of, functionName: 'worstCaseExit', args: [packTerms(terms)] });
    },
    gasPrice: () => client.getGasPrice(),
  };
}
