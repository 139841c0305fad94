import type { ManifestShard } from '@dpu/sdk/manifest';
import type { JobKey } from '@dpu/sdk/privacy/envelope';
import { NotARecipientError, PrivacyError } from '@dpu/sdk/privacy/errors';
import type { Identity } from '@dpu/sdk/privacy/identity';
import { openJob, type OpenedJob } from '@dpu/sdk/privacy/openJob';
import { saltedHash } from '@dpu/sdk/privacy/salt';
import { openBytes } from '@dpu/sdk/privacy/stream';
import type { JobSpec } from '@dpu/sdk/spec';
import type { Hex } from 'viem';

import { DeclineError } from '../planning/declines.ts';

/** What a node knows of a private job beyond its open spec. In memory only: nothing of it may reach the disk. */
export type JobSecret = OpenedJob;

/**
 * Opens a private job with this node's key, before anything is promised; undefined for a job that everyone can read.
 * @param later An envelope that came after the job was posted; the spec's own by default.
 * @throws DeclineError `noKey`, `notRecipient` or `privateUnsound`.
 */
export async function openPrivateJob(
  spec: JobSpec,
  job: Hex,
  identity: Identity | undefined,
  later?: Uint8Array,
): Promise<JobSecret | undefined> {
  if (!spec.private) return undefined;
  if (!identity) throw new DeclineError('noKey');
  try {
    return await openJob(spec, job, identity, later);
  } catch (error) {
    if (error instanceof NotARecipientError) throw new DeclineError('notRecipient', {}, error);
    throw unsound(error);
  }
}

/**
 * The plaintext of one of the job's files.
 * @throws DeclineError `privateUnsound` when it was not sealed to the job's key.
 */
export async function openJobFile(sealed: Uint8Array, { jobKey }: { jobKey: JobKey }): Promise<Uint8Array> {
  return openBytes(sealed, jobKey).catch((error: unknown) => {
    throw unsound(error);
  });
}

/**
 * Opens what an earlier private job produced, with the key of the job that reads it.
 * @returns The plaintext, and the salt of its hash.
 * @throws DeclineError `inputsUnavailable` when this job cannot read it.
 */
export async function openEarlierOutput(
  { shard }: Pick<ManifestShard, 'shard'>,
  sealed: Uint8Array,
  secret: JobSecret | undefined,
): Promise<{ bytes: Uint8Array; salt: Hex }> {
  const salt = secret?.afterSalt;
  if (!secret || !salt) {
    throw new DeclineError('inputsUnavailable', { problem: 'the earlier job is private, and this one cannot read it' });
  }
  try {
    return { bytes: await openBytes(sealed, secret.jobKey), salt };
  } catch (error) {
    if (!(error instanceof PrivacyError)) throw error;
    const problem = `the output of shard ${shard} of the earlier job was not sealed for this one`;
    throw new DeclineError('inputsUnavailable', { problem }, error);
  }
}

/** An output's hash as it stands in the manifest: salted when the job is private. `plain` is its sha2-256. */
export async function statedHash(salt: Hex | undefined, shard: number, plain: Hex): Promise<Hex> {
  return salt === undefined ? plain : saltedHash(salt, shard, plain);
}

function unsound(error: unknown): unknown {
  if (!(error instanceof PrivacyError)) return error;
  return new DeclineError('privateUnsound', { problem: error.message }, error);
}
