/**
 * The part of a private job's spec that strangers cannot read, and how it is taken out and put back. Open stays what a node needs
 * for deciding whether it can take the job: module, runtime, shards, limits, comparator, form of the output.
 *
 * ```
 * key   = HKDF-SHA256(ikm = the job key's 32 secret bytes, salt = none, info = "dpu/v1/private-spec", 32 bytes)
 * proof = HMAC-SHA256(key, sha2-256 of the open spec's block without `private` ‖ sha2-256 of `sealed`)
 * ```
 *
 * Without the proof anyone could copy an envelope, seal a part of their own to the job's public key, and have an honest node run
 * their module on the requester's inputs for their eyes: age says who can open a file, not who made it.
 */
import { bytesToHex, concatBytes, hexToBytes, sha256, type Hex } from 'viem';
import * as z from 'zod';

import { decodeCanonical, encodeCanonical, withoutUndefined } from '../canonical.ts';
import { problemsOf, type Problem } from '../problems.ts';
import { decodeSpec, encodeSpec, SpecError, specSchema, type JobSpec, type JobSpecInput } from '../spec.ts';
import { envelope, openEnvelope, type JobKey } from './envelope.ts';
import { PrivacyError, SealedSpecError } from './errors.ts';
import type { Identity } from './identity.ts';
import type { Recipient } from './recipient.ts';
import { PRIVATE_NAME, recipientSchema, type PrivateSpec } from './schema.ts';
import { openBytes, sealBytes } from './stream.ts';

const MAX_READERS = 16;
const PROOF_INFO = new TextEncoder().encode('dpu/v1/private-spec');

const bytes32 = z.unknown().transform((value, context): Hex => {
  if (value instanceof Uint8Array && value.length === 32) return bytesToHex(value);
  if (typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value)) return value as Hex;
  context.addIssue({ code: 'custom', message: 'must be 32 bytes' });
  return z.NEVER;
});

/** Schema of what `PrivateSpec.sealed` holds. */
export const sealedSpecSchema = z.strictObject({
  version: z.literal(1),
  name: specSchema.shape.name,
  args: specSchema.shape.args,
  /** As in an open spec, but `cid` names the sealed file; `size` is that of the plaintext. */
  inputs: specSchema.shape.inputs,
  /** Whether the file at the spec's `module` is sealed to the job's key. */
  moduleSealed: z.boolean(),
  /** To whom results and logs are sealed: the requester, perhaps the job itself or a later job that reads them. */
  readers: z
    .array(recipientSchema)
    .min(1, 'must have at least one reader')
    .max(MAX_READERS, `must be at most ${MAX_READERS} readers`),
  /** Salt of the job named by `Terms.afterJob`, when that is private: its outputs are checked with it. */
  afterSalt: z.exactOptional(bytes32),
});

/** What only the job's key opens. */
export type SealedSpec = z.output<typeof sealedSpecSchema>;

/** How a spec is made private. */
export interface SealSpecOptions {
  jobKey: JobKey;
  /** The requester's own key. It is in the envelope, so that nothing else has to be kept. */
  requester: string;
  /** Nodes that may compute from the start. Others get an envelope later. */
  nodes?: readonly string[] | undefined;
  /** Whoever else may hand the job's key on to nodes (`handOut`), so that the requester need not be awake. They can read everything, results only as readers. */
  agents?: readonly string[] | undefined;
  /** To whom results are sealed; the requester alone by default. */
  readers?: readonly string[] | undefined;
  /** Whether `spec.module` names a file sealed to the job's key. Default false: the code is public. */
  moduleSealed?: boolean | undefined;
  /** See `SealedSpec.afterSalt`. */
  afterSalt?: Hex | undefined;
}

/**
 * Splits a spec into what everyone may read and what only the job's key opens. Its inputs must name files that are sealed to
 * the job's key already.
 * @returns The open spec, and the section that goes into it as `private`.
 * @throws SpecError when the spec breaks the rules, SealedSpecError, or as `envelope`.
 */
