import type { Identity } from '@dpu/sdk/privacy/identity';
import type { OpenedJob } from '@dpu/sdk/privacy/openJob';
import type { ResultKey } from '@dpu/sdk/privacy/outputs';
import type { JobSpec } from '@dpu/sdk/spec';
import type { Hex } from 'viem';

/**
 * Whether a private job can be read here. `noKey`: this browser has none. `otherKey`: it has some, for other jobs. `unsound`: the sealed
 * part is not what it must be, with any key.
 */
export type Lock =
  | { status: 'opening' }
  | { status: 'open'; recipient: string }
  | { status: 'noKey' }
  | { status: 'otherKey' }
  | { status: 'unsound'; reason: string };

/** A job that was opened, and what opens its results. */
export interface Opened {
  lock: Extract<Lock, { status: 'open' }>;
  job: OpenedJob;
  key: ResultKey;
}

/** Tries the keys of this browser on a private job. */
export async function openWith(
  identities: readonly Identity[],
  spec: JobSpec,
  id: Hex,
): Promise<Opened | { lock: Exclude<Lock, { status: 'open' }> }> {
  const [{ openJob, resultKeyOf }, { NotARecipientError, PrivacyError }] = await Promise.all([
    import('@dpu/sdk/privacy/openJob'),
    import('@dpu/sdk/privacy/errors'),
  ]);
  for (const identity of identities) {
    try {
      const job = await openJob(spec, id, identity);
      return { lock: { status: 'open', recipient: identity.recipient }, job, key: resultKeyOf(job, identity) };
    } catch (error) {
      if (error instanceof NotARecipientError) continue;
      if (!(error instanceof PrivacyError)) throw error;
      return { lock: { status: 'unsound', reason: error.message } };
    }
  }
  return { lock: { status: identities.length === 0 ? 'noKey' : 'otherKey' } };
}
