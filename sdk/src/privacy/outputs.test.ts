import { sha256 } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';

import { decodeManifest, encodeManifest, type Manifest } from '../manifest.ts';
import { downloadShard, HashMismatch, ManifestMismatch, MissingData, OutputTooBig, ResultSealed } from '../results.ts';
import type { StorageBackend } from '../storage/backend.ts';
import { digestToCid, type CidLike } from '../storage/cid.ts';
import { FileTooBigError, NotFoundError } from '../storage/errors.ts';
import { newIdentity, type SecretIdentity } from './identity.ts';
import { newJobKey, type JobKey } from './envelope.ts';
import { downloadPrivateShard, sealOutput, UnreadableOutput, type PrivateDownloadOptions } from './outputs.ts';
import { saltOf } from './salt.ts';
import { sealBytes } from './stream.ts';

const JOB = `0x${'77'.repeat(32)}` as const;
const ANSWER = new TextEncoder().encode('yes');

/** Storage in memory that hands out whatever was put there, honest or not. */
class Memory implements Pick<StorageBackend, 'readFile'> {
  readonly files = new Map<string, Uint8Array>();

  async *readFile(cid: CidLike, { maxBytes = 0 }: { maxBytes?: number | undefined } = {}): AsyncGenerator<Uint8Array> {
    const bytes = this.files.get(cid.toString());
    if (!bytes) throw new NotFoundError(cid.toString());
    if (bytes.length > maxBytes) throw new FileTooBigError(cid.toString(), bytes.length, maxBytes);
    yield bytes;
  }
}

let requester: SecretIdentity;
let stranger: SecretIdentity;
let jobKey: JobKey;
let options: PrivateDownloadOptions;
beforeAll(async () => {
  [requester, stranger, jobKey] = await Promise.all([newIdentity(), newIdentity(), newJobKey()]);
  options = { identity: requester, salt: await saltOf(jobKey, JOB) };
});

/** A lease of shards 5 and 6, as an honest node with these outputs makes it, before `change`. */
async function lease(
  outputs: readonly Uint8Array[] = [ANSWER, new Uint8Array(0)],
  readers = [requester.recipient],
): Promise<{ backend: Memory; manifest: Manifest }> {
  const backend = new Memory();
  const shards: Manifest['shards'] = [];
  for (const [index, output] of outputs.entries()) {
    const shard = 5 + index;
    const { hash, sealed } = await sealOutput(output, { shard, salt: options.salt, readers });
    const cid = digestToCid(sha256(sealed), 'raw');
    backend.files.set(cid.toString(), sealed);
    shards.push({ shard, hash, cid, size: sealed.length, units: 1n });
  }
  return { backend, manifest: { version: 1, job: JOB, first: 5, node: 1, shards } };
}

/** The same lease, with the stored file of shard 5 replaced. */
async function withFile(sealed: Uint8Array, size = sealed.length): Promise<{ backend: Memory; manifest: Manifest }> {
  const { backend, manifest } = await lease();
  const [entry, ...rest] = manifest.shards;
  const cid = digestToCid(sha256(sealed), 'raw');
  backend.files.set(cid.toString(), sealed);
  return { backend, manifest: { ...manifest, shards: [{ ...entry!, cid, size }, ...rest] } };
}

describe('a private output', () => {
  test('reaches the requester through a manifest of the usual form', async () => {
    const { backend, manifest } = await lease();
    const read = { manifest: decodeManifest(encodeManifest(manifest).bytes) };
    const { bytes, shard } = await downloadPrivateShard(read, 5, backend, options);
    expect(new TextDecoder().decode(bytes)).toBe('yes');
    expect(shard).toBe(5);
    expect((await downloadPrivateShard(read, 6, backend, options)).bytes).toHaveLength(0);
  });

  test('of two nodes has one hash and two files', async () => {
    const [one, two] = [await lease(), await lease()];
    expect(one.manifest.shards.map(({ hash }) => hash)).toEqual(two.manifest.shards.map(({ hash }) => hash));
    expect(one.manifest.shards[0]!.cid.equals(two.manifest.shards[0]!.cid)).toBe(false);
  });

  test('does not have the hash that a guesser would compute', async () => {
    const { manifest } = await lease();
    expect(manifest.shards.map(({ hash }) => hash)).not.toContain(sha256(ANSWER));
  });

  test('opens with the job key when it is among the readers', async () => {
    const { backend, manifest } = await lease([ANSWER], [requester.recipient, jobKey.recipient]);
    const { bytes } = await downloadPrivateShard({ manifest }, 5, backend, {
      ...options,
      identity: [stranger, jobKey],
    });
    expect(bytes).toEqual(Uint8Array.from(ANSWER));
  });
});

