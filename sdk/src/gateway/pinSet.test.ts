import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { randomBytes, MIB } from '../storage/fixtures.ts';
import { count } from '../storage/bytes.ts';
import { encodeBlock, linksOf } from '../storage/cid.ts';
import { MissingBlockError } from '../storage/errors.ts';
import { FileBlockstore } from './fileBlockstore.ts';
import { collectGarbage } from './garbage.ts';
import { LocalBackend } from './localBackend.ts';
import { OWN, PinSet } from './pinSet.ts';

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dpu-pins-'));
  file = join(dir, 'pins.json');
});
afterEach(() => rm(dir, { recursive: true }));

describe('the pin list', () => {
  test('is on disk as soon as a pin is made', async () => {
    const pins = await PinSet.open(file);
    await pins.add({ cid: 'a', createdMs: 1, walk: 'none' });
    await pins.add({ cid: 'b', createdMs: 2, walk: 'links' });
    await pins.remove('a');
    expect((await PinSet.open(file)).list()).toEqual([{ cid: 'b', createdMs: 2, walk: 'links', holds: [OWN] }]);
    expect(await readdir(dir)).toEqual(['pins.json']);
  });

  test('loses none of many pins made at once', async () => {
    const pins = await PinSet.open(file);
    const names = Array.from({ length: 50 }, (_, i) => `cid${i}`);
    await Promise.all(names.map((cid) => pins.add({ cid, createdMs: 0, walk: 'none' })));
    expect((await PinSet.open(file)).list().map(({ cid }) => cid)).toEqual(names);
  });

  test('a pin with its links is not weakened by one without', async () => {
    const pins = await PinSet.open(file);
    await pins.add({ cid: 'a', createdMs: 1, walk: 'links' });
    await pins.add({ cid: 'a', createdMs: 2, walk: 'none' });
    expect(pins.list()).toEqual([{ cid: 'a', createdMs: 1, walk: 'links', holds: [OWN] }]);
  });

  test('a root stays until the last promise about it has ended, to the millisecond', async () => {
    const pins = await PinSet.open(file);
    const pin = { cid: 'a', createdMs: 1, walk: 'none' } as const;
    await pins.add(pin, { by: 'node:3', untilMs: 1_000, bytes: 5 });
    await pins.add(pin, { by: 'wallet:0x1', untilMs: 2_000, bytes: 5 });
    expect(await pins.expire(1_000)).toEqual([]);
    expect(pins.usage('node:3')).toEqual({ bytes: 5, roots: 1 });
    expect(await pins.expire(1_001)).toEqual([]);
    expect(pins.usage('node:3')).toEqual({ bytes: 0, roots: 0 });
    expect(await pins.expire(2_000)).toEqual([]);
    expect(await pins.expire(2_001)).toEqual(['a']);
    expect((await PinSet.open(file)).list()).toEqual([]);
  });

  test('a promise is not shortened by a later one, and what is kept for ever stays so', async () => {
    const pins = await PinSet.open(file);
    const pin = { cid: 'a', createdMs: 1, walk: 'none' } as const;
    await pins.add(pin, { by: 'node:3', untilMs: 2_000, bytes: 5 });
    await pins.add(pin, { by: 'node:3', untilMs: 1_000, bytes: 6 });
    await pins.add(pin);
    await pins.add(pin, { by: 'self', untilMs: 1_000, bytes: 0 });
    expect(pins.get('a')?.holds).toEqual([
      { by: 'node:3', untilMs: 2_000, bytes: 6 },
      { by: 'self', untilMs: null, bytes: 0 },
    ]);
  });

  test('pins of the first version are kept for ever', async () => {
    await writeFile(file, '{"version":1,"pins":[{"cid":"a","createdMs":1,"walk":"none"}]}');
    expect((await PinSet.open(file)).list()).toEqual([{ cid: 'a', createdMs: 1, walk: 'none', holds: [OWN] }]);
  });

  test.each(['', '{"version":1,"pins":[{"cid":5}]}', '{"version":3,"pins":[]}'])(
    'refuses to start from a damaged list: %s',
    async (text) => {
      await writeFile(file, text);
      await expect(PinSet.open(file)).rejects.toThrow(/is damaged; restore it/);
    },
  );
});

