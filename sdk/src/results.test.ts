import type { CID } from 'multiformats/cid';
import { keccak256, sha256, toHex, zeroHash, type Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import { explain } from './errors.ts';
import type { HistoryLease, JobHistory } from './history.ts';
import { encodeManifest, rootOf, unitsOf } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import {
  downloadJob,
  downloadShard,
  HashMismatch,
  ManifestMismatch,
  MissingData,
  OutputTooBig,
  ResultNotPublic,
  RootMismatch,
  verifyLease,
} from './results.ts';
import type { StorageBackend } from './storage/backend.ts';
import { digestToCid, type CidLike } from './storage/cid.ts';
import { FileTooBigError, NotFoundError } from './storage/errors.ts';
import { TERMS } from './testing.ts';

const ID = keccak256(toHex('job'));

/** Storage in memory that hands out whatever a test puts there, honest or not. */
class Memory implements StorageBackend {
  readonly blocks = new Map<string, Uint8Array>();
  readonly read: string[] = [];
  /** Signal of the last file that was asked for. */
  signal: AbortSignal | undefined;

  addFile(): never {
    throw new Error('not used');
  }
  async *readFile(
    cid: CidLike,
    { maxBytes = Infinity, signal }: { maxBytes?: number; signal?: AbortSignal } = {},
  ): AsyncGenerator<Uint8Array> {
    this.signal = signal;
    signal?.throwIfAborted();
    const bytes = this.#find(cid);
    if (bytes.length > maxBytes) throw new FileTooBigError(cid.toString(), bytes.length, maxBytes);
    // In two pieces, as it comes from a network.
    yield bytes.slice(0, 3);
    yield bytes.slice(3);
  }
  putBlock(cid: CidLike, bytes: Uint8Array): Promise<void> {
    this.blocks.set(cid.toString(), bytes);
    return Promise.resolve();
  }
  getBlock(cid: CidLike): Promise<Uint8Array> {
    return Promise.resolve().then(() => this.#find(cid));
  }
  has(): Promise<boolean> {
    return Promise.resolve(true);
  }
  pin(): Promise<void> {
    return Promise.resolve();
  }
  #find(cid: CidLike): Uint8Array {
    this.read.push(cid.toString());
    const bytes = this.blocks.get(cid.toString());
    if (!bytes) throw new NotFoundError(cid.toString());
    return bytes;
  }
}

const output = (shard: number): Uint8Array => new TextEncoder().encode(`output ${shard}`);
const cidOf = (bytes: Uint8Array): CID => digestToCid(sha256(bytes), 'raw');

/** A lease of `count` shards whose manifest and outputs are in `storage`; `lie` changes the manifest after the chain saw it. */
async function lease(storage: Memory, first: number, count: number, lie: (manifest: Manifest) => Manifest = (m) => m) {
  const honest: Manifest = {
    version: 1,
    job: ID,
    first,
    node: 4,
    shards: Array.from({ length: count }, (_, index) => {
      const bytes = output(first + index);
      return { shard: first + index, hash: sha256(bytes), cid: cidOf(bytes), size: bytes.length, units: 2n };
    }),
  };
  for (const { shard } of honest.shards) await storage.putBlock(cidOf(output(shard)), output(shard));
  const manifest = lie(honest);
  const block = encodeManifest(manifest);
  await storage.putBlock(block.cid, block.bytes);
  const held: HistoryLease = {
    lease: {
      first,
      count,
      node: 4,
      price: 1n,
      bonus: 0n,
      deadline: 1,
      flags: 0,
      commitment: zeroHash,
      committedBlock: 0,
    },
    state: 'revealed',
    at: 1,
    bond: 0n,
    takenOver: false,
    result: { root: rootOf(honest), units: unitsOf(honest), manifest: block.digest },
    transactions: {},
  };
  return { held, manifest, cid: block.cid };
}

const failing = (act: Promise<unknown>): Promise<unknown> =>
  act.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a lease', () => {
  test('is verified when its manifest agrees with the chain', async () => {
    const storage = new Memory();
    const { held, manifest } = await lease(storage, 2, 3);
    expect(await verifyLease({ id: ID }, held, storage)).toEqual({ lease: held, manifest });
  });

  test.each<[string, (manifest: Manifest) => Manifest, string]>([
    ['another job', (m) => ({ ...m, job: zeroHash }), `its job is ${zeroHash} instead of ${ID}`],
    [
      'another range',
      (m) => ({ ...m, first: 3, shards: m.shards.map((s) => ({ ...s, shard: s.shard + 1 })) }),
      'its first shard is 3 instead of 2',
    ],
    ['fewer shards', (m) => ({ ...m, shards: m.shards.slice(0, 2) }), 'its number of shards is 2 instead of 3'],
    ['another node', (m) => ({ ...m, node: 5 }), 'its node is 5 instead of 4'],
    [
      'more units',
      (m) => ({ ...m, shards: m.shards.map((s) => ({ ...s, units: 3n })) }),
      'its sum of units is 9 instead of 6',
    ],
  ])('is refused when its manifest tells of %s', async (_what, lie, text) => {
    const storage = new Memory();
    const { held } = await lease(storage, 2, 3, lie);
    const error = await failing(verifyLease({ id: ID }, held, storage));
    expect(error).toBeInstanceOf(ManifestMismatch);
    expect((error as Error).message).toBe(
      `The manifest does not belong to this lease: ${text}. Do not accept the result.`,
    );
  });

  test('is refused when its shards do not make the root on chain', async () => {
    const storage = new Memory();
    const { held, manifest } = await lease(storage, 2, 3, (m) => ({
      ...m,
      shards: m.shards.map((s, i) => ({ ...s, hash: m.shards[(i + 1) % 3]!.hash })),
    }));
    const error = await failing(verifyLease({ id: ID }, held, storage));
    expect(error).toEqual(new RootMismatch(held.result!.root, rootOf(manifest)));
  });

  test('is refused when the block is another, whatever the backend says', async () => {
    const storage = new Memory();
    const { held, cid } = await lease(storage, 2, 3);
    await storage.putBlock(cid, output(1));
    const error = await failing(verifyLease({ id: ID }, held, storage));
    expect(error).toEqual(new HashMismatch('manifest', held.result!.manifest, sha256(output(1))));
  });

  test('is refused when the block is no manifest', async () => {
    const storage = new Memory();
    const { held } = await lease(storage, 2, 3);
    const digest = sha256(output(1));
    await storage.putBlock(digestToCid(digest, 'dag-cbor'), output(1));
    const result = { ...held.result!, manifest: digest };
    const error = await failing(verifyLease({ id: ID }, { ...held, result }, storage));
    expect(error).toBeInstanceOf(ManifestMismatch);
    expect((error as ManifestMismatch).context['field']).toBe('form');
  });

  test('says that its manifest is missing, which may pass', async () => {
    const storage = new Memory();
    const { held, cid } = await lease(storage, 2, 3);
    storage.blocks.clear();
    const error = await failing(verifyLease({ id: ID }, held, storage));
    expect(error).toEqual(new MissingData('manifest', cid.toString(), new NotFoundError(cid.toString())));
    expect(explain(error)).toMatchObject({ name: 'MissingData', retryable: true });
  });

  test('without a public result cannot be verified yet', async () => {
    const { held } = await lease(new Memory(), 2, 3);
    delete held.result;
    expect(await failing(verifyLease({ id: ID }, held, new Memory()))).toEqual(new ResultNotPublic(ID, 2));
  });
});

