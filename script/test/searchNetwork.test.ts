import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { bytesToHex } from 'viem';
import { afterAll, expect, test } from 'vitest';

import type { LocalChain } from '../network/chain.ts';
import { searchNetwork } from '../scenarios/searchNetwork.ts';

const folder = mkdtempSync(join(tmpdir(), 'dpu-search-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** 512 bytes that are nobody else's. */
const bytesOf = (name: number): Uint8Array =>
  Buffer.concat(Array.from({ length: 16 }, (_, at) => createHash('sha256').update(`${name} ${at}`).digest()));

test('a piece of a secret is found in files, as hex, on chain and in printed lines, and nothing else is', async () => {
  const [raw, hex, sent, said, kept] = [3, 50, 90, 140, 200].map(bytesOf) as Uint8Array[];
  writeFileSync(join(folder, 'block'), Buffer.concat([Buffer.from('head'), Buffer.from(raw!.subarray(0, 40))]));
  writeFileSync(join(folder, 'journal'), `row ${bytesToHex(hex!).slice(2)}`);
  const transactions = [{ hash: '0x01', input: bytesToHex(sent!) }];
  const publicClient = { getBlockNumber: async () => 0n, getBlock: async () => ({ transactions }) };
  const local = { publicClient } as unknown as LocalChain;
  const secrets = Object.entries({ raw, hex, sent, said, kept }).map(([name, bytes]) => ({ name, bytes: bytes! }));
  const search = await searchNetwork({ folder, local }, secrets, ['a line', `node 1 ${bytesToHex(said!)}`]);
  const found = search.findings.map(({ what, where }) => `${what} in ${where}`);
  expect(found.toSorted()).toEqual([
    'hex in journal',
    'raw in block',
    'said in the lines that processes printed',
    'sent in transaction 0x01',
  ]);
  expect(search).toMatchObject({ files: 2, blocks: 1, lines: 2 });
});
