import { bodyOf } from '@dpu/sdk/gateway/body';
import { OWNER } from '@dpu/sdk/gateway/writers';
import { Buckets } from '@dpu/sdk/gossip/bucket';
import { openEnvelope } from '@dpu/sdk/privacy/envelope';
import { PrivacyError } from '@dpu/sdk/privacy/errors';
import type { Identity } from '@dpu/sdk/privacy/identity';
import { MAX_ENVELOPE_BYTES } from '@dpu/sdk/privacy/schema';
import type { JobSpec } from '@dpu/sdk/spec';
import { concat } from '@dpu/sdk/storage/bytes';
import type { Terms } from '@dpu/sdk/terms';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { isHex, type Hex } from 'viem';

import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { EnvelopeBook } from './envelopeBook.ts';

/** What is asked about a job whose envelope comes, once the node works. */
export interface EnvelopeDesk {
  book: EnvelopeBook;
  identity: Identity | undefined;
  /** Terms of a job that this node has seen on chain. */
  terms: (job: Hex) => Terms | undefined;
  spec: (terms: Terms, signal: AbortSignal) => Promise<JobSpec>;
  /** Told when a job can be opened now. */
  onTaken: (job: Hex) => void;
  log: Log;
  /** Milliseconds of a steady clock. */
  clockMs: () => number;
}

/** Envelopes for one job that are tried: each costs an elliptic curve's multiplication. */
const TRIES = { burst: 8, perSecond: 0.2 };
const SPEC_MS = 20_000;

/**
 * `PUT /v1/envelopes/:job`: takes an envelope for a private job that was posted without one for this node. No signature is asked for: only who has the
 * job's key can make one that opens to it, and that is all there is to prove. 204 when it is taken, and it is on the disk by then.
 */
export function envelopeRoutes(desk: () => EnvelopeDesk | undefined): Hono {
  const tries = new Buckets(TRIES);
  const refuse = (c: Context, status: 400 | 404 | 409 | 422 | 429 | 502 | 503, error: string, message: string) =>
    c.json({ error, message }, status, { 'cache-control': 'no-store' });
  return new Hono().put('/v1/envelopes/:job', async (c) => {
    const job = c.req.param('job').toLowerCase();
    if (!isHex(job) || job.length !== 66) return refuse(c, 400, 'invalid-request', 'a job id is 0x and 64 hex digits');
    const there = desk();
    if (!there) return refuse(c, 503, 'starting', 'This node does not work yet; try again in a moment.');
    const { book, identity, terms: termsOf, spec: specOf, onTaken, log, clockMs } = there;
    if (!identity) return refuse(c, 409, 'no-key', 'This node has no key for private jobs.');
    const terms = termsOf(job);
    if (!terms) return refuse(c, 404, 'not-found', 'This node has not seen the job on chain; try again after a block.');
    if (!tries.take(job, clockMs())) return refuse(c, 429, 'busy', 'Too many envelopes for this job; try again later.');
    const pieces: Uint8Array[] = [];
    for await (const piece of bodyOf(c, MAX_ENVELOPE_BYTES, OWNER)) pieces.push(piece);
    const sealed = concat(pieces);
    let spec: JobSpec;
    try {
      spec = await specOf(terms, AbortSignal.timeout(SPEC_MS));
    } catch (error) {
      return refuse(c, 502, 'spec-unavailable', `The job's spec cannot be used here: ${messageOf(error)}`);
    }
    if (!spec.private) return refuse(c, 409, 'not-private', 'Everyone can read this job; it needs no envelope.');
    try {
      await openEnvelope(sealed, identity, spec.private.recipient);
    } catch (error) {
      if (!(error instanceof PrivacyError)) throw error;
      return refuse(c, 422, error.code, error.message);
    }
    book.keep(job, sealed);
    onTaken(job);
    log.info('An envelope came for a private job', { jobId: job });
    return c.body(null, 204);
  });
}
