/**
 * A job's results, fetched and checked against the chain: the manifest against its digest and the Merkle root, every
 * output against its leaf. Nothing is handed out before it was checked.
 */
import { sha256, type Hex } from 'viem';

import type { HistoryLease, JobHistory } from './history.ts';
import { isSeat } from './lease.ts';
import { decodeManifest, rootOf, unitsOf, type Manifest, type ManifestShard } from './manifest.ts';
import type { ResultKey } from './privacy/outputs.ts';
import { readAll, type CallOptions, type StorageBackend } from './storage/backend.ts';
import { digestToCid } from './storage/cid.ts';
import { FileTooBigError, StorageError } from './storage/errors.ts';

/** Most bytes of one shard's output that are held in memory unless the caller says otherwise. */
export const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** What every error about a result carries. `retryable`: the data may be there later. */
export class ResultError extends Error {
  readonly retryable: boolean;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(
    message: string,
    context: Record<string, unknown>,
    options: { retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.retryable = options.retryable ?? false;
    this.context = context;
  }
}

/** The result is not public yet, or some shards have none. */
export class ResultNotPublic extends ResultError {
  constructor(job: Hex, shard: number) {
    super(
      `The result of shard ${shard} is not public yet; wait until its node has revealed it.`,
      { job, shard },
      { retryable: true },
    );
  }
}

/** Nobody who was asked holds the data. */
export class MissingData extends ResultError {
  constructor(what: string, cid: string, cause: unknown) {
    const message = `The ${what} (${cid}) cannot be had now; try again, or ask another gateway or the node that made it.`;
    super(message, { what, cid }, { retryable: true, cause });
  }
}

/** The manifest is not one of this lease. */
export class ManifestMismatch extends ResultError {
  constructor(field: string, expected: unknown, actual: unknown, cause?: unknown) {
    super(
      `The manifest does not belong to this lease: its ${field} is ${String(actual)} instead of ${String(expected)}. Do not accept the result.`,
      { field, expected, actual },
      { cause },
    );
  }
}

/** The manifest's shards do not make the Merkle root that is on chain. */
export class RootMismatch extends ResultError {
  constructor(expected: Hex, actual: Hex) {
    super(`The manifest's shards make the root ${actual}, but ${expected} is on chain. Do not accept the result.`, {
      expected,
      actual,
    });
  }
}

/** Bytes that do not hash to what the manifest (or the chain) says. */
export class HashMismatch extends ResultError {
  constructor(what: string, expected: Hex, actual: Hex) {
    super(`The ${what} hashes to ${actual} instead of ${expected}. Do not accept the result.`, {
      what,
      expected,
      actual,
    });
  }
}

/** An output larger than the caller wants to hold. */
export class OutputTooBig extends ResultError {
  constructor(shard: number, size: number, maxBytes: number) {
    super(`The output of shard ${shard} has ${size} bytes, over the limit of ${maxBytes}; allow more to download it.`, {
      shard,
      size,
      maxBytes,
    });
  }
}

/** The result is sealed, and no key was brought. */
export class ResultSealed extends ResultError {
  constructor(shard: number) {
    super(
      `The output of shard ${shard} is sealed for the readers of a private job; open the job with one of their keys first.`,
      { shard },
    );
  }
}

/** Options of a download. */
export interface DownloadOptions extends CallOptions {
  /** Most bytes of one shard's output. Default `MAX_OUTPUT_BYTES`. */
  maxBytes?: number;
  /** Opens and checks the results of a private job. With it, a result that is not sealed is refused. */
  key?: ResultKey | undefined;
}

/** A lease whose manifest agrees with the chain. */
export interface VerifiedLease {
  lease: HistoryLease;
  manifest: Manifest;
}

/** A shard's output that agrees with the chain. */
export interface ShardOutput extends ManifestShard {
  bytes: Uint8Array;
}

/**
 * Fetches the manifest of a lease whose result is public and checks it against the chain: digest, job, range, node, units
 * and Merkle root.
 * @throws ResultNotPublic, MissingData, HashMismatch, ManifestMismatch or RootMismatch.
 */
export async function verifyLease(
  history: Pick<JobHistory, 'id'>,
  lease: HistoryLease,
  backend: Pick<StorageBackend, 'getBlock'>,
  options: CallOptions = {},
): Promise<VerifiedLease> {
  const { result } = lease;
  const { first, count, node } = lease.lease;
  if (!result) throw new ResultNotPublic(history.id, first);

  const cid = digestToCid(result.manifest, 'dag-cbor');
  const bytes = await backend.getBlock(cid, options).catch((error: unknown) => {
    throw asMissing('manifest', cid.toString(), error);
  });
  // Backends check what they hand out; money is decided here, so it is checked again.
  const digest = sha256(bytes);
  if (digest !== result.manifest.toLowerCase()) throw new HashMismatch('manifest', result.manifest, digest);

  const manifest = decode(bytes);
  const facts: [field: string, expected: unknown, actual: unknown][] = [
    ['job', history.id.toLowerCase(), manifest.job],
    ['first shard', first, manifest.first],
    ['number of shards', count, manifest.shards.length],
    ['node', node, manifest.node],
    ['sum of units', result.units, unitsOf(manifest)],
  ];
  for (const [field, expected, actual] of facts) {
    if (expected !== actual) throw new ManifestMismatch(field, expected, actual);
  }
  const root = rootOf(manifest);
  if (root !== result.root.toLowerCase()) throw new RootMismatch(result.root, root);
  return { lease, manifest };
}

/**
 * Downloads one shard's output and checks its hash before returning it.
 * @throws MissingData, HashMismatch or OutputTooBig; ResultSealed, or as `downloadPrivateShard`, when the job is private; RangeError
 * when the lease does not hold the shard.
 */
export async function downloadShard(
  verified: Pick<VerifiedLease, 'manifest'>,
  shard: number,
  backend: StorageBackend,
  options: DownloadOptions = {},
): Promise<ShardOutput> {
  const { maxBytes = MAX_OUTPUT_BYTES, key, ...call } = options;
  if (verified.manifest.private) {
    if (!key) throw new ResultSealed(shard);
    // Only who opens private results loads the ciphers; the other way round that module needs this one.
    const { downloadPrivateShard } = await import('./privacy/outputs.ts');
    return downloadPrivateShard(verified, shard, backend, { ...call, ...key, maxBytes });
  }
  if (key) throw new ManifestMismatch('section "private"', 'there', 'missing');
  const { first, shards } = verified.manifest;
  const entry = shards[shard - first];
  if (!entry)
    throw new RangeError(`Shard ${shard} is not among ${first} to ${first + shards.length - 1} of this lease.`);
  if (entry.size > maxBytes) throw new OutputTooBig(shard, entry.size, maxBytes);

  const what = `output of shard ${shard}`;
  const bytes = await readAll(backend, entry.cid, entry.size, call).catch((error: unknown) => {
    if (error instanceof FileTooBigError) {
      throw new ManifestMismatch(`size of shard ${shard}`, error.context['size'], entry.size, error);
    }
    throw asMissing(what, entry.cid.toString(), error);
  });
  const hash = sha256(bytes);
  if (hash !== entry.hash) throw new HashMismatch(what, entry.hash, hash);
  if (bytes.length !== entry.size) throw new ManifestMismatch(`size of shard ${shard}`, bytes.length, entry.size);
  return { ...entry, bytes };
}

/**
 * Streams the outputs of the whole job in shard order, each checked before it is yielded. One shard is fetched ahead.
 * @throws ResultNotPublic before anything is yielded when a shard has no public result yet; otherwise as `downloadShard`.
 */
export async function* downloadJob(
  history: Pick<JobHistory, 'id' | 'terms' | 'leases' | 'panels'>,
  backend: StorageBackend,
  options: DownloadOptions = {},
): AsyncGenerator<ShardOutput, void, undefined> {
  const leases = believedLeases(history);
  requireAllPublic(history, leases);
  // A reader that stops early must not leave a download behind.
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  try {
    let ahead: Promise<ShardOutput> | undefined;
    for (const lease of leases) {
      const verified = await verifyLease(history, lease, backend, { signal });
      for (const { shard } of verified.manifest.shards) {
        const ready = ahead;
        ahead = downloadShard(verified, shard, backend, { ...options, signal });
        // It is awaited in the next round; until then its failure must not count as unhandled.
        ahead.catch(() => {});
        if (ready) yield await ready;
      }
    }
    if (ahead) yield await ahead;
  } finally {
    stop.abort();
  }
}

/**
 * The leases whose results are the job's, by first shard: the holder of a range, or of those who computed it together the one whose result
 * their agreement names.
 */
export function believedLeases({ leases, panels }: Pick<JobHistory, 'leases' | 'panels'>): HistoryLease[] {
  return [...Map.groupBy(leases, ({ lease }) => lease.first)].flatMap(([first, holders]) => {
    const [only] = holders;
    if (only && holders.length === 1 && !isSeat(only.lease)) return only;
    const agreed = panels.findLast((panel) => panel.first === first)?.result;
    return holders.find(({ state, result }) => state === 'settled' && result?.manifest === agreed?.manifest) ?? [];
  });
}

function requireAllPublic(
  { id, terms }: Pick<JobHistory, 'id' | 'terms'>,
  leases: readonly Pick<HistoryLease, 'lease' | 'result'>[],
): void {
  let next = 0;
  for (const { lease, result } of leases) {
    if (lease.first !== next || !result) break;
    next += lease.count;
  }
  if (next < terms.shards) throw new ResultNotPublic(id, next);
}

function decode(bytes: Uint8Array): Manifest {
  try {
    return decodeManifest(bytes);
  } catch (error) {
    throw new ManifestMismatch('form', 'valid', error instanceof Error ? error.message : String(error), error);
  }
}

/** Storage failures are missing data to the reader; an abort and mistakes of the program stay what they are. */
function asMissing(what: string, cid: string, error: unknown): unknown {
  return error instanceof StorageError ? new MissingData(what, cid, error) : error;
}
