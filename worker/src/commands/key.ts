import type { NodeConfig } from '../config.ts';
import { OperatorError } from '../errors.ts';
import { backupKeys, restoreKeys } from '../operator/keyBackup.ts';
import { rotateOperatorKey } from '../operator/keyRotation.ts';
import { ownerOf, reader } from './owner.ts';

/** What the key commands work with. */
export interface KeyDeps {
  /** Of the backup; from the environment only. */
  backupPassword: string | undefined;
  print: (line: string) => void;
}

function passwordOf({ backupPassword }: KeyDeps): string {
  if (backupPassword !== undefined && backupPassword !== '') return backupPassword;
  throw new OperatorError('The backup needs a password of its own. Set WORKER_BACKUP_PASSWORD, and keep it elsewhere.');
}

/** Writes both keys to a sealed file. */
export function backup(config: NodeConfig, file: string, deps: KeyDeps): void {
  const { operator, nodeKey } = backupKeys(config, file, passwordOf(deps));
  deps.print(
    `Backup written: ${file}, with the key of the operator ${operator}${nodeKey ? ' and the key for private jobs' : ''}.`,
  );
  deps.print('Keep it and its password in two places, both away from this machine.');
}

/** Writes the keys of a backup where the settings want them. */
export function restore(config: NodeConfig, file: string, deps: KeyDeps): void {
  const { operator, nodeKey } = restoreKeys(config, file, passwordOf(deps));
  deps.print(`Key of the operator ${operator} restored: ${config.operatorKeyFile}`);
  if (nodeKey) deps.print(`Key for private jobs restored: ${config.nodeKeyFile}`);
  deps.print('Leases that the lost machine held are recomputed by the next start as long as their deadlines allow.');
}

/** Replaces the operator's key. */
export async function rotate(config: NodeConfig, ownerKeyFile: string | undefined, { print }: KeyDeps): Promise<void> {
  const { market } = reader(config);
  const owner = ownerKeyFile === undefined ? undefined : ownerOf(config, ownerKeyFile);
  const rotation = await rotateOperatorKey(config, {
    nodeOf: (operator) => market.nodeOf(operator),
    setOperator: owner && ((node, operator) => owner.setOperator(node, operator)),
  });
  if (rotation.state === 'waiting') {
    print(`New operator address: ${rotation.next}`);
    print(`With the owner's wallet, in the dApp: make it the operator of node ${rotation.node}. Then run this again.`);
    print('Or run: dpu-node key rotate --owner-key-file FILE');
    return;
  }
  print(`Node ${rotation.node} works for the operator ${rotation.now} now. The old key is kept: ${rotation.kept}`);
  print(`Send what ${rotation.before} has left of the chain's coin to the new address, then run: dpu-node start`);
  print('Make a new backup: dpu-node key backup FILE');
}
