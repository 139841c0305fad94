import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { OperatorError } from '../errors.ts';
import { createKeyFile, readKeyFile } from './keyFile.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dpu-key-'));
  file = join(dir, 'a/operator.key');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a new key can be read by its owner only, and comes back', () => {
  const key = createKeyFile(file, undefined);
  expect(key).toMatch(/^0x[0-9a-f]{64}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readKeyFile(file, undefined)).toBe(key);
});

test('an encrypted key comes back with its password and no other', () => {
  const key = createKeyFile(file, 'correct horse');
  expect(readFileSync(file, 'utf8')).not.toContain(key.slice(2, 20));
  expect(readKeyFile(file, 'correct horse')).toBe(key);
  expect(() => readKeyFile(file, 'battery staple')).toThrow(
    `The password does not open the key file ${file}. Correct WORKER_KEY_PASSWORD.`,
  );
  expect(() => readKeyFile(file, undefined)).toThrow(`The key file ${file} is encrypted. Set WORKER_KEY_PASSWORD.`);
});

test('a key is never overwritten', () => {
  const key = createKeyFile(file, undefined);
  expect(() => createKeyFile(file, undefined)).toThrow(OperatorError);
  expect(readKeyFile(file, undefined)).toBe(key);
});

test('a key that others can read is refused, and the message says what to do', () => {
  createKeyFile(file, undefined);
  chmodSync(file, 0o640);
  expect(() => readKeyFile(file, undefined)).toThrow(
    `The key file ${file} can be read by others. Run: chmod 600 ${file}`,
  );
});

test.each(['0x1234', 'hello', '{"version":2}'])('a file that holds %s is no key', (text) => {
  const wrong = join(dir, 'wrong.key');
  writeFileSync(wrong, text, { mode: 0o600 });
  expect(() => readKeyFile(wrong, undefined)).toThrow(
    `The key file ${wrong} holds no private key: 0x and 64 hex digits, or what init wrote.`,
  );
});

test('a missing file says how to make one', () => {
  expect(() => readKeyFile(file, undefined)).toThrow(/Run dpu-node init, or correct operatorKeyFile\.$/);
});
