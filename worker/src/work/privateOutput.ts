import { openBytes, sealBytes } from '@dpu/sdk/privacy/stream';

import type { JobSecret } from './privateJob.ts';

/** What of a result may be written to the disk: the bytes themselves, or for a private job the same sealed to its readers. */
export async function storable(
  plain: Uint8Array,
  secret: JobSecret | undefined,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  return secret ? sealBytes(plain, secret.readers, { signal }) : plain;
}

/** A shard's log as the journal may keep it: of a private job sealed to the job's key, which this node has again after a crash. */
export async function keptLog(text: string, secret: JobSecret | undefined): Promise<string> {
  if (!secret || text === '') return text;
  const sealed = await sealBytes(new TextEncoder().encode(text), [secret.jobKey.recipient]);
  return Buffer.from(sealed).toString('base64');
}

/** A shard's log from the journal. */
export async function readLog(kept: string, secret: JobSecret | undefined): Promise<string> {
  if (!secret || kept === '') return kept;
  return new TextDecoder().decode(await openBytes(Buffer.from(kept, 'base64'), secret.jobKey));
}
