/** A shard's log after its job has ended: found by the manifest on chain, opened when it is sealed, its chain checked. */
import { openBytes } from './privacy/stream.ts';
import type { Identity } from './privacy/identity.ts';
import type { JobHistory } from './history.ts';
import { MissingData, ResultNotPublic, ResultSealed, verifyLease } from './results.ts';
import { logOrigin, MAX_SHARD_LOG_BYTES, parseLog, type ShardLog } from './shardLog.ts';
import { readAll, type CallOptions, type StorageBackend } from './storage/backend.ts';
import { StorageError } from './storage/errors.ts';

/** Bytes by which sealing makes a log longer: a stanza of a few hundred bytes for each of at most 64 readers, and a tag for every 64 KiB. */
const SEAL_BYTES = 64 * 1024;
const TAG_SHARE = 1.01;

/** How a log is read. */
export interface ReadLogOptions extends CallOptions {
  /** Whose log, where several nodes computed the shard; the first that has shown its result when absent. */
  node?: number;
  /** Opens the log of a private job: the requester's key, or another reader's. */
  identity?: Identity | readonly Identity[];
}

/**
 * Reads the log of one shard.
 * @returns Its lines; none when the shard said nothing.
 * @throws ResultNotPublic, MissingData, ResultSealed, LogBroken, as `verifyLease`, or a PrivacyError when the keys do not open it.
 */
export async function readLog(
  history: Pick<JobHistory, 'id' | 'leases'>,
  shard: number,
  backend: StorageBackend,
  { node, identity, ...call }: ReadLogOptions = {},
): Promise<ShardLog> {
  const lease = history.leases.find(
    ({ lease: { first, count, node: holder }, result }) =>
      result !== undefined && shard >= first && shard < first + count && (node === undefined || node === holder),
  );
  if (!lease) throw new ResultNotPublic(history.id, shard);
  const { manifest } = await verifyLease(history, lease, backend, call);
  const owner = { job: manifest.job, shard, node: manifest.node };
  const silent: ShardLog = { ...owner, entries: [], head: logOrigin(owner), complete: true };
  if (!manifest.log) return silent;
  if (manifest.private && !identity) throw new ResultSealed(shard);

  const most = Math.ceil(manifest.shards.length * MAX_SHARD_LOG_BYTES * TAG_SHARE) + SEAL_BYTES;
  const stored = await readAll(backend, manifest.log, most, call).catch((error: unknown) => {
    throw error instanceof StorageError ? new MissingData('log', String(manifest.log), error) : error;
  });
  const bytes = manifest.private && identity ? await openBytes(stored, identity) : stored;
  return parseLog(new TextDecoder().decode(bytes), owner).get(shard) ?? silent;
}