describe('collecting garbage', () => {
  const LATER = Date.now() + 1_000_000;
  let store: FileBlockstore;
  let pins: PinSet;
  let backend: LocalBackend;
  beforeEach(async () => {
    store = await FileBlockstore.open({ dir: join(dir, 'blocks') });
    pins = await PinSet.open(file);
    backend = new LocalBackend({ store, pins });
  });

  test('what two roots share outlives the promise about one of them', async () => {
    const shared = randomBytes(2 * MIB);
    const ending = new LocalBackend({ store, pins, keepUntilMs: () => LATER - 1 });
    const one = await ending.addFile(Buffer.concat([shared, randomBytes(10, 3)]));
    const two = await backend.addFile(Buffer.concat([shared, randomBytes(10, 2)]));
    // only its node and its last leaf: the others are shared
    expect(await collectGarbage({ store, pins }, { minAgeMs: 0, nowMs: LATER })).toMatchObject({ blocks: 2 });
    expect(pins.has(one.cid.toString())).toBe(false);
    expect(await count(backend.readFile(two.cid))).toBe(3);
  });

  test('removes what no pin reaches, also what two pins shared once both are gone', async () => {
    const shared = randomBytes(2 * MIB);
    const one = await backend.addFile(shared);
    const two = await backend.addFile(Buffer.concat([shared, randomBytes(10, 2)]));
    await pins.remove(one.cid.toString());
    expect(await collectGarbage({ store, pins }, { minAgeMs: 0, nowMs: LATER })).toMatchObject({ blocks: 1 });
    expect(await backend.has(one.cid)).toBe(false);
    expect(await count(backend.readFile(two.cid))).toBe(3);
    await pins.remove(two.cid.toString());
    expect((await collectGarbage({ store, pins }, { minAgeMs: 0, nowMs: LATER })).bytes).toBeGreaterThan(2 * MIB);
    expect(store.size).toEqual({ blocks: 0, bytes: 0 });
  });

  test('spares what is younger than the age given', async () => {
    const { cid } = await backend.addFile(randomBytes(10));
    await pins.remove(cid.toString());
    expect(await collectGarbage({ store, pins }, { minAgeMs: 60_000 })).toEqual({ blocks: 0, bytes: 0 });
  });

  test('keeps a manifest’s files only if it was pinned with its links', async () => {
    const { cid: output } = await backend.addFile(randomBytes(10));
    const { cid, bytes } = await encodeBlock({ outputs: [output] });
    await backend.putBlock(cid, bytes);
    await pins.remove(output.toString());
    await backend.pin(cid, { walk: 'links' });
    await collectGarbage({ store, pins }, { minAgeMs: 0, nowMs: LATER });
    expect(await backend.has(output)).toBe(true);

    await pins.remove(cid.toString());
    await backend.pin(cid);
    await collectGarbage({ store, pins }, { minAgeMs: 0, nowMs: LATER });
    expect(await backend.has(output)).toBe(false);
    expect(await backend.has(cid)).toBe(true);
    await expect(backend.pin(cid, { walk: 'links' })).rejects.toEqual(
      new MissingBlockError(cid.toString(), output.toString()),
    );
  });

  test('keeps what is left of a damaged pin', async () => {
    const { cid } = await backend.addFile(randomBytes(3 * MIB));
    const leaf = linksOf(cid, await store.get(cid))[0]!;
    await store.delete(leaf);
    expect(await collectGarbage({ store, pins }, { minAgeMs: 0, nowMs: LATER })).toEqual({ blocks: 0, bytes: 0 });
    expect(store.size.blocks).toBe(3);
  });

  test('waits for a pin being made, and the next pin waits for it', async () => {
    const order: string[] = [];
    let finish = (): void => {};
    const pinning = pins.together(async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      order.push('pin');
    });
    const collecting = pins.alone(async () => void order.push('collect'));
    const next = pins.together(async () => void order.push('next pin'));
    finish();
    await Promise.all([pinning, collecting, next]);
    expect(order).toEqual(['pin', 'collect', 'next pin']);
  });
});
