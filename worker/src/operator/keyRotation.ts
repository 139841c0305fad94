import { existsSync, linkSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import type { Address, Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

import { ChainBook } from '../chain/chainBook.ts';
import type { NodeConfig } from '../config.ts';
import { OperatorError } from '../errors.ts';
import { Journal } from '../sending/journal.ts';
import { createKeyFile, readKeyFile } from '../keys/keyFile.ts';
import { Outbox } from '../sending/outbox.ts';

/** What a rotation does on chain. */
export interface RotationChain {
  /** Node that `operator` works for; 0 for none. */
  nodeOf(operator: Address): Promise<number>;
  /** Makes `operator` the node's operator, by the owner's key; undefined where that key is not here. */
  setOperator: ((node: number, operator: Address) => Promise<void>) | undefined;
}

/** How far a rotation has come. `waiting`: the owner's wallet must send the change, then it is run again. */
export type Rotation =
  | { state: 'done'; node: number; before: Address; now: Address; kept: string }
  | { state: 'waiting'; node: number; before: Address; next: Address };

type RotationSettings = Pick<NodeConfig, 'operatorKeyFile' | 'keyPassword' | 'dataDir' | 'network'>;

/**
 * Replaces the operator's key: a new one is written beside the old, the owner makes it the node's operator on chain, and only then they
 * change places. Every step can be repeated: a rotation that was cut off goes on where it stood, and at no moment is the key that
 * the chain knows lost. The node must stand still and hold nothing, because leases are proven by the key that the chain knows, and
 * transactions that wait are signed with the old one.
 * @throws OperatorError that says what to do first.
 */
export async function rotateOperatorKey(config: RotationSettings, chain: RotationChain): Promise<Rotation> {
  const { operatorKeyFile: file, keyPassword } = config;
  const nextFile = `${file}.next`;
  const before = privateKeyToAccount(readKeyFile(file, keyPassword)).address;
  // Opening it shows that no node runs on it.
  const journal = new Journal({ file: join(config.dataDir, 'journal.sqlite') });
  try {
    const nextKey: Hex = existsSync(nextFile)
      ? readKeyFile(nextFile, keyPassword)
      : createKeyFile(nextFile, keyPassword);
    const next = privateKeyToAccount(nextKey).address;
    const moved = await chain.nodeOf(next);
    const node = moved !== 0 ? moved : await chain.nodeOf(before);
    if (node === 0) {
      throw new OperatorError(
        `No node is registered for the operator ${before}, so there is nothing to rotate. To begin with another key, move ${file} away and run dpu-node init.`,
        { operator: before },
      );
    }
    if (moved === 0) {
      refuseWhileBusy(journal, node);
      if (!chain.setOperator) return { state: 'waiting', node, before, next };
      await chain.setOperator(node, next);
    }
    const kept = `${file}.${before.slice(2, 10).toLowerCase()}`;
    const { chainId, market } = config.network;
    const owner = journal.meta('operator') === next.toLowerCase() ? next : before;
    journal.bind({ chainId, market, operator: owner });
    journal.setMeta('operator', next.toLowerCase());
    // A second name for the old key first, then one step that replaces it: there is a key under the file's name at every moment.
    if (!existsSync(kept)) linkSync(file, kept);
    renameSync(nextFile, file);
    return { state: 'done', node, before, now: next, kept };
  } finally {
    journal.close();
  }
}

function refuseWhileBusy(journal: Journal, node: number): void {
  const leases = new ChainBook(journal).ownLiving(node).length;
  const waiting = new Outbox(journal).live().filter(({ status }) => status === 'queued' || status === 'sent').length;
  if (leases === 0 && waiting === 0) return;
  throw new OperatorError(
    `The node still holds ${leases} leases and ${waiting} transactions wait. Start it, run dpu-node drain, wait until dpu-node status shows none, stop it, then rotate.`,
    { leases, waiting },
  );
}