describe('a shard', () => {
  test('is downloaded whole and checked', async () => {
    const storage = new Memory();
    const verified = await lease(storage, 2, 3);
    const { bytes, shard, hash } = await downloadShard(verified, 3, storage);
    expect([shard, hash]).toEqual([3, sha256(output(3))]);
    expect(bytes).toEqual(output(3));
  });

  test('is refused when it is not what the manifest says', async () => {
    const storage = new Memory();
    const verified = await lease(storage, 2, 3);
    await storage.putBlock(cidOf(output(3)), output(4));
    const mismatch = new HashMismatch('output of shard 3', sha256(output(3)), sha256(output(4)));
    expect(await failing(downloadShard(verified, 3, storage))).toEqual(mismatch);
    await storage.putBlock(cidOf(output(3)), output(333));
    const error = await failing(downloadShard(verified, 3, storage));
    expect(error).toBeInstanceOf(ManifestMismatch);
    expect((error as ManifestMismatch).context).toEqual({ field: 'size of shard 3', expected: 10, actual: 8 });
  });

  test('is refused when the manifest lies about its size', async () => {
    const storage = new Memory();
    const larger = (m: Manifest): Manifest => ({ ...m, shards: m.shards.map((s) => ({ ...s, size: 9 })) });
    const verified = await lease(storage, 2, 3, larger);
    const error = await failing(downloadShard(verified, 3, storage));
    expect(error).toEqual(new ManifestMismatch('size of shard 3', 8, 9));
  });

  test('is not fetched when it is larger than the caller allows, or not of the lease', async () => {
    const storage = new Memory();
    const verified = await lease(storage, 2, 3);
    expect(await failing(downloadShard(verified, 3, storage, { maxBytes: 7 }))).toEqual(new OutputTooBig(3, 8, 7));
    expect(await failing(downloadShard(verified, 5, storage))).toEqual(
      new RangeError('Shard 5 is not among 2 to 4 of this lease.'),
    );
    expect(storage.read).toEqual([]);
  });

  test('says that it is missing', async () => {
    const storage = new Memory();
    const verified = await lease(storage, 2, 3);
    storage.blocks.delete(cidOf(output(3)).toString());
    expect(await failing(downloadShard(verified, 3, storage))).toBeInstanceOf(MissingData);
  });
});