describe('a download fails', () => {
  const download = async (made: Promise<{ backend: Memory; manifest: Manifest }>, over = {}): Promise<unknown> => {
    const { backend, manifest } = await made;
    return downloadPrivateShard({ manifest }, 5, backend, { ...options, ...over }).catch((error: unknown) => error);
  };

  test('when the file is for somebody else', async () => {
    const error = await download(lease([ANSWER], [stranger.recipient]));
    expect(error).toBeInstanceOf(UnreadableOutput);
    expect(error).toMatchObject({ retryable: false, cause: { code: 'not-a-recipient' } });
  });

  test('when the file is garbage', async () => {
    expect(await download(withFile(Buffer.from('garbage\n')))).toMatchObject({ cause: { code: 'not-age' } });
  });

  test('when the file was cut, though the manifest says its size', async () => {
    const { sealed } = await sealOutput(ANSWER, { shard: 5, salt: options.salt, readers: [requester.recipient] });
    expect(await download(withFile(sealed.subarray(0, -1), sealed.length))).toMatchObject({
      cause: { code: 'truncated' },
    });
  });

  test('when the plaintext is another', async () => {
    expect(await download(withFile(await sealBytes(Buffer.from('no'), [requester.recipient])))).toBeInstanceOf(
      HashMismatch,
    );
  });

  test('when another shard’s file is passed off for it, even with an equal output', async () => {
    const { backend, manifest } = await lease([ANSWER, ANSWER]);
    const [a, b] = manifest.shards;
    const swapped = {
      ...manifest,
      shards: [
        { ...b!, shard: 5 },
        { ...a!, shard: 6 },
      ],
    };
    await expect(downloadPrivateShard({ manifest: swapped }, 5, backend, options)).rejects.toThrow(HashMismatch);
  });

  test('when the salt is that of another job', async () => {
    const salt = await saltOf(jobKey, `0x${'78'.repeat(32)}`);
    expect(await download(lease(), { salt })).toBeInstanceOf(HashMismatch);
  });

  test('when nobody has it', async () => {
    const { manifest } = await lease();
    expect(await download(Promise.resolve({ backend: new Memory(), manifest }))).toBeInstanceOf(MissingData);
  });

  test('when the size is not the stated one', async () => {
    const sealed = await sealBytes(ANSWER, [requester.recipient]);
    expect(await download(withFile(sealed, sealed.length - 1))).toBeInstanceOf(ManifestMismatch);
    expect(await download(withFile(sealed, sealed.length + 1))).toBeInstanceOf(ManifestMismatch);
  });

  test('when it is over the caller’s limit, before anything is read', async () => {
    const { manifest } = await lease();
    const { size } = manifest.shards[0]!;
    expect(await download(Promise.resolve({ backend: new Memory(), manifest }), { maxBytes: size - 1 })).toBeInstanceOf(
      OutputTooBig,
    );
    expect(await download(lease(), { maxBytes: size })).toMatchObject({ shard: 5 });
  });

  test('when the lease does not hold the shard', async () => {
    const { backend, manifest } = await lease();
    await expect(downloadPrivateShard({ manifest }, 7, backend, options)).rejects.toThrow(
      'Shard 7 is not among 5 to 6 of this lease.',
    );
  });

  test('with the signal’s reason when it is aborted', async () => {
    const reason = new Error('the person left');
    const { backend, manifest } = await lease();
    const stopped = { ...options, signal: AbortSignal.abort(reason) };
    await expect(downloadPrivateShard({ manifest }, 5, backend, stopped)).rejects.toBe(reason);
  });
});

describe('the download of any shard', () => {
  const whole = (backend: Memory): StorageBackend => backend as unknown as StorageBackend;

  test('opens a sealed one with the key', async () => {
    const { backend, manifest } = await lease();
    const sealed = { manifest: { ...manifest, private: { version: 1 } } as Manifest };
    expect(new TextDecoder().decode((await downloadShard(sealed, 5, whole(backend), { key: options })).bytes)).toBe(
      'yes',
    );
  });

  test('says that a sealed one needs a key', async () => {
    const { backend, manifest } = await lease();
    const sealed = { manifest: { ...manifest, private: { version: 1 } } as Manifest };
    await expect(downloadShard(sealed, 5, whole(backend))).rejects.toThrow(ResultSealed);
  });

  test('refuses one that lies open where the job is private', async () => {
    const { backend, manifest } = await lease();
    const error = new ManifestMismatch('section "private"', 'there', 'missing');
    await expect(downloadShard({ manifest }, 5, whole(backend), { key: options })).rejects.toThrow(error.message);
  });
});
