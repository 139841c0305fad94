import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { JournalError } from '../errors.ts';
import { Journal } from './journal.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dpu-journal-'));
  file = join(dir, 'deep/journal.sqlite');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('remembers across openings', () => {
  const journal = new Journal({ file });
  journal.setMeta('a', '1');
  journal.setMeta('a', '2');
  journal.close();
  const again = new Journal({ file });
  expect(again.meta('a')).toBe('2');
  expect(again.meta('b')).toBeUndefined();
  again.close();
});

test('is on the disk when a call returns', () => {
  const journal = new Journal({ file });
  expect(journal.get('PRAGMA synchronous')).toEqual({ synchronous: 2 });
  expect(journal.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
  journal.close();
});

test('a transaction that fails leaves nothing', () => {
  const journal = new Journal({ file: ':memory:' });
  expect(() =>
    journal.transaction(() => {
      journal.setMeta('a', '1');
      journal.transaction(() => journal.setMeta('b', '1'));
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(journal.meta('a')).toBeUndefined();
  expect(journal.meta('b')).toBeUndefined();
});

test('belongs to one chain, contract and key', () => {
  const journal = new Journal({ file: ':memory:' });
  journal.bind({ chainId: 1, market: '0xAA', operator: '0xBB' });
  journal.bind({ chainId: 1, market: '0xaa', operator: '0xbb' });
  expect(() => journal.bind({ chainId: 2, market: '0xaa', operator: '0xbb' })).toThrow(
    new JournalError(
      'The journal belongs to chainId 1, this node is configured for 2. Use another data folder, or correct the configuration.',
      { key: 'chainId', found: '1', wanted: '2' },
    ),
  );
});

test('refuses a second process', () => {
  const journal = new Journal({ file });
  journal.setMeta('a', '1');
  expect(() => new Journal({ file })).toThrow(
    `The journal ${file} is in use: another node runs on it. Stop that one, or give this one a data folder of its own.`,
  );
  journal.close();
});

test('refuses a file that is no journal', () => {
  writeFileSync(join(dir, 'torn.sqlite'), 'this was a database once'.repeat(100));
  const open = (): Journal => new Journal({ file: join(dir, 'torn.sqlite') });
  expect(open).toThrow(JournalError);
  expect(open).toThrow(/file is not a database\). It holds salts of running leases: restore it from a backup/);
});

test('refuses another version, whichever is newer', () => {
  new Journal({ file }).close();
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 9');
  db.close();
  expect(() => new Journal({ file })).toThrow(
    `The journal ${file} has version 9, this program writes 2. Finish its leases with the program that wrote it, then use a new data folder.`,
  );
});
