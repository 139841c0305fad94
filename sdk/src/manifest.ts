/** What a lease produced, shard by shard: one canonical dag-cbor block whose digest goes on chain beside the Merkle root. */
import type { CID } from 'multiformats/cid';
import { bytesToHex, hexToBytes, sha256, type Hex } from 'viem';
import * as z from 'zod';

import {
  decodeCanonical,
  encodeCanonical,
  MAX_CANONICAL_BYTES,
  withoutUndefined,
  type EncodedBlock,
} from './canonical.ts';
import { merkleRoot } from './merkle.ts';
import { privateManifestSchema } from './privacy/schema.ts';
import { problemsOf, type Problem } from './problems.ts';
import { fileCidSchema } from './spec.ts';

/** Shards of a lease whose manifest certainly fits in one block, whatever the sizes and units. Claim no more at once. */
export const MAX_LEASE_SHARDS = 8_000;

const MAX_UINT64 = (1n << 64n) - 1n;

/** 32 bytes: hex in memory, bytes in the block. */
const bytes32 = z.unknown().transform((value, context): Hex => {
  if (value instanceof Uint8Array && value.length === 32) return bytesToHex(value);
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{64}$/.test(value)) return value.toLowerCase() as Hex;
  context.addIssue({ code: 'custom', message: 'must be 32 bytes' });
  return z.NEVER;
});

const whole = (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);

const units = z
  .union([whole(0), z.bigint()], 'must be a whole number')
  .transform(BigInt)
  .refine((value) => value >= 0n && value <= MAX_UINT64, 'must fit in 64 bits');

/** Schema of a manifest. Takes hex or bytes, numbers or bigints; gives hex and bigints. */
export const manifestSchema = z
  .strictObject({
    version: z.literal(1),
    /** The job's id. */
    job: bytes32,
    /** The lease's first shard. */
    first: whole(0, 0xffff_ffff),
    /** The node that computed it. */
    node: whole(1, 0xffff_ffff),
    /** One entry per shard, in order. `hash`: sha2-256 of the output, `size`: its bytes. */
    shards: z
      .array(z.strictObject({ shard: whole(0, 0xffff_ffff), hash: bytes32, cid: fileCidSchema, size: whole(0), units }))
      .min(1, 'must have at least one shard'),
    /** Text file with the shards' stderr. */
    log: z.exactOptional(fileCidSchema),
    /** The files are sealed, and each `hash` is salted: see the privacy layer. */
    private: z.exactOptional(privateManifestSchema),
  })
  .check(({ value: manifest, issues }) => {
    manifest.shards.forEach(({ shard }, index) => {
      if (shard === manifest.first + index) return;
      const message = `must be ${manifest.first + index}: shards stand in order from the lease's first, without a gap`;
      issues.push({ code: 'custom', path: ['shards', index, 'shard'], message, input: manifest });
    });
  });

/** What a lease produced. Hashes are hex, units bigint, CIDs `CID` objects. */
export type Manifest = z.output<typeof manifestSchema>;

/** One shard of a manifest. */
export type ManifestShard = Manifest['shards'][number];

/** Thrown when a manifest breaks the rules. `problems` lists everything that is wrong. */
export class ManifestError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const list = problems.map(({ path, sentence }) => (path ? `${path}: ${sentence}` : sentence)).join('; ');
    super(`The manifest is not valid: ${list}.`);
    this.name = 'ManifestError';
    this.problems = problems;
  }
}

/**
 * Checks a manifest and encodes it to its canonical block; `digest` is `Result.manifest`.
 * @throws ManifestError that lists every problem.
 */
export function encodeManifest(manifest: Manifest): EncodedBlock {
  const block = toBlock(parse(withoutUndefined(manifest)));
  checkSize(block.bytes);
  return block;
}

/**
 * Reads a manifest from its block and checks every rule, the canonical form included.
 * @throws ManifestError that lists every problem.
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  checkSize(bytes);
  const value = decodeCanonical(bytes);
  if (value === undefined) throw new ManifestError([{ path: '', sentence: 'the block is not canonical dag-cbor' }]);
  const manifest = parse(value);
  // The schema takes hashes and CIDs as text too, for those who write manifests; a block says each thing in one way only.
  if (toBlock(manifest).digest === sha256(bytes)) return manifest;
  throw new ManifestError([{ path: '', sentence: 'a CID or a hash is written as text' }]);
}

/** Merkle root over the manifest's shards: must equal `Result.root` on chain. */
export function rootOf(manifest: Pick<Manifest, 'shards'>): Hex {
  return merkleRoot(manifest.shards);
}

/** Sum of the shards' units: must equal `Result.units` on chain. */
export function unitsOf(manifest: Pick<Manifest, 'shards'>): bigint {
  return manifest.shards.reduce((sum, shard) => sum + shard.units, 0n);
}

/** CIDs of everything that a manifest names: each shard's output, and the log. */
export function cidsOf(manifest: Pick<Manifest, 'shards' | 'log'>): CID[] {
  return [...manifest.shards.map(({ cid }) => cid), ...(manifest.log ? [manifest.log] : [])];
}

function toBlock({ job, shards, ...rest }: Manifest): EncodedBlock {
  return encodeCanonical({
    ...rest,
    job: hexToBytes(job),
    shards: shards.map((shard) => ({ ...shard, hash: hexToBytes(shard.hash) })),
  });
}

function parse(value: unknown): Manifest {
  const parsed = manifestSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) throw new ManifestError(problemsOf(parsed.error));
  return parsed.data;
}

function checkSize(bytes: Uint8Array): void {
  if (bytes.length <= MAX_CANONICAL_BYTES) return;
  const sentence = `it is ${bytes.length} bytes long, the most is ${MAX_CANONICAL_BYTES}; claim fewer shards per lease`;
  throw new ManifestError([{ path: '', sentence }]);
}
