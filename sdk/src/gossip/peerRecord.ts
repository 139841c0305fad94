/** Where a node's host is reached: signed by its operator, served by its gateway at `GET /v1/peer`. */
import { bytesToHex, hexToBytes, isHex } from 'viem';
import * as z from 'zod';

import { peerSchema, TOPICS, type PeerNotice } from './topics.ts';
import { ENVELOPE_BYTES } from './statement.ts';

/** Where it is served. */
export const PEER_PATH = '/v1/peer';
const MOST_BYTES = 2 * (TOPICS.peer.bodyBytes + ENVELOPE_BYTES) + 4_096;

/** The answer of `GET /v1/peer`. A node's is signed; that of an observer, which speaks for nobody, is not. */
const answerSchema = peerSchema.extend({
  statement: z
    .string()
    .max(MOST_BYTES)
    .refine((text) => isHex(text))
    .transform((hex) => hexToBytes(hex as `0x${string}`))
    .nullable(),
});

/** Who listens where, with the signed statement when it is a node. */
export interface PeerAnswer extends PeerNotice {
  statement: Uint8Array | null;
}

/** The answer as JSON. */
export function peerAnswer({ peer, addresses, statement }: PeerAnswer): Record<string, unknown> {
  return { peer, addresses, statement: statement && bytesToHex(statement) };
}

/** How records are fetched. */
export interface FetchOptions {
  fetch?: typeof fetch;
  /** Longest time for one answer, milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
}

/**
 * Asks a gateway where its host is reached; undefined when it does not say. Nothing of the answer is checked against a signature here, and not
 * more of it is read than a record can have.
 */
export async function fetchPeer(baseUrl: string, options: FetchOptions): Promise<PeerAnswer | undefined> {
  try {
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]);
    const answer = await (options.fetch ?? fetch)(`${baseUrl.replace(/\/+$/, '')}${PEER_PATH}`, {
      signal,
      redirect: 'error',
      headers: { accept: 'application/json' },
    });
    if (!answer.ok || !answer.body) return undefined;
    let text = '';
    const decoder = new TextDecoder();
    for await (const piece of answer.body) {
      text += decoder.decode(piece as Uint8Array, { stream: true });
      if (text.length > MOST_BYTES) return undefined;
    }
    const parsed = answerSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
