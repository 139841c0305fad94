import { encodeManifest, rootOf, unitsOf, type Manifest } from '@dpu/sdk/manifest';
import type { HistoryLease } from '@dpu/sdk/history';
import { NotFoundError } from '@dpu/sdk/storage/errors';
import { createHash } from 'node:crypto';
import type { CID } from 'multiformats/cid';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';

import type { Storage } from '../storage/storage.ts';
import { plainRunes } from '../testing.ts';
import type * as Module from './verifier.svelte.ts';

let Verifier: typeof Module.Verifier;
beforeAll(async () => {
  plainRunes();
  ({ Verifier } = await import('./verifier.svelte.ts'));
});

const ID = `0x${'12'.repeat(32)}` as const;
const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1, 2, 3);
const TEXT = new TextEncoder().encode('<svg onload="alert(1)"/>');

const digestOf = (bytes: Uint8Array): `0x${string}` => `0x${createHash('sha256').update(bytes).digest('hex')}`;

/** CIDv1, raw, sha2-256, in base32: what a file of one block has. */
async function cidOf(bytes: Uint8Array): Promise<CID> {
  const { cidOfBlock } = await import('@dpu/sdk/storage/cid');
  return cidOfBlock(bytes, 'raw');
}

/** A revealed lease of two shards, its data in a storage that may be told to lose or to change it. */
async function setup(outputs: Uint8Array[] = [PNG, TEXT]) {
  const manifest: Manifest = {
    version: 1,
    job: ID,
    first: 4,
    node: 3,
    shards: await Promise.all(
      outputs.map(async (bytes, index) => ({
        shard: 4 + index,
        hash: digestOf(bytes),
        cid: await cidOf(bytes),
        size: bytes.length,
        units: 2n,
      })),
    ),
  };
  const block = encodeManifest(manifest);
  const blocks = new Map<string, Uint8Array>([[block.cid.toString(), block.bytes]]);
  for (const [index, { cid }] of manifest.shards.entries()) blocks.set(cid.toString(), outputs[index] ?? PNG);
  const find = (cid: CID | string): Uint8Array => {
    const bytes = blocks.get(cid.toString());
    if (!bytes) throw new NotFoundError(cid.toString());
    return bytes;
  };
  const backend = {
    getBlock: (cid: CID | string) => Promise.resolve().then(() => find(cid)),
    async *readFile(cid: CID | string) {
      yield find(cid);
    },
  };
  const lease = {
    lease: { first: 4, count: 2, node: 3 },
    state: 'revealed',
    result: { root: rootOf(manifest), units: unitsOf(manifest), manifest: block.digest },
  } as HistoryLease;
  const verifier = new Verifier(ID, {
    storage: () => Promise.resolve({ backend } as unknown as Storage),
    preview: () => true,
    retryMs: 1,
  });
  running.push(verifier);
  return { verifier, lease, blocks, manifest, block };
}

const running: { stop(): void }[] = [];
afterEach(() => {
  for (const verifier of running.splice(0)) verifier.stop();
});

test('shows what agrees with the chain, and nothing but pictures as pictures', async () => {
  const { verifier, lease } = await setup();
  const made: string[] = [];
  vi.stubGlobal('URL', Object.assign(URL, { createObjectURL: (blob: Blob) => `blob:${made.push(blob.type)}` }));
  verifier.follow([lease]);
  expect(verifier.seal(4)?.status).toBe('checking');
  await expect.poll(() => verifier.output(5)?.status).toBe('verified');
  expect(verifier.seal(4)?.status).toBe('verified');
  expect(verifier.output(4)).toMatchObject({ status: 'verified', size: 7, units: 2n, hash: digestOf(PNG) });
  expect(made).toEqual(['image/png', 'application/octet-stream']);
  expect(verifier.counts).toEqual({ checking: 0, verified: 1, missing: 0, mismatch: 0 });
});

test('a root that is not on chain is a mismatch, and no output is fetched', async () => {
  const { verifier, lease } = await setup();
  const root = `0x${'99'.repeat(32)}` as const;
  verifier.follow([{ ...lease, result: { ...lease.result!, root } }]);
  await expect.poll(() => verifier.seal(4)?.status).toBe('mismatch');
  expect(verifier.output(4)).toBeUndefined();
});

test('bytes that do not hash to the manifest are a mismatch without a picture', async () => {
  const { verifier, lease, blocks, manifest } = await setup();
  const shard = manifest.shards[0];
  if (shard) blocks.set(shard.cid.toString(), Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 9, 9, 9));
  verifier.follow([lease]);
  await expect.poll(() => verifier.output(4)?.status).toBe('mismatch');
  expect(verifier.output(4)?.url).toBeUndefined();
});

test('data that nobody has is asked for again until it is there', async () => {
  const { verifier, lease, blocks, block } = await setup();
  blocks.delete(block.cid.toString());
  verifier.follow([lease]);
  await expect.poll(() => verifier.seal(4)?.status).toBe('missing');
  blocks.set(block.cid.toString(), block.bytes);
  await expect.poll(() => verifier.seal(4)?.status).toBe('verified');
});

test('a result is checked once, and again when another one takes its place', async () => {
  const { verifier, lease } = await setup();
  verifier.follow([lease]);
  await expect.poll(() => verifier.seal(4)?.status).toBe('verified');
  verifier.follow([lease]);
  expect(verifier.seal(4)?.status).toBe('verified');
  verifier.follow([{ ...lease, result: { ...lease.result!, manifest: digestOf(PNG) } }]);
  expect(verifier.seal(4)?.status).toBe('checking');
});