describe('a job', () => {
  async function job(storage: Memory): Promise<Pick<JobHistory, 'id' | 'terms' | 'leases' | 'panels'>> {
    const leases = [await lease(storage, 0, 3), await lease(storage, 3, 1), await lease(storage, 4, 4)];
    return { id: ID as Hex, terms: TERMS, leases: leases.map(({ held }) => held), panels: [] };
  }

  test('streams its outputs in the order of the shards', async () => {
    const storage = new Memory();
    const seen: [number, string][] = [];
    for await (const { shard, bytes } of downloadJob(await job(storage), storage)) {
      seen.push([shard, new TextDecoder().decode(bytes)]);
    }
    expect(seen).toEqual(Array.from({ length: 8 }, (_, shard) => [shard, `output ${shard}`]));
  });

  test('gives every output before the bad one and none after it', async () => {
    const storage = new Memory();
    const history = await job(storage);
    await storage.putBlock(cidOf(output(4)), output(5));
    const seen: number[] = [];
    const error = await failing(
      (async () => {
        for await (const { shard } of downloadJob(history, storage)) seen.push(shard);
      })(),
    );
    expect(error).toBeInstanceOf(HashMismatch);
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  test('is not begun when a shard has no public result', async () => {
    const storage = new Memory();
    const history = await job(storage);
    const next = (leases: HistoryLease[]): Promise<unknown> =>
      failing(downloadJob({ ...history, leases }, storage).next());
    expect(await next(history.leases.slice(0, 2))).toEqual(new ResultNotPublic(ID, 4));
    expect(await next(history.leases.slice(1))).toEqual(new ResultNotPublic(ID, 0));
    const hidden = { ...history.leases[1]! };
    delete hidden.result;
    expect(await next([history.leases[0]!, hidden, history.leases[2]!])).toEqual(new ResultNotPublic(ID, 3));
    expect(storage.read).toEqual([]);
  });

  test('stops its downloads when the reader stops', async () => {
    const storage = new Memory();
    const history = await job(storage);
    for await (const { shard } of downloadJob(history, storage)) if (shard === 1) break;
    // Shard 2 was being fetched ahead, and nothing after it.
    expect(storage.signal?.aborted).toBe(true);
    expect(storage.read.at(-1)).toBe(cidOf(output(2)).toString());
  });
});
