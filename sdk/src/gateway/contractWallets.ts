/** Signatures of contract wallets (ERC-1271), asked of the chain: what a wallet says may change with every block. */
import { sha256, stringToBytes, type PublicClient } from 'viem';

import { UnauthorizedError } from '../storage/errors.ts';
import type { grantTypedData, VerifySigned } from '../storage/writeAuth.ts';

/** How the chain is asked. */
export interface ContractWalletsOptions {
  /** Answers that are asked for in one block: strangers can make a gateway ask. */
  readonly perBlock?: number;
  /** How long the newest block's number is believed, milliseconds. */
  readonly blockMs?: number;
}

/** What it works with. */
export interface ContractWalletsDeps {
  readonly client: Pick<PublicClient, 'getBlockNumber' | 'verifyTypedData'>;
  /** Milliseconds of a steady clock; that of the process if absent. */
  readonly clockMs?: () => number;
}

/**
 * Asks contract wallets whether they have signed: also those that are not deployed yet (ERC-6492). An answer is good for the block that it was given in, so
 * an upload of many requests asks once a block, and a wallet that withdraws its signature is heard with the next.
 */
export function contractWallets(
  { perBlock = 256, blockMs = 1_000 }: ContractWalletsOptions,
  { client, clockMs = () => performance.now() }: ContractWalletsDeps,
): VerifySigned {
  let block: { number: Promise<bigint>; at: number } | undefined;
  let answers = { of: -1n, known: new Map<string, Promise<boolean>>() };
  const newest = (): Promise<bigint> => {
    if (!block || clockMs() - block.at >= blockMs) {
      const fresh = { number: client.getBlockNumber({ cacheTime: 0 }), at: clockMs() };
      block = fresh;
      // A chain that did not answer is asked again with the next request.
      fresh.number.catch(() => {
        if (block === fresh) block = undefined;
      });
    }
    return block.number;
  };
  return async (account, data, signature) => {
    const number = await newest();
    if (number > answers.of) answers = { of: number, known: new Map() };
    const { known } = answers;
    const said = JSON.stringify(
      [account.toLowerCase(), data.primaryType, data.message, signature],
      (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
    );
    const key = sha256(stringToBytes(said));
    const before = known.get(key);
    if (before) return before;
    if (known.size >= perBlock)
      throw new UnauthorizedError('too many contract wallets ask at once; try again in a block');
    // Two types of one union: viem wants to know which.
    const asked = client.verifyTypedData({
      ...(data as ReturnType<typeof grantTypedData>),
      address: account,
      signature,
    });
    known.set(key, asked);
    asked.catch(() => known.delete(key));
    return asked;
  };
}
