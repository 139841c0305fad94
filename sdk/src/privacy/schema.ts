/**
 * What a private job adds to its spec and to its manifests: the `private` sections. Both are public; docs/privacy.md says what
 * every field means. Imports nothing of spec.ts and manifest.ts, which import this.
 */
import * as z from 'zod';

import { MAX_HEADER_BYTES } from './header.ts';
import { isRecipient } from './recipient.ts';

/** What stands in a private spec where the name would be. */
export const PRIVATE_NAME = 'Private job';

/** Most bytes of the sealed part of a spec. */
export const MAX_SEALED_BYTES = 64 * 1024;
/** Most bytes of an envelope: a full header, and one key. */
export const MAX_ENVELOPE_BYTES = MAX_HEADER_BYTES + 256;

const PROOF_BYTES = 32;

const bytes = (most: number) =>
  z
    .custom<Uint8Array>((value) => value instanceof Uint8Array, 'must be bytes')
    .refine((value) => value.length > 0, 'must not be empty')
    .refine((value) => value.length <= most, `must be at most ${most} bytes`);

/** Schema of a recipient: one text, because lower-case bech32 has one form only. */
export const recipientSchema = z
  .string()
  .refine(isRecipient, 'must be an X25519 recipient of age, age1 and 58 characters');

/** Schema of a spec's `private` section. */
export const privateSpecSchema = z.strictObject({
  version: z.literal(1),
  /** The job's own key. Inputs, a sealed module and `sealed` are for it. */
  recipient: recipientSchema,
  /** The fields that only the job's key opens: an age file of the `SealedSpec` block. */
  sealed: bytes(MAX_SEALED_BYTES),
  /** Code over the open fields and `sealed` that takes the job key's secret to make: see sealedSpec.ts. */
  proof: bytes(PROOF_BYTES).refine((value) => value.length === PROOF_BYTES, `must be ${PROOF_BYTES} bytes`),
  /** The job key's secret for the requester, and for the nodes that are allowed from the start. */
  envelope: bytes(MAX_ENVELOPE_BYTES),
});

/** A spec's `private` section. */
export type PrivateSpec = z.output<typeof privateSpecSchema>;

/** What may not stand in the open beside a `private` section, as paths and sentences. */
export function openlySaid(spec: {
  private?: unknown;
  name: string;
  args: readonly unknown[];
  inputs: readonly unknown[];
}): [path: string, sentence: string][] {
  if (spec.private === undefined) return [];
  const said: [string, string][] = [];
  if (spec.name !== PRIVATE_NAME) said.push(['name', `must be "${PRIVATE_NAME}": the job's own is in the sealed part`]);
  if (spec.args.length > 0) said.push(['args', 'must be empty: those of a private job are in the sealed part']);
  if (spec.inputs.length > 0) said.push(['inputs', 'must be empty: those of a private job are in the sealed part']);
  return said;
}

/**
 * Schema of a manifest's `private` section. With it, each shard's `hash` is the salted hash (salt.ts) of the plaintext, `cid` and
 * `size` are those of the sealed file, and `log` is sealed too.
 */
export const privateManifestSchema = z.strictObject({ version: z.literal(1) });

/** A manifest's `private` section. */
export type PrivateManifest = z.output<typeof privateManifestSchema>;
