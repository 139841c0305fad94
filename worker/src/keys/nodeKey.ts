import { existsSync } from 'node:fs';

import { identityOfBytes, type SecretIdentity } from '@dpu/sdk/privacy/identity';
import { hexToBytes } from 'viem';

import type { NodeConfig } from '../config.ts';
import { createKeyFile, readKeyFile } from './keyFile.ts';

type KeySettings = Pick<NodeConfig, 'nodeKeyFile' | 'keyPassword'>;

/**
 * The key with which this node opens private jobs; undefined when there is no file: then it takes none.
 * @throws OperatorError when the file cannot be used.
 */
export async function readNodeKey({ nodeKeyFile, keyPassword }: KeySettings): Promise<SecretIdentity | undefined> {
  if (!existsSync(nodeKeyFile)) return undefined;
  return identityOfBytes(hexToBytes(readKeyFile(nodeKeyFile, keyPassword)));
}

/**
 * Makes the key in a file that only its owner can read, in the form of the operator's. Any 32 bytes are an X25519 key.
 * @throws OperatorError when the file is already there.
 */
export async function createNodeKey({ nodeKeyFile, keyPassword }: KeySettings): Promise<SecretIdentity> {
  return identityOfBytes(hexToBytes(createKeyFile(nodeKeyFile, keyPassword)));
}