export async function sealSpec(
  spec: JobSpecInput,
  {
    jobKey,
    requester,
    nodes = [],
    agents = [],
    readers = [requester],
    moduleSealed = false,
    afterSalt,
  }: SealSpecOptions,
): Promise<{ spec: JobSpecInput; private: PrivateSpec }> {
  const { name, args, inputs, module } = decodeSpec(encodeSpec(spec).bytes);
  if (moduleSealed && module === undefined) throw new SealedSpecError('there is no module that could be sealed');
  const fields = parse(withoutUndefined({ version: 1, name, args, inputs, moduleSealed, readers, afterSalt }));
  const block = encodeCanonical(withoutUndefined({ ...fields, afterSalt: afterSalt && hexToBytes(afterSalt) }));
  const open = { ...spec, name: PRIVATE_NAME, args: [], inputs: [] };
  const sealed = await sealBytes(block.bytes, [jobKey.recipient]);
  const key = await proofKey(jobKey);
  const proof = new Uint8Array(await crypto.subtle.sign('HMAC', key, proven(open, sealed)));
  return {
    spec: open,
    private: {
      version: 1,
      recipient: jobKey.recipient,
      sealed,
      proof,
      envelope: await envelope(jobKey, [requester, ...agents, ...nodes]),
    },
  };
}

/** A private job as those who may read it see it. */
export interface OpenedSpec extends Pick<SealedSpec, 'moduleSealed' | 'afterSalt'> {
  /** The whole spec, as that of an open job: name, arguments and inputs are the real ones. */
  spec: JobSpec;
  jobKey: JobKey;
  readers: Recipient[];
}

/**
 * Opens a private job's spec with the key of its requester or of a node.
 * @param later An envelope that was made after the job was posted; the spec's own by default.
 * @throws NotARecipientError when the envelope is not for `identity`; WrongJobKeyError; SealedSpecError when somebody else sealed it, or
 * the requester sealed nonsense.
 */
export async function openSpec(
  spec: JobSpec,
  section: PrivateSpec,
  identity: Identity,
  later?: Uint8Array,
): Promise<OpenedSpec> {
  if (spec.args.length > 0 || spec.inputs.length > 0) {
    throw new SealedSpecError('arguments or inputs stand in the open beside it');
  }
  const jobKey = await openEnvelope(later ?? section.envelope, identity, section.recipient);
  const key = await proofKey(jobKey);
  const proof = Uint8Array.from(section.proof);
  if (!(await crypto.subtle.verify('HMAC', key, proof, proven(spec, section.sealed)))) {
    throw new SealedSpecError('it was not made, or not for this job, by someone who has the job key');
  }
  const block = await openBytes(section.sealed, jobKey).catch((error: unknown) => {
    throw error instanceof PrivacyError ? new SealedSpecError('the job key does not open it', error) : error;
  });
  const value = decodeCanonical(block);
  if (value === undefined) throw new SealedSpecError('it is not canonical dag-cbor');
  const { name, args, inputs, readers, moduleSealed, afterSalt } = parse(value);
  return {
    spec: checked({ ...withoutSection(spec), name, args, inputs }),
    jobKey,
    readers,
    moduleSealed,
    ...(afterSalt === undefined ? {} : { afterSalt }),
  };
}

async function proofKey(jobKey: JobKey): Promise<CryptoKey> {
  const secret = await crypto.subtle.importKey('raw', jobKey.bytes(), 'HKDF', false, ['deriveKey']);
  const from = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: PROOF_INFO };
  const to = { name: 'HMAC', hash: 'SHA-256', length: 256 };
  return crypto.subtle.deriveKey(from, secret, to, false, ['sign', 'verify']);
}

/** What the proof is over. */
function proven(spec: JobSpecInput, sealed: Uint8Array): Uint8Array<ArrayBuffer> {
  const digest = encodeSpec(withoutSection(spec)).digest;
  return Uint8Array.from(concatBytes([hexToBytes(digest), hexToBytes(sha256(sealed))]));
}

/** A spec's open fields: the section cannot be under its own proof. */
function withoutSection<Spec extends object>(spec: Spec): Spec {
  const copy: Spec & { private?: unknown } = { ...spec };
  delete copy.private;
  return copy;
}

/** Rules that concern both halves, such as a name taken twice, are those of every spec. */
function checked(spec: JobSpec): JobSpec {
  try {
    return decodeSpec(encodeSpec(spec).bytes);
  } catch (error) {
    throw error instanceof SpecError ? new SealedSpecError(sentenceOf(error.problems), error) : error;
  }
}

function parse(value: unknown): SealedSpec {
  const parsed = sealedSpecSchema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new SealedSpecError(sentenceOf(problemsOf(parsed.error)));
}

const sentenceOf = (problems: readonly Problem[]): string =>
  problems.map(({ path, sentence }) => (path ? `${path}: ${sentence}` : sentence)).join('; ');
