/** Large files pass through in constant memory: at the gateway that takes and serves them, at the one that copies them, and here. */
import { randomFillSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MIB } from '../src/storage/fixtures.ts';
import { HttpBackend } from '../src/storage/httpBackend.ts';
import { spawnGateway } from './spawn.ts';
import type { Spawned } from './spawn.ts';

/** Far more than any buffer in between may hold. */
const LARGE = Number(process.env['DPU_LARGE_MIB'] ?? 128) * MIB;
const SMALL = 48 * MIB;
/** Garbage of some hundred requests; a process that held the file would grow by eighty MiB and more. */
const MOST_GROWTH = 64 * MIB;

let one: Spawned;
let two: Spawned;
beforeAll(async () => {
  [one, two] = await Promise.all([spawnGateway(), spawnGateway()]);
});
afterAll(() => Promise.all([one, two].map((gateway) => gateway.remove())));

async function* random(size: number): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0; left -= MIB) yield randomFillSync(new Uint8Array(Math.min(MIB, left)));
}

/** Most memory that a process ever had, in bytes. */
async function peakOf(pid: number): Promise<number> {
  const [, kib] = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

/** Uploads to one gateway, copies to the other, reads back; the peaks of both processes afterwards. */
async function pass(size: number): Promise<number[]> {
  const backend = new HttpBackend({ getHolders: () => [one.url], writeTo: one.url });
  const { cid } = await backend.addFile(random(size));
  await new HttpBackend({ getHolders: () => [one.url], writeTo: two.url }).pin(cid);
  let received = 0;
  for await (const part of backend.readFile(cid)) received += part.length;
  expect(received).toBe(size);
  return Promise.all([one, two].map(({ pid }) => peakOf(pid)));
}

test.skipIf(!existsSync('/proc/self/status'))(
  'a file several times as large takes no more memory at either gateway',
  async () => {
    const before = await pass(SMALL);
    const after = await pass(LARGE);
    const growth = after.map((peak, index) => peak - before[index]!);
    expect(
      Math.max(...growth),
      `grew by ${growth.map((bytes) => Math.round(bytes / MIB)).join(' and ')} MiB`,
    ).toBeLessThan(MOST_GROWTH);
  },
);
