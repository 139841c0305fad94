import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { readAll } from '../src/storage/backend.ts';
import type { StorageBackend } from '../src/storage/backend.ts';
import { cidOfBlock, decodeBlock, encodeBlock } from '../src/storage/cid.ts';
import { FileTooBigError, HashMismatchError, InvalidCidError, NotFoundError } from '../src/storage/errors.ts';
import { cidByHand, collect, MIB, randomBytes } from '../src/storage/fixtures.ts';

/** A backend under test and how to be rid of it. */
export interface Subject {
  readonly backend: StorageBackend;
  readonly stop: () => Promise<void>;
}

/** Files of sizes around the edges of the profile. */
const FILES: [string, Uint8Array][] = [
  ['an empty file', new Uint8Array(0)],
  ['one byte', randomBytes(1)],
  ['exactly one chunk', randomBytes(MIB)],
  ['one byte more than a chunk', randomBytes(MIB + 1)],
  ['five chunks', randomBytes(5 * MIB)],
  ['equal chunks', new Uint8Array(3 * MIB)],
];

const ABSENT = 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e';

/** What every backend promises, whatever is behind it. */
export function describeBackend(name: string, start: () => Promise<Subject>): void {
  describe(`${name} as a storage backend`, () => {
    let subject: Subject;
    let backend: StorageBackend;
    beforeAll(async () => {
      subject = await start();
      backend = subject.backend;
    });
    afterAll(() => subject?.stop());

    test.each(FILES)('stores %s under the profile’s CID and reads it back', async (_what, bytes) => {
      const { cid, size } = await backend.addFile(bytes);
      expect({ cid: cid.toString(), size }).toEqual({ cid: cidByHand(bytes), size: bytes.length });
      expect(Buffer.compare(await readAll(backend, cid, bytes.length), bytes)).toBe(0);
      expect(await backend.has(cid)).toBe(true);
      await backend.pin(cid);
    });

    test('has nothing it was not given', async () => {
      expect(await backend.has(ABSENT)).toBe(false);
      await expect(readAll(backend, ABSENT, 100)).rejects.toBeInstanceOf(NotFoundError);
      await expect(backend.getBlock(ABSENT)).rejects.toBeInstanceOf(NotFoundError);
    });

    test('gives “hello world” the CID that all of IPFS gives it', async () => {
      const { cid } = await backend.addFile(new TextEncoder().encode('hello world'));
      expect(cid.toString()).toBe(ABSENT);
    });

    test.each([
      [0, 10],
      [MIB - 3, 6],
      [2 * MIB, MIB],
      [5 * MIB - 1, 100],
      [5 * MIB, 1],
      [9 * MIB, undefined],
      [MIB + 7, undefined],
      [3, 0],
    ])('reads from byte %i at most %s bytes', async (offset, length) => {
      const bytes = randomBytes(5 * MIB);
      const { cid } = await backend.addFile(bytes);
      const parts = await collect(backend.readFile(cid, { offset, length }));
      const expected = bytes.subarray(offset, length === undefined ? undefined : offset + length);
      expect(Buffer.compare(Buffer.concat(parts), expected)).toBe(0);
    });

    test('stops a read that is larger than allowed before any data', async () => {
      const { cid } = await backend.addFile(randomBytes(2 * MIB));
      await expect(readAll(backend, cid, 2 * MIB - 1)).rejects.toBeInstanceOf(FileTooBigError);
      expect((await readAll(backend, cid, 2 * MIB)).length).toBe(2 * MIB);
    });

    test('keeps a structured block and gives back the same bytes', async () => {
      const { cid: link } = await backend.addFile(randomBytes(10));
      const { cid, bytes } = await encodeBlock({ version: 1, name: 'spec', link });
      await backend.putBlock(cid, bytes);
      expect(decodeBlock(await backend.getBlock(cid))).toEqual({ version: 1, name: 'spec', link });
      await backend.pin(cid, { walk: 'links' });
    });

    test('refuses a block under a CID that is not its own', async () => {
      const cid = await cidOfBlock(randomBytes(10, 2), 'raw');
      await expect(backend.putBlock(cid, randomBytes(10, 3))).rejects.toBeInstanceOf(HashMismatchError);
      expect(await backend.has(cid)).toBe(false);
    });

    test('refuses what is no CID', async () => {
      await expect(backend.getBlock('hello')).rejects.toBeInstanceOf(InvalidCidError);
    });

    test('ends an upload whose source hangs when it is told to', async () => {
      const stop = new AbortController();
      async function* hanging(): AsyncGenerator<Uint8Array> {
        yield randomBytes(10);
        stop.abort(new Error('enough'));
        await new Promise(() => {});
      }
      await expect(backend.addFile(hanging(), { signal: stop.signal })).rejects.toThrow('enough');
    });

    test('ends a download when it is told to', async () => {
      const { cid } = await backend.addFile(randomBytes(5 * MIB));
      const stop = new AbortController();
      const read = async (): Promise<void> => {
        for await (const part of backend.readFile(cid, { signal: stop.signal })) {
          expect(part.length).toBe(MIB);
          stop.abort(new Error('enough'));
        }
      };
      await expect(read()).rejects.toThrow('enough');
    });

    test('brings any bytes through, however they are cut', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: 3 * MIB }),
          fc.array(fc.integer({ min: 1, max: MIB + 3 }), { minLength: 1, maxLength: 6 }),
          fc.integer({ min: 1, max: 1000 }),
          async (size, cuts, seed) => {
            const bytes = randomBytes(size, seed);
            async function* source(): AsyncGenerator<Uint8Array> {
              for (let at = 0, i = 0; at < size; i++) {
                const next = at + cuts[i % cuts.length]!;
                yield bytes.subarray(at, next);
                at = next;
              }
            }
            // tiny cuts of big files would only test patience
            fc.pre(size / Math.min(...cuts) < 5000);
            const { cid } = await backend.addFile(source());
            expect(cid.toString()).toBe(cidByHand(bytes));
            expect(Buffer.compare(await readAll(backend, cid, size), bytes)).toBe(0);
          },
        ),
        { numRuns: 15 },
      );
    });
  });
}
