import * as dagPb from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import type { CID } from 'multiformats/cid';
import { describe, expect, test } from 'vitest';
import { cidByHand, MIB, randomBytes } from './fixtures.ts';
import { cidOfBlock, encodeBlock } from './cid.ts';
import { MalformedBlockError, NotAFileError, NotFoundError } from './errors.ts';
import { cutFile, walkFile } from './unixfs.ts';

/** Blocks in memory. */
class Shelf {
  readonly blocks = new Map<string, Uint8Array>();
  readonly reads: string[] = [];

  read = async (cid: CID): Promise<Uint8Array> => {
    this.reads.push(cid.toString());
    const bytes = this.blocks.get(cid.toString());
    if (!bytes) throw new NotFoundError(cid.toString());
    return bytes;
  };

  async node(type: 'file' | 'raw' | 'directory', children: [CID, number][], data?: Uint8Array): Promise<CID> {
    const unixfs = new UnixFS({ type, ...(data && { data }), blockSizes: children.map(([, size]) => BigInt(size)) });
    const links = children.map(([cid, size]) => ({ Hash: cid as never, Name: '', Tsize: size }));
    return this.keep('dag-pb', dagPb.encode({ Data: unixfs.marshal(), Links: links }));
  }

  async keep(codec: 'raw' | 'dag-pb' | 'dag-cbor', bytes: Uint8Array): Promise<CID> {
    const cid = await cidOfBlock(bytes, codec);
    this.blocks.set(cid.toString(), bytes);
    return cid;
  }

  async text(root: CID, from?: number, to?: number): Promise<string> {
    const parts: Uint8Array[] = [];
    for await (const { data } of walkFile(root, this.read, { ...(from && { from }), ...(to && { to }) }))
      parts.push(data);
    return Buffer.concat(parts).toString();
  }
}

const raw = (shelf: Shelf, text: string): Promise<CID> => shelf.keep('raw', Buffer.from(text));

describe('cutting a file', () => {
  test.each([0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 5])('%i bytes have the CID made by hand', async (size) => {
    const bytes = randomBytes(size);
    const shelf = new Shelf();
    const file = await cutFile(bytes, async (block) => void shelf.blocks.set(block.cid.toString(), block.bytes));
    expect({ cid: file.cid.toString(), size: file.size }).toEqual({ cid: cidByHand(bytes), size });
    const leaves = Math.max(1, Math.ceil(size / MIB));
    expect(shelf.blocks.size).toBe(leaves === 1 ? 1 : leaves + 1);
  });

  test('a Blob and a function are sources too', async () => {
    const bytes = randomBytes(MIB + 9);
    const blob = await cutFile(new Blob([bytes as Uint8Array<ArrayBuffer>]), async () => {});
    const repeated = await cutFile(
      async function* () {
        yield bytes;
      },
      async () => {},
    );
    expect([blob, repeated].map(({ cid }) => cid.toString())).toEqual([cidByHand(bytes), cidByHand(bytes)]);
  });

  test('an error of the sink ends it', async () => {
    const full = new Error('disk full');
    await expect(cutFile(randomBytes(20 * MIB), () => Promise.reject(full))).rejects.toBe(full);
  });
});

describe('walking a file', () => {
  test('two levels, and parts of them', async () => {
    const shelf = new Shelf();
    const left = await shelf.node('file', [
      [await raw(shelf, 'abc'), 3],
      [await raw(shelf, 'de'), 2],
    ]);
    const root = await shelf.node('file', [
      [left, 5],
      [await raw(shelf, 'fghi'), 4],
    ]);
    expect(await shelf.text(root)).toBe('abcdefghi');
    expect(await shelf.text(root, 4, 7)).toBe('efg');
    expect(await shelf.text(root, 9)).toBe('');
  });

  test('reads only the blocks of the range', async () => {
    const shelf = new Shelf();
    const leaves = await Promise.all(['aa', 'bb', 'cc', 'dd'].map((text) => raw(shelf, text)));
    const root = await shelf.node(
      'file',
      leaves.map((cid): [CID, number] => [cid, 2]),
    );
    expect(await shelf.text(root, 3, 5)).toBe('bc');
    expect(shelf.reads).toEqual([root, leaves[1], leaves[2]].map(String));
  });

  test('old files with data in their nodes', async () => {
    const shelf = new Shelf();
    const leaf = await shelf.node('raw', [], Buffer.from('lo wo'));
    const root = await shelf.node(
      'file',
      [
        [leaf, 5],
        [await raw(shelf, 'rld'), 3],
      ],
      Buffer.from('hel'),
    );
    expect(await shelf.text(root, 1, 10)).toBe('ello worl');
  });

  test('a leaf that is not as large as its parent says', async () => {
    const shelf = new Shelf();
    const root = await shelf.node('file', [[await raw(shelf, 'abc'), 4]]);
    await expect(shelf.text(root)).rejects.toThrow(/has 3 bytes, its parent says 4/);
  });

  test('children without bytes cannot make it endless', async () => {
    const shelf = new Shelf();
    const root = await shelf.node('file', [[await raw(shelf, ''), 0]]);
    await expect(shelf.text(root)).rejects.toBeInstanceOf(NotAFileError);
  });

  test('a tree that is too deep', async () => {
    const shelf = new Shelf();
    let node = await raw(shelf, 'x');
    for (let i = 0; i < 12; i++) node = await shelf.node('file', [[node, 1]]);
    expect(await shelf.text(node)).toBe('x');
    node = await shelf.node('file', [[node, 1]]);
    await expect(shelf.text(node)).rejects.toThrow(/over 12 deep/);
  });

  test('what is no file', async () => {
    const shelf = new Shelf();
    const directory = await shelf.node('directory', []);
    const { cid, bytes } = await encodeBlock({ version: 1 });
    shelf.blocks.set(cid.toString(), bytes);
    const plain = await shelf.keep('dag-pb', dagPb.encode({ Links: [] }));
    const garbage = await shelf.keep('dag-pb', Buffer.from('garbage'));
    await expect(shelf.text(directory)).rejects.toThrow(/it is a directory/);
    await expect(shelf.text(cid)).rejects.toThrow(/structured data/);
    await expect(shelf.text(plain)).rejects.toThrow(/not UnixFS/);
    await expect(shelf.text(garbage)).rejects.toBeInstanceOf(MalformedBlockError);
  });

  test('a missing leaf', async () => {
    const shelf = new Shelf();
    const leaf = await raw(shelf, 'abc');
    const root = await shelf.node('file', [[leaf, 3]]);
    shelf.blocks.delete(leaf.toString());
    await expect(shelf.text(root)).rejects.toEqual(new NotFoundError(leaf.toString()));
  });
});
