/** A private job on chain, opened by its requester or by a node: what it says, and what opens its results. */
import type { Hex } from 'viem';

import type { JobSpec } from '../spec.ts';
import { SealedSpecError } from './errors.ts';
import type { Identity } from './identity.ts';
import type { ResultKey } from './outputs.ts';
import { saltOf } from './salt.ts';
import { openSpec, type OpenedSpec } from './sealedSpec.ts';

/** A private job as those who may read it see it. */
export interface OpenedJob extends OpenedSpec {
  /** Of its result hashes, see `saltOf`. */
  salt: Hex;
  /** Whether whoever has the job's key can read its results: then a judge can compare them. */
  judgeable: boolean;
}

/**
 * Opens the private job `id`.
 * @param later An envelope that was made after the job was posted; the spec's own by default.
 * @throws as `openSpec`; SealedSpecError when two results may differ and those who judge them could not read them; RangeError when the
 * job is not private.
 */
export async function openJob(spec: JobSpec, id: Hex, identity: Identity, later?: Uint8Array): Promise<OpenedJob> {
  if (!spec.private) throw new RangeError(`The job ${id} is not private.`);
  const opened = await openSpec(spec, spec.private, identity, later);
  const judgeable = opened.readers.includes(opened.jobKey.recipient);
  if (!judgeable && spec.comparator.kind !== 'exact') {
    throw new SealedSpecError('results are compared with a tolerance, but those who judge cannot read them');
  }
  return { ...opened, judgeable, salt: await saltOf(opened.jobKey, id) };
}

/** What opens the results of a job that `identity` has opened. */
export function resultKeyOf({ jobKey, salt }: Pick<OpenedJob, 'jobKey' | 'salt'>, identity: Identity): ResultKey {
  return { identity: [identity, jobKey], salt };
}
