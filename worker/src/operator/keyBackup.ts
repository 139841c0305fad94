import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import type { Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { z } from 'zod';

import type { NodeConfig } from '../config.ts';
import { messageOf, OperatorError } from '../errors.ts';
import { readKeyFile, seal, sealedSchema, unseal, writeKeyFile } from '../keys/keyFile.ts';

type KeySettings = Pick<NodeConfig, 'operatorKeyFile' | 'nodeKeyFile' | 'keyPassword'>;

const key = z.string().regex(/^0x[0-9a-f]{64}$/i);
const contentSchema = z.strictObject({ operatorKey: key, nodeKey: key.optional() });

/** What a backup holds, for people. */
export interface BackedUp {
  operator: Hex;
  /** Whether the key for private jobs is in it. */
  nodeKey: boolean;
}

/** Shorter passwords fall to a search: the file may lie somewhere for years. */
const LEAST_PASSWORD = 12;

/**
 * Writes both keys to a new file, sealed with a password of its own. The journal is not in it: it changes with every lease, so
 * it belongs in a backup of the data folder.
 * @throws OperatorError that says what to do.
 */
export function backupKeys(config: KeySettings, file: string, password: string): BackedUp {
  if (password.length < LEAST_PASSWORD) {
    throw new OperatorError(`The backup's password has fewer than ${LEAST_PASSWORD} characters. Choose a longer one.`);
  }
  const operatorKey = readKeyFile(config.operatorKeyFile, config.keyPassword);
  const nodeKey = existsSync(config.nodeKeyFile) ? readKeyFile(config.nodeKeyFile, config.keyPassword) : undefined;
  const content = JSON.stringify({ operatorKey, ...(nodeKey === undefined ? {} : { nodeKey }) });
  try {
    writeFileSync(file, `${seal(Buffer.from(content), password)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new OperatorError(
      `The backup ${file} cannot be written: ${messageOf(error)}. Name a file that is not there yet.`,
      { file },
      error,
    );
  }
  return { operator: privateKeyToAccount(operatorKey).address, nodeKey: nodeKey !== undefined };
}

/**
 * Writes the keys of a backup to the files of the settings, which must not be there.
 * @throws OperatorError that says what to do; then nothing was written that was not there before.
 */
export function restoreKeys(config: KeySettings, file: string, password: string): BackedUp {
  let content: z.output<typeof contentSchema>;
  try {
    const sealed = sealedSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    content = contentSchema.parse(JSON.parse(unseal(sealed, password).toString()));
  } catch (error) {
    throw new OperatorError(
      `The backup ${file} cannot be opened: it is no backup, was changed, or the password is another one. Correct WORKER_BACKUP_PASSWORD.`,
      { file },
      error,
    );
  }
  const { operatorKeyFile, nodeKeyFile, keyPassword } = config;
  const { operatorKey, nodeKey } = content;
  for (const there of [operatorKeyFile, ...(nodeKey === undefined ? [] : [nodeKeyFile])]) {
    if (existsSync(there)) {
      throw new OperatorError(
        `The key file ${there} is already there, and a key is never overwritten. Move it away, then restore again.`,
        { file: there },
      );
    }
  }
  writeKeyFile(operatorKeyFile, operatorKey as Hex, keyPassword);
  if (nodeKey !== undefined) writeKeyFile(nodeKeyFile, nodeKey as Hex, keyPassword);
  return { operator: privateKeyToAccount(operatorKey as Hex).address, nodeKey: nodeKey !== undefined };
}
