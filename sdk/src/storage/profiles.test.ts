/** The CIDs that Kubo's own tests publish for both profiles of IPIP-499 (ipfs/kubo, test/cli/cid_profiles_test.go), made and read by this code. */
import { createCipheriv, createHash } from 'node:crypto';
import { importByteStream } from 'ipfs-unixfs-importer';
import type { CID } from 'multiformats/cid';
import { describe, expect, test } from 'vitest';
import { MIB } from './fixtures.ts';
import { cutFile, walkFile } from './unixfs.ts';

const KIB = 1024;
/** A gibibyte takes half a minute on a busy machine, so the two largest vectors run with DPU_DEEP=1 only. */
const DEEP = process.env['DPU_DEEP'] === '1';

/** The bytes of Kubo's tests: ChaCha20's key stream under sha2-256 of the seed, with a nonce of zeros. */
async function* kuboBytes(size: number, seed: string): AsyncGenerator<Uint8Array> {
  const cipher = createCipheriv('chacha20', createHash('sha256').update(seed).digest(), Buffer.alloc(16));
  for (let left = size; left > 0; left -= MIB) yield cipher.update(Buffer.alloc(Math.min(MIB, left)));
}

async function* text(words: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(words);
}

const hello = (): AsyncGenerator<Uint8Array> => text('hello world');

describe('unixfs-v1-2025, the profile of this network', () => {
  const cidOf = async (source: () => AsyncGenerator<Uint8Array>): Promise<string> =>
    (await cutFile(source, async () => {})).cid.toString();

  test.each<[string, () => AsyncGenerator<Uint8Array>, string]>([
    ['a small file', hello, 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'],
    ['one chunk', () => kuboBytes(MIB, 'chunk-v1-seed'), 'bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta'],
    [
      'a byte more',
      () => kuboBytes(MIB + 1, 'chunk-v1-seed'),
      'bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64',
    ],
  ])('%s', async (_what, source, cid) => {
    expect(await cidOf(source)).toBe(cid);
  });

  test.skipIf(!DEEP).each([
    ['1024 links', 1024 * MIB, 'bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm'],
    ['a byte more than 1024 links', 1024 * MIB + 1, 'bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe'],
  ])('%s', { timeout: 300_000 }, async (_what, size, cid) => {
    expect(await cidOf(() => kuboBytes(size, 'v1-2025-seed'))).toBe(cid);
  });
});

describe('unixfs-v0-2015, which files of public IPFS mostly have', () => {
  test.each<[string, () => AsyncGenerator<Uint8Array>, string]>([
    ['a small file', hello, 'Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD'],
    ['one chunk', () => kuboBytes(256 * KIB, 'chunk-v0-seed'), 'QmWmRj3dFDZdb6ABvbmKhEL6TmPbAfBZ1t5BxsEyJrcZhE'],
    ['a byte more', () => kuboBytes(256 * KIB + 1, 'chunk-v0-seed'), 'QmYyLxtzZyW22zpoVAtKANLRHpDjZtNeDjQdJrcQNWoRkJ'],
    ['174 links', () => kuboBytes(174 * 256 * KIB, 'v0-seed'), 'QmUbBALi174SnogsUzLpYbD4xPiBSFANF4iztWCsHbMKh2'],
    [
      'a byte more than 174 links',
      () => kuboBytes(174 * 256 * KIB + 1, 'v0-seed'),
      'QmV81WL765sC8DXsRhE5fJv2rwhS4icHRaf3J9Zk5FdRnW',
    ],
  ])('%s, read back whole', async (_what, source, expected) => {
    const blocks = new Map<string, Uint8Array>();
    const sink = {
      put: async (cid: CID, bytes: unknown): Promise<CID> => {
        blocks.set(cid.toString(), bytes as Uint8Array);
        return cid;
      },
    };
    const { cid } = await importByteStream(source(), sink, { profile: 'unixfs-v0-2015' });
    expect(cid.toString()).toBe(expected);
    const [sent, read] = [createHash('sha256'), createHash('sha256')];
    for await (const chunk of source()) sent.update(chunk);
    for await (const { data } of walkFile(cid, async (block) => blocks.get(block.toString())!)) read.update(data);
    expect(read.digest('hex')).toBe(sent.digest('hex'));
  });
});
