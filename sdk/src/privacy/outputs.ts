/** A private shard's output on its way out of the node and into the requester's hands. */
import { sha256, type Hex } from 'viem';

import type { ManifestShard } from '../manifest.ts';
import {
  HashMismatch,
  ManifestMismatch,
  MAX_OUTPUT_BYTES,
  MissingData,
  OutputTooBig,
  ResultError,
  type ShardOutput,
  type VerifiedLease,
} from '../results.ts';
import type { CallOptions, StorageBackend } from '../storage/backend.ts';
import { FileTooBigError, StorageError } from '../storage/errors.ts';
import { PrivacyError } from './errors.ts';
import type { Identity } from './identity.ts';
import { saltedHash, saltedHashOf } from './salt.ts';
import { collect, openStream, sealBytes } from './stream.ts';

/** An output that is there, but cannot be opened: it was sealed wrongly, or for somebody else. */
export class UnreadableOutput extends ResultError {
  constructor(shard: number, cause: PrivacyError) {
    super(
      `The output of shard ${shard} cannot be opened. ${cause.message} Do not accept the result.`,
      { shard },
      { cause },
    );
  }
}

/** What a node stores and states for one private shard. */
export interface SealedOutput {
  /** Goes into the manifest and under the root. */
  hash: Hex;
  /** Goes to storage. Different each time, even for equal outputs. */
  sealed: Uint8Array<ArrayBuffer>;
}

/**
 * Seals a shard's output for the job's readers.
 * @param salt Of the job, see `saltOf`.
 * @throws NoRecipientsError, TooManyRecipientsError or BadRecipientError.
 */
export async function sealOutput(
  output: Uint8Array,
  { shard, salt, readers, signal }: { shard: number; salt: Hex; readers: readonly string[]; signal?: AbortSignal },
): Promise<SealedOutput> {
  return { hash: await saltedHashOf(salt, shard, output), sealed: await sealBytes(output, readers, { signal }) };
}

/** What opens and checks a private job's results. */
export interface ResultKey {
  /** Keys to try: the requester's own, or the job's when it is among the readers. */
  identity: Identity | readonly Identity[];
  /** Of the job, see `saltOf`. */
  salt: Hex;
}

/** Options of a private download. */
export interface PrivateDownloadOptions extends CallOptions, ResultKey {
  /** Most bytes of one sealed output. Default `MAX_OUTPUT_BYTES`. */
  maxBytes?: number;
}

/**
 * Downloads one private shard's output, opens it and checks its salted hash before returning the plaintext. `size` stays that of the
 * sealed file.
 * @throws MissingData, UnreadableOutput, HashMismatch, ManifestMismatch or OutputTooBig; RangeError when the lease does not
 * hold the shard.
 */
export async function downloadPrivateShard(
  { manifest }: Pick<VerifiedLease, 'manifest'>,
  shard: number,
  backend: Pick<StorageBackend, 'readFile'>,
  { identity, salt, maxBytes = MAX_OUTPUT_BYTES, ...call }: PrivateDownloadOptions,
): Promise<ShardOutput> {
  const { first, shards } = manifest;
  const entry = shards[shard - first];
  if (!entry)
    throw new RangeError(`Shard ${shard} is not among ${first} to ${first + shards.length - 1} of this lease.`);
  if (entry.size > maxBytes) throw new OutputTooBig(shard, entry.size, maxBytes);

  const bytes = await open(entry, backend, identity, call);
  const hash = await saltedHash(salt, shard, sha256(bytes));
  if (hash !== entry.hash) throw new HashMismatch(`output of shard ${shard}`, entry.hash, hash);
  return { ...entry, bytes };
}

async function open(
  { shard, cid, size }: ManifestShard,
  backend: Pick<StorageBackend, 'readFile'>,
  identity: Identity | readonly Identity[],
  call: CallOptions,
): Promise<Uint8Array> {
  let sealedBytes = 0;
  const onProgress = (progress: { sealedBytes: number }): void => {
    sealedBytes = progress.sealedBytes;
  };
  try {
    const source = backend.readFile(cid, { ...call, maxBytes: size });
    const plain = await collect(
      await openStream(source, identity, { sealedBytes: size, onProgress, signal: call.signal }),
    );
    if (sealedBytes !== size) {
      throw new ManifestMismatch(`size of shard ${shard}`, sealedBytes, size);
    }
    return plain;
  } catch (error) {
    if (error instanceof PrivacyError) throw new UnreadableOutput(shard, error);
    if (error instanceof FileTooBigError) {
      throw new ManifestMismatch(`size of shard ${shard}`, error.context['size'], size, error);
    }
    if (error instanceof StorageError) throw new MissingData(`output of shard ${shard}`, cid.toString(), error);
    throw error;
  }
}
