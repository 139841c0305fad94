import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CID } from 'multiformats/cid';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { randomBytes } from '../storage/fixtures.ts';
import { cidOfBlock, digestToCid, cidToDigest } from '../storage/cid.ts';
import {
  BlockTooBigError,
  CorruptBlockError,
  HashMismatchError,
  NotFoundError,
  QuotaExceededError,
} from '../storage/errors.ts';
import { FileBlockstore } from './fileBlockstore.ts';

describe('the block store on disk', () => {
  const bytes = randomBytes(5000);
  let dir: string;
  let store: FileBlockstore;
  let cid: CID;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dpu-store-'));
    store = await FileBlockstore.open({ dir });
    cid = await cidOfBlock(bytes, 'raw');
  });
  afterEach(() => rm(dir, { recursive: true }));

  const files = async (end: string): Promise<string[]> =>
    (await readdir(dir, { recursive: true })).filter((name) => name.endsWith(end)).map((name) => join(dir, name));

  test('keeps a block once, whatever its codec, and counts it', async () => {
    await store.put(cid, bytes);
    await store.put(digestToCid(cidToDigest(cid), 'dag-cbor'), bytes);
    expect(store.size).toEqual({ blocks: 1, bytes: 5000 });
    expect(await store.get(digestToCid(cidToDigest(cid), 'dag-pb'))).toEqual(bytes);
    expect(await store.sizeOf(cid)).toBe(5000);
  });

  test('counts a block that is put many times at once as one', async () => {
    await Promise.all(Array.from({ length: 10 }, () => store.put(cid, bytes)));
    expect(store.size).toEqual({ blocks: 1, bytes: 5000 });
  });

  test('finds everything again after a restart, without what was half-written', async () => {
    await store.put(cid, bytes);
    await store.flush();
    const [file] = await files('.blk');
    await writeFile(`${file}.9.tmp`, 'half');
    const again = await FileBlockstore.open({ dir });
    expect(again.size).toEqual({ blocks: 1, bytes: 5000 });
    expect(await again.get(cid)).toEqual(bytes);
    expect(await files('.tmp')).toEqual([]);
  });

  test('does not have what it was not given', async () => {
    expect(await store.has(cid)).toBe(false);
    await expect(store.get(cid)).rejects.toEqual(new NotFoundError(cid.toString()));
  });

  test.each([
    ['cut short', (file: string) => truncate(file, 100)],
    ['empty', (file: string) => truncate(file, 0)],
    ['rotten', async (file: string) => writeFile(file, (await readFile(file)).fill(0, 4096))],
  ])('never returns a block that is %s, and heals when it is put again', async (_what, damage) => {
    await store.put(cid, bytes);
    await damage((await files('.blk'))[0]!);
    const again = await FileBlockstore.open({ dir });
    await expect(again.get(cid)).rejects.toEqual(new CorruptBlockError(cid.toString()));
    expect(again.size).toEqual({ blocks: 0, bytes: 0 });
    expect(await again.has(cid)).toBe(false);
    await expect(again.get(cid)).rejects.toBeInstanceOf(NotFoundError);
    expect(await files('.bad')).toHaveLength(1);

    await again.put(cid, bytes);
    expect(await again.get(cid)).toEqual(bytes);
    expect(again.size).toEqual({ blocks: 1, bytes: 5000 });
  });

  test('replaces a damaged copy that nobody has read', async () => {
    await store.put(cid, bytes);
    await truncate((await files('.blk'))[0]!, 100);
    const again = await FileBlockstore.open({ dir });
    await again.put(cid, bytes);
    expect(await again.get(cid)).toEqual(bytes);
    expect(again.size).toEqual({ blocks: 1, bytes: 5000 });
  });

  test('refuses bytes that are not the block', async () => {
    await expect(store.put(cid, randomBytes(5000, 2))).rejects.toBeInstanceOf(HashMismatchError);
    expect(await files('')).toEqual([]);
  });

  test('holds exactly its quota and not a byte more', async () => {
    const small = await FileBlockstore.open({ dir, quotaBytes: 10_000 });
    await small.put(cid, bytes);
    const rest = randomBytes(5000, 3);
    const over = randomBytes(5001, 3);
    await expect(small.put(await cidOfBlock(over, 'raw'), over)).rejects.toEqual(new QuotaExceededError(5000, 10_000));
    await small.put(await cidOfBlock(rest, 'raw'), rest);
    expect(small.size).toEqual({ blocks: 2, bytes: 10_000 });
    // what is here already needs no room
    await small.put(cid, bytes);
  });

  test('parallel writes cannot overrun the quota together', async () => {
    const small = await FileBlockstore.open({ dir, quotaBytes: 10_000 });
    const puts = [2, 3, 4, 5].map(async (seed) => {
      const block = randomBytes(5000, seed);
      await small.put(await cidOfBlock(block, 'raw'), block);
    });
    const failed = (await Promise.allSettled(puts)).filter(({ status }) => status === 'rejected');
    expect(failed).toHaveLength(2);
    expect(small.size).toEqual({ blocks: 2, bytes: 10_000 });
  });

  test('has a limit for blocks of its own', async () => {
    const small = await FileBlockstore.open({ dir, maxBlockBytes: 4999 });
    await expect(small.put(cid, bytes)).rejects.toEqual(new BlockTooBigError(5000, 4999));
  });

  test('forgets what is deleted', async () => {
    await store.put(cid, bytes);
    await store.delete(cid);
    await store.delete(cid);
    expect(store.size).toEqual({ blocks: 0, bytes: 0 });
    expect(await store.has(cid)).toBe(false);
  });
});
