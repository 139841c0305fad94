/**
 * One key per private job. Inputs are sealed to it before anyone knows who will compute; an envelope hands its secret to those who
 * may. A new node gets a new envelope, and the inputs stay where they are.
 */
import { WrongJobKeyError } from './errors.ts';
import { newIdentity, parseIdentity, type Identity, type SecretIdentity } from './identity.ts';
import { openBytes, sealBytes } from './stream.ts';

/** The key of one job. */
export type JobKey = SecretIdentity;

/** Makes the key of a job. Keep it in the envelope only: whoever was named there can bring it back. */
export function newJobKey(): Promise<JobKey> {
  return newIdentity();
}

/**
 * The secret of a job, sealed for `recipients`: always the requester, and the nodes that may compute. 176 bytes and 98 more for
 * each recipient. Says nothing of who they are.
 * @throws NoRecipientsError, TooManyRecipientsError or BadRecipientError.
 */
export function envelope(jobKey: JobKey, recipients: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  return sealBytes(new TextEncoder().encode(jobKey.secret()), recipients);
}

/**
 * Takes a job's key out of its envelope and checks that it is the key that the job's spec names. Anyone can make an
 * envelope for anyone; only this comparison says that it belongs to the job.
 * @throws NotARecipientError, WrongJobKeyError, or as `openBytes`; BadIdentityError when it holds something else.
 */
export async function openEnvelope(sealed: Uint8Array, identity: Identity, jobRecipient: string): Promise<JobKey> {
  const text = new TextDecoder().decode(await openBytes(sealed, identity));
  const jobKey = await parseIdentity(text);
  if (jobKey.recipient !== jobRecipient) throw new WrongJobKeyError(jobRecipient, jobKey.recipient);
  return jobKey;
}

/**
 * The same job's secret for other recipients, from an envelope that `holder` can open: when a lease is taken over, or nodes are
 * added to those allowed. Who had the secret keeps it; only new jobs are closed to them.
 * @throws as `openEnvelope` and `envelope`.
 */
export async function envelopeAgain(
  sealed: Uint8Array,
  holder: Identity,
  jobRecipient: string,
  recipients: readonly string[],
): Promise<Uint8Array<ArrayBuffer>> {
  return envelope(await openEnvelope(sealed, holder, jobRecipient), recipients);
}
