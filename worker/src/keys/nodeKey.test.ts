import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { createNodeKey, readNodeKey } from './nodeKey.ts';
import { checkNodeKey } from '../startup.ts';
import type { Log } from '../log.ts';
import { bytes32, sampleNode } from '../testing/samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'dpu-node-key-'));
afterAll(() => rmSync(folder, { recursive: true }));

const settings = (name: string) => ({ nodeKeyFile: join(folder, name), keyPassword: undefined });

test('the key is made once, in a file for its owner only, and comes back', async () => {
  const made = await createNodeKey(settings('one'));
  expect(statSync(join(folder, 'one')).mode & 0o777).toBe(0o600);
  expect((await readNodeKey(settings('one')))?.key).toBe(made.key);
  await expect(createNodeKey(settings('one'))).rejects.toThrow('cannot be written');
  expect((await readNodeKey(settings('one')))?.key).toBe(made.key);
});

test('a password keeps it from whoever reads the file', async () => {
  const locked = { ...settings('two'), keyPassword: 'correct horse' };
  const made = await createNodeKey(locked);
  expect(JSON.parse(readFileSync(locked.nodeKeyFile, 'utf8'))).toMatchObject({ cipher: 'aes-256-gcm' });
  expect((await readNodeKey(locked))?.secret()).toBe(made.secret());
  await expect(readNodeKey(settings('two'))).rejects.toThrow('is encrypted');
});

test('without a file there is no key; a file that others can read is refused', async () => {
  expect(await readNodeKey(settings('none'))).toBeUndefined();
  await createNodeKey(settings('three'));
  chmodSync(join(folder, 'three'), 0o644);
  await expect(readNodeKey(settings('three'))).rejects.toThrow('can be read by others');
});

test('the node says whether requesters seal to its key', async () => {
  const identity = await createNodeKey(settings('four'));
  const said: string[] = [];
  const hear = (message: string): void => void said.push(message);
  const log: Log = { debug: hear, info: hear, warn: hear, error: hear };
  const check = (key: `0x${string}`, own: typeof identity | undefined) =>
    checkNodeKey({ node: async () => sampleNode({ key }) }, 1, own, log);
  await check(identity.key, identity);
  await check(bytes32(0), identity);
  await check(bytes32(1), identity);
  await check(bytes32(1), undefined);
  await check(bytes32(0), undefined);
  expect(said).toEqual([
    'Takes private jobs',
    'Takes no private jobs: publish the key with setNode',
    'Private jobs are sealed to another key than this node has: publish its own with setNode',
    'Private jobs are sealed to another key than this node has: publish its own with setNode',
  ]);
});
