/** Sends a webhook as Standard Webhooks says: signed, one attempt, no redirects. */
import http from 'node:http';
import https from 'node:https';

import { Webhook } from 'standardwebhooks';

import { hostOf, PrivateAddress, resolvePublic, type Resolve } from './address.ts';
import type { Outcome } from './queue.ts';

/** How long a receiver has for its answer, milliseconds, and how much of it is read, bytes. */
export const ANSWER_MS = 10_000;
const ANSWER_BYTES = 4_096;
/** The receiver says that it is no more: no retry. */
const GONE = 410;

/** One attempt. */
export interface Attempt {
  url: string;
  /** The newest first; each signs. */
  secrets: readonly string[];
  message: string;
  body: string;
  /** Unix ms. */
  now: number;
}

/** The three headers. */
export function signed({ secrets, message, body, now }: Omit<Attempt, 'url'>): Record<string, string> {
  const at = new Date(now);
  return {
    'webhook-id': message,
    'webhook-timestamp': String(Math.floor(now / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(message, at, body)).join(' '),
  };
}

/** Makes one attempt. Never throws: what went wrong is in the outcome. */
export async function sendWebhook(
  attempt: Attempt,
  { allowPrivate, resolve, answerMs = ANSWER_MS }: { allowPrivate: boolean; resolve: Resolve; answerMs?: number },
): Promise<Outcome> {
  const url = new URL(attempt.url);
  try {
    const [at] = await resolvePublic(hostOf(url), allowPrivate, resolve);
    const status = await post(url, at!, signed(attempt), attempt.body, answerMs);
    if (status >= 200 && status < 300) return { ok: true, status };
    return { ok: false, gone: status === GONE, status, error: `the receiver answered ${status}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // What is behind a closed address is nobody's business: the answer says no more than that it is closed.
    const sentence = error instanceof PrivateAddress ? 'the address is not on the public internet' : why.slice(0, 300);
    return { ok: false, gone: error instanceof PrivateAddress, status: null, error: sentence };
  }
}

function post(
  url: URL,
  at: { address: string; family: number },
  headers: Record<string, string>,
  body: string,
  answerMs: number,
): Promise<number> {
  const { request } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      {
        method: 'POST',
        agent: false,
        // Only where was checked; the name is still what TLS and the Host header say.
        lookup: (_host, options, answer) => {
          if (options.all) answer(null, [at]);
          else answer(null, at.address, at.family);
        },
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'dpu-webhook/1',
          connection: 'close',
        },
      },
      (answer) => {
        let read = 0;
        const done = (): void => {
          clearTimeout(timer);
          answer.destroy();
          resolve(answer.statusCode ?? 0);
        };
        answer.on('data', (chunk: Buffer) => {
          read += chunk.length;
          if (read > ANSWER_BYTES) done();
        });
        answer.on('end', done);
        answer.on('error', done);
      },
    );
    const timer = setTimeout(
      () => asked.destroy(new Error(`the receiver did not answer within ${answerMs / 1_000} s`)),
      answerMs,
    );
    asked.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    asked.end(body);
  });
}
