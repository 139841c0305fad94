import { existsSync, linkSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Address } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { expect, onTestFinished, test } from 'vitest';

import type { NodeConfig } from '../config.ts';
import { Journal } from '../sending/journal.ts';
import { createKeyFile, readKeyFile } from '../keys/keyFile.ts';
import { Outbox } from '../sending/outbox.ts';
import { CURRENCY } from '../testing/samples.ts';
import { backupKeys, restoreKeys } from './keyBackup.ts';
import { rotateOperatorKey, type RotationChain } from './keyRotation.ts';

const PASSWORD = 'correct horse';

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'dpu-keys-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}
const settings = (dir: string, keyPassword?: string) => ({
  ...{ operatorKeyFile: join(dir, 'operator.key'), nodeKeyFile: join(dir, 'node.key'), keyPassword, dataDir: dir },
  network: { chainId: 7, market: CURRENCY } as unknown as NodeConfig['network'],
});

/* BACKUP */

test('a backup brings both keys back, under another password of the key files', () => {
  const from = settings(folder(), 'first');
  const operator = createKeyFile(from.operatorKeyFile, 'first');
  const node = createKeyFile(from.nodeKeyFile, 'first');
  const file = join(from.dataDir, 'backup');
  expect(backupKeys(from, file, PASSWORD)).toEqual({ operator: privateKeyToAccount(operator).address, nodeKey: true });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).not.toContain(operator.slice(2, 20));

  const to = settings(folder(), 'second');
  expect(restoreKeys(to, file, PASSWORD)).toEqual({ operator: privateKeyToAccount(operator).address, nodeKey: true });
  expect(readKeyFile(to.operatorKeyFile, 'second')).toBe(operator);
  expect(readKeyFile(to.nodeKeyFile, 'second')).toBe(node);
});

test('a wrong password, a changed bit or a key that is there stops a restore before it writes', () => {
  const from = settings(folder());
  createKeyFile(from.operatorKeyFile, undefined);
  const file = join(from.dataDir, 'backup');
  backupKeys(from, file, PASSWORD);
  const to = settings(folder());
  const opened = /^The backup .+ cannot be opened: it is no backup, was changed, or the password is another one\./;
  expect(() => restoreKeys(to, file, 'wrong password')).toThrow(opened);
  const sealed = JSON.parse(readFileSync(file, 'utf8')) as { data: string };
  const data = Buffer.from(sealed.data, 'base64');
  data[0]! ^= 1;
  writeFileSync(`${file}2`, JSON.stringify({ ...sealed, data: data.toString('base64') }));
  expect(() => restoreKeys(to, `${file}2`, PASSWORD)).toThrow(opened);
  expect(existsSync(to.operatorKeyFile)).toBe(false);
  expect(() => restoreKeys(from, file, PASSWORD)).toThrow(/is already there, and a key is never overwritten\./);
});

test('a short password and a file that is there are refused', () => {
  const from = settings(folder());
  createKeyFile(from.operatorKeyFile, undefined);
  expect(() => backupKeys(from, join(from.dataDir, 'b'), 'eleven char')).toThrow(/has fewer than 12 characters/);
  expect(backupKeys(from, join(from.dataDir, 'b'), 'twelve chars').nodeKey).toBe(false);
  expect(() => backupKeys(from, join(from.dataDir, 'b'), PASSWORD)).toThrow(/Name a file that is not there yet\./);
});

/* ROTATION */

function rotating(over: Partial<RotationChain> = {}) {
  const config = settings(folder());
  const before = privateKeyToAccount(createKeyFile(config.operatorKeyFile, undefined)).address;
  let operator: Address = before;
  const chain: RotationChain = {
    nodeOf: async (address) => (address === operator ? 3 : 0),
    setOperator: async (_node, next) => {
      operator = next;
    },
    ...over,
  };
  const journal = <T>(work: (journal: Journal) => T): T => {
    const open = new Journal({ file: join(config.dataDir, 'journal.sqlite') });
    try {
      return work(open);
    } finally {
      open.close();
    }
  };
  const now = (): Address => privateKeyToAccount(readKeyFile(config.operatorKeyFile, undefined)).address;
  return {
    config,
    chain,
    before,
    journal,
    now,
    operator: () => operator,
    appoint: (next: Address) => (operator = next),
  };
}

test('the new key takes the old one’s place in the file, in the journal and on chain', async () => {
  const { config, chain, before, journal, now, operator } = rotating();
  const rotation = await rotateOperatorKey(config, chain);
  expect(rotation).toMatchObject({ state: 'done', node: 3, before, now: now() });
  expect(now()).not.toBe(before);
  expect(operator()).toBe(now());
  expect(journal((open) => open.meta('operator'))).toBe(now().toLowerCase());
  const kept = rotation.state === 'done' ? rotation.kept : '';
  expect(privateKeyToAccount(readKeyFile(kept, undefined)).address).toBe(before);
});

test('without the owner’s key it waits with the new key on disk, and goes on once the chain knows it', async () => {
  const { config, chain, before, now, appoint } = rotating();
  const waiting = await rotateOperatorKey(config, { ...chain, setOperator: undefined });
  if (waiting.state !== 'waiting') throw new Error('it did not wait');
  expect([waiting.before, now()]).toEqual([before, before]);
  expect(await rotateOperatorKey(config, { ...chain, setOperator: undefined }), 'the same key').toEqual(waiting);
  appoint(waiting.next);
  expect((await rotateOperatorKey(config, { ...chain, setOperator: undefined })).state).toBe('done');
  expect(now()).toBe(waiting.next);
});

test('a rotation that was cut off after the journal was changed goes on', async () => {
  const { config, chain, before, journal, now, appoint } = rotating();
  const waiting = await rotateOperatorKey(config, { ...chain, setOperator: undefined });
  if (waiting.state !== 'waiting') throw new Error('it did not wait');
  appoint(waiting.next);
  journal((open) => open.bind({ chainId: 7, market: CURRENCY, operator: waiting.next }));
  linkSync(config.operatorKeyFile, `${config.operatorKeyFile}.${before.slice(2, 10).toLowerCase()}`);
  expect((await rotateOperatorKey(config, chain)).state).toBe('done');
  expect(now()).toBe(waiting.next);
});

test('a transaction that waits stops it', async () => {
  const { config, chain, journal, operator, before } = rotating();
  journal((open) =>
    new Outbox(open).add({
      ...{ key: 'a', kind: 'settle', to: CURRENCY, data: '0x', gas: 1n, priority: 1, deadline: undefined },
      ...{ urgent: false, shards: 0 },
    }),
  );
  await expect(rotateOperatorKey(config, chain)).rejects.toThrow(
    'The node still holds 0 leases and 1 transactions wait. Start it, run dpu-node drain,',
  );
  expect(operator()).toBe(before);
});

test('a node that runs, and an operator without a node, are refused', async () => {
  const { config, chain } = rotating();
  const held = new Journal({ file: join(config.dataDir, 'journal.sqlite') });
  await expect(rotateOperatorKey(config, chain)).rejects.toThrow(/is in use: another node runs on it\./);
  held.close();
  await expect(rotateOperatorKey(config, { ...chain, nodeOf: async () => 0 })).rejects.toThrow(
    /^No node is registered for the operator 0x/,
  );
});
