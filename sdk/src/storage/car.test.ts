import { CarReader, CarWriter } from '@ipld/car';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from './bytes.ts';
import { carHeader, carSectionHead, readCar } from './car.ts';
import type { Block } from './car.ts';
import { cidOfBlock, MAX_BLOCK_BYTES } from './cid.ts';
import { BlockTooBigError, MalformedCarError } from './errors.ts';

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function block(bytes: Uint8Array): Promise<Block> {
  return { cid: await cidOfBlock(bytes, 'raw'), bytes };
}

function car(blocks: Block[]): Uint8Array {
  return concat([
    carHeader(blocks.slice(0, 1).map((b) => b.cid)),
    ...blocks.flatMap((b) => [carSectionHead(b), b.bytes]),
  ]);
}

async function read(bytes: Uint8Array, cutSize = 1000): Promise<Block[]> {
  const out: Block[] = [];
  for await (const item of (await readCar(cut(bytes, cutSize))).blocks) out.push(item);
  return out;
}

const SOME = await Promise.all([new Uint8Array(0), new Uint8Array(200).fill(7), new Uint8Array(70_000)].map(block));

describe('CAR streams', () => {
  test('the reference library reads what we write', async () => {
    const reader = await CarReader.fromBytes(car(SOME));
    expect((await reader.getRoots()).map(String)).toEqual([SOME[0]!.cid.toString()]);
    for (const { cid, bytes } of SOME) expect((await reader.get(cid as never))!.bytes).toEqual(bytes);
  });

  test('we read what the reference library writes', async () => {
    const { writer, out } = CarWriter.create([SOME[1]!.cid as never]);
    const parts: Uint8Array[] = [];
    const reading = (async (): Promise<void> => {
      for await (const part of out) parts.push(part);
    })();
    for (const { cid, bytes } of SOME) await writer.put({ cid: cid as never, bytes });
    await writer.close();
    await reading;
    const { roots, blocks } = await readCar(cut(concat(parts), 333));
    expect(roots.map(String)).toEqual([SOME[1]!.cid.toString()]);
    const got: string[] = [];
    for await (const { cid } of blocks) got.push(cid.toString());
    expect(got).toEqual(SOME.map(({ cid }) => cid.toString()));
  });

  test('blocks come through whatever the chunks of the stream', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }),
        fc.integer({ min: 1, max: 400 }),
        async (contents, size) => {
          const blocks = await Promise.all(contents.map(block));
          expect((await read(car(blocks), size)).map(({ bytes }) => [...bytes])).toEqual(contents.map((b) => [...b]));
        },
      ),
    );
  });

  test('every cut of a CAR but the ones between blocks is an error', async () => {
    const whole = car(SOME.slice(0, 2));
    const clean = [carHeader([SOME[0]!.cid]).length, car(SOME.slice(0, 1)).length];
    for (let length = 0; length < whole.length; length++) {
      if (clean.includes(length)) await expect(read(whole.subarray(0, length))).resolves.toBeDefined();
      else await expect(read(whole.subarray(0, length)), `cut at ${length}`).rejects.toBeInstanceOf(MalformedCarError);
    }
  });

  test.each([
    ['a header of a gigabyte', Uint8Array.of(0x80, 0x80, 0x80, 0x80, 4)],
    ['a length without end', new Uint8Array(20).fill(0x80)],
    ['a section of length zero', concat([carHeader([]), Uint8Array.of(0)])],
    ['version 2', Uint8Array.of(10, 0xa1, 0x67, ...new TextEncoder().encode('version'), 2)],
    ['a header that is a number', Uint8Array.of(1, 5)],
    ['a header without roots', Uint8Array.of(10, 0xa1, 0x67, ...new TextEncoder().encode('version'), 1)],
    ['text', new TextEncoder().encode('<html>not found</html>'.repeat(5))],
    ['a section without a CID', concat([carHeader([]), Uint8Array.of(3, 9, 9, 9)])],
  ])('refuses %s', async (_what, bytes) => {
    await expect(read(bytes)).rejects.toBeInstanceOf(MalformedCarError);
  });

  test('refuses a section over the limit before buffering it', async () => {
    let pulled = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield carHeader([]);
      // announces 1 TiB
      yield Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x20);
      for (;;) {
        pulled += 1;
        yield new Uint8Array(1024);
      }
    }
    const { blocks } = await readCar(endless());
    await expect(blocks.next()).rejects.toBeInstanceOf(BlockTooBigError);
    expect(pulled).toBe(0);
  });

  test('takes a block of exactly 2 MiB and refuses one byte more', async () => {
    const most = await block(new Uint8Array(MAX_BLOCK_BYTES));
    expect(await read(car([most]), 65_536)).toHaveLength(1);
    const over = { cid: most.cid, bytes: new Uint8Array(MAX_BLOCK_BYTES + 1) };
    await expect(read(car([over]), 65_536)).rejects.toEqual(new BlockTooBigError(MAX_BLOCK_BYTES + 1, MAX_BLOCK_BYTES));
  });

  test('closes its source when the reader leaves', async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* cut(car(SOME), 10);
      } finally {
        closed = true;
      }
    }
    const { blocks } = await readCar(source());
    await blocks.next();
    await blocks.return();
    expect(closed).toBe(true);
  });
});
