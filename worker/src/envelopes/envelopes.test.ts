import { envelope, newJobKey, type JobKey } from '@dpu/sdk/privacy/envelope';
import { newIdentity, type SecretIdentity } from '@dpu/sdk/privacy/identity';
import { MAX_ENVELOPE_BYTES } from '@dpu/sdk/privacy/schema';
import type { JobSpec } from '@dpu/sdk/spec';
import { UploadTooBigError } from '@dpu/sdk/storage/errors';
import { beforeAll, describe, expect, test } from 'vitest';

import { Journal } from '../sending/journal.ts';
import { silentLog } from '../log.ts';
import { bytes32, JOB, sampleTerms } from '../testing/samples.ts';
import { EnvelopeBook } from './envelopeBook.ts';
import { envelopeRoutes, type EnvelopeDesk } from './envelopeRoutes.ts';

let node: SecretIdentity;
let jobKey: JobKey;
let sealed: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  [node, jobKey] = await Promise.all([newIdentity(), newJobKey()]);
  sealed = await envelope(jobKey, [node.recipient]);
});

function setup(over: Partial<EnvelopeDesk> = {}) {
  const taken: string[] = [];
  const book = new EnvelopeBook(new Journal({ file: ':memory:' }));
  let now = 0;
  const desk: EnvelopeDesk = {
    ...{ book, identity: node, log: silentLog },
    terms: (job) => (job === JOB ? sampleTerms({}) : undefined),
    spec: async () => ({ private: { recipient: jobKey.recipient } }) as JobSpec,
    onTaken: (job) => taken.push(job),
    clockMs: () => now,
    ...over,
  };
  const app = envelopeRoutes(() => desk);
  app.onError((error, c) => c.json({ error: error.name }, 500));
  const put = async (job: string, body: Uint8Array<ArrayBuffer>): Promise<[number, string | undefined]> => {
    const answer = await app.request(`/v1/envelopes/${job}`, { method: 'PUT', body });
    const text = await answer.text();
    return [answer.status, text === '' ? undefined : (JSON.parse(text) as { error: string }).error];
  };
  return { put, book, taken, later: (ms: number) => (now += ms) };
}

describe('a node’s desk for envelopes', () => {
  test('keeps an envelope that opens to the job’s key, and tells who prepares the job', async () => {
    const { put, book, taken } = setup();
    expect(await put(JOB.toUpperCase().replace('0X', '0x'), sealed)).toEqual([204, undefined]);
    expect(Uint8Array.from(book.of(JOB)!)).toEqual(sealed);
    expect(taken).toEqual([JOB]);
  });

  test('refuses what is not for it, and keeps nothing of it', async () => {
    const stranger = await newIdentity();
    const { put, book, taken } = setup();
    expect(await put(JOB, await envelope(jobKey, [stranger.recipient]))).toEqual([422, 'not-a-recipient']);
    expect(await put(JOB, await envelope(await newJobKey(), [node.recipient]))).toEqual([422, 'wrong-job-key']);
    expect(await put(JOB, Uint8Array.of(1, 2, 3))).toEqual([422, 'not-age']);
    expect(await put(bytes32(9), sealed)).toEqual([404, 'not-found']);
    expect(await put('0x12', sealed)).toEqual([400, 'invalid-request']);
    expect(await put(JOB, new Uint8Array(MAX_ENVELOPE_BYTES + 1))).toEqual([500, UploadTooBigError.name]);
    expect([book.of(JOB), taken]).toEqual([undefined, []]);
  });

  test('says what it lacks', async () => {
    expect(await setup({ identity: undefined }).put(JOB, sealed)).toEqual([409, 'no-key']);
    expect(await setup({ spec: async () => ({}) as JobSpec }).put(JOB, sealed)).toEqual([409, 'not-private']);
    const broken = { spec: () => Promise.reject(new Error('gone')) };
    expect(await setup(broken).put(JOB, sealed)).toEqual([502, 'spec-unavailable']);
    const closed = await envelopeRoutes(() => undefined).request(`/v1/envelopes/${JOB}`, { method: 'PUT' });
    expect(closed.status).toBe(503);
  });

  test('tries eight envelopes of a job at once, then one in five seconds', async () => {
    const { put, later } = setup();
    const junk = Uint8Array.of(1);
    for (let round = 0; round < 8; round += 1) expect((await put(JOB, junk))[0]).toBe(422);
    expect(await put(JOB, sealed)).toEqual([429, 'busy']);
    later(4_999);
    expect(await put(JOB, sealed)).toEqual([429, 'busy']);
    later(1);
    expect(await put(JOB, sealed)).toEqual([204, undefined]);
  });
});

test('the book holds the newest thousand envelopes, and a later one takes the place of an earlier one', () => {
  const book = new EnvelopeBook(new Journal({ file: ':memory:' }));
  for (let job = 1; job <= 1_025; job += 1) book.keep(bytes32(job), Uint8Array.of(job & 255));
  expect([book.of(bytes32(1)), book.of(bytes32(2))?.[0]]).toEqual([undefined, 2]);
  book.keep(bytes32(2), Uint8Array.of(77));
  expect(book.of(bytes32(2))?.[0]).toBe(77);
});
