import { setTimeout as sleep } from 'node:timers/promises';

import { HttpBackend } from '@dpu/sdk/storage/httpBackend';
import { storageDomain } from '@dpu/sdk/storage/receipt';
import { signedWriteHeaders } from '@dpu/sdk/storage/writeAuth';
import { diskAsset } from '@dpu/sdk/templates/diskAssets';
import { createWalletClient, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

import type { NodeConfig } from '../config.ts';
import { OperatorError } from '../errors.ts';
import { readKeyFile } from '../keys/keyFile.ts';
import { reader } from './owner.ts';
import type { ProveDeps } from './prove.ts';

/**
 * The node of the operator's key in `config`, and what its owner proves a tier with: its wallet, and the network's gateway, to which that wallet writes.
 * @throws OperatorError when no node is registered for the operator.
 */
export async function proveDeps(
  config: NodeConfig,
  ownerKeyFile: string,
  print: (line: string) => void,
): Promise<{ node: number; deps: ProveDeps }> {
  const { network } = config;
  const owner = privateKeyToAccount(readKeyFile(ownerKeyFile, config.keyPassword));
  const operator = privateKeyToAccount(readKeyFile(config.operatorKeyFile, config.keyPassword)).address;
  const { client, market } = reader(config);
  const node = await market.nodeOf(operator);
  if (node === 0) {
    throw new OperatorError(`No node is registered for the operator ${operator}. Register it: dpu-node init.`, {
      operator,
    });
  }
  const headers = signedWriteHeaders(
    { signWrite: (data) => owner.signTypedData(data) },
    storageDomain(network.chainId, network.market),
    () => Math.floor(Date.now() / 1_000),
  );
  return {
    node,
    deps: {
      client,
      wallet: createWalletClient({ account: owner, transport: http(config.rpcUrl, { timeout: config.rpcTimeoutMs }) }),
      market: network.market,
      proofs: network.proofs,
      storage: new HttpBackend({ getHolders: () => [network.gatewayUrl], writeTo: network.gatewayUrl }, { headers }),
      asset: diskAsset,
      print,
      pause: (signal) => sleep(config.pollMs, undefined, { signal }),
    },
  };
}
