import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { zip } from './zip.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test('other programs read the archive', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dpu-zip-'));
  try {
    const files = [
      { name: '0-tile.png', bytes: Uint8Array.of(1, 2, 3) },
      { name: 'grün.txt', bytes: text('hello') },
    ];
    writeFileSync(join(folder, 'a.zip'), new Uint8Array(await zip(files).arrayBuffer()));
    const script =
      'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])';
    execFileSync('python3', ['-c', script, join(folder, 'a.zip'), folder]);
    for (const { name, bytes } of files) expect([...readFileSync(join(folder, name))]).toEqual([...bytes]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('equal files make equal archives', async () => {
  const once = new Uint8Array(await zip([{ name: 'a', bytes: text('x') }]).arrayBuffer());
  const again = new Uint8Array(await zip([{ name: 'a', bytes: text('x') }]).arrayBuffer());
  expect([...once]).toEqual([...again]);
});

test('refuses more files than the format can count', () => {
  const files = Array.from({ length: 65_536 }, () => ({ name: 'a', bytes: new Uint8Array() }));
  expect(() => zip(files)).toThrow('An archive holds at most 65535 files.');
});
