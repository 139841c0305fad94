/** What the indexer keeps for somebody who signs in, as a small typed client: every answer is checked against its schema. */
import type { z } from 'zod';

import * as shapes from './apiAccount.ts';
import { problemSchema } from './apiSchemas.ts';

type Output<Schema extends z.ZodType> = z.output<Schema>;
type Input<Schema extends z.ZodType> = z.input<Schema>;

/** The indexer refused, failed, or could not be reached. */
export class AccountError extends Error {
  override readonly name = 'AccountError';
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** What it was, for programs: the last part of the problem's type, e.g. `passkey-needed`; empty when there was none. */
  readonly problem: string;

  constructor(message: string, context: { status: number; problem?: string; cause?: unknown }) {
    super(message, { cause: context.cause });
    this.status = context.status;
    this.problem = context.problem ?? '';
  }
}

/** What the client takes from its surroundings. */
export interface AccountApiDeps {
  fetch?: typeof fetch;
  /** The bearer token or API key; undefined while signed out, and where a cookie does it. */
  token?: () => string | undefined;
}

export type AccountApi = ReturnType<typeof createAccountApi>;

/** A client of the indexer at `url`. @throws AccountError from each call */
export function createAccountApi(url: string, deps: AccountApiDeps = {}) {
  const base = `${url.replace(/\/+$/, '')}/v1`;
  const fetcher = deps.fetch ?? ((input, init) => fetch(input, init));

  async function call<Schema extends z.ZodType>(
    method: string,
    path: string,
    schema: Schema,
    body?: unknown,
  ): Promise<Output<Schema>> {
    const token = deps.token?.();
    let response: Response;
    try {
      response = await fetcher(`${base}${path}`, {
        method,
        headers: {
          accept: 'application/json',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new AccountError('The indexer did not answer. Check the connection and try again.', { status: 0, cause });
    }
    const { status, ok } = response;
    const given: unknown = await response.json().catch(() => undefined);
    if (!ok) {
      const problem = problemSchema.safeParse(given).data;
      const name = problem?.type.replace('urn:dpu:problem:', '');
      throw new AccountError(problem?.detail ?? `HTTP ${status}`, {
        status,
        ...(name !== undefined && { problem: name }),
      });
    }
    const parsed = schema.safeParse(given);
    if (parsed.success) return parsed.data;
    const sentence = "The indexer's answer has an unexpected shape. Are both of the same version?";
    throw new AccountError(sentence, { status, cause: parsed.error });
  }
  const id = encodeURIComponent;

  return {
    nonce: () => call('POST', '/account/nonce', shapes.nonceSchema),
    signIn: (body: Input<typeof shapes.signInSchema>) => call('POST', '/account/session', shapes.signedInSchema, body),
    signOut: () => call('DELETE', '/account/session', shapes.doneSchema),
    my: () => call('GET', '/account', shapes.mySchema),
    sessions: async () => (await call('GET', '/account/sessions', shapes.sessionListSchema)).items,
    endSession: (session: string) => call('DELETE', `/account/sessions/${id(session)}`, shapes.doneSchema),
    endOtherSessions: () => call('DELETE', '/account/sessions', shapes.doneSchema),

    /** What `startRegistration` of `@simplewebauthn/browser` takes. */
    newPasskeyOptions: async () =>
      (await call('POST', '/account/passkeys/options', shapes.passkeyOptionsSchema)).options,
    addPasskey: (body: Input<typeof shapes.newPasskeySchema>) =>
      call('POST', '/account/passkeys', shapes.mySchema.pick({ passkeys: true }), body),
    removePasskey: (passkey: string) => call('DELETE', `/account/passkeys/${id(passkey)}`, shapes.doneSchema),
    /** What `startAuthentication` of `@simplewebauthn/browser` takes. */
    passkeyOptions: async () => (await call('POST', '/account/passkey/options', shapes.passkeyOptionsSchema)).options,
    usePasskey: (body: Input<typeof shapes.passkeyAnswerSchema>) =>
      call('POST', '/account/passkey', shapes.passkeyCheckedSchema, body),
    recover: () => call('POST', '/account/recovery', shapes.mySchema.pick({ recoveryAt: true })),

    keys: async () => (await call('GET', '/account/keys', shapes.keyListSchema)).items,
    makeKey: (body: Input<typeof shapes.newKeySchema>) => call('POST', '/account/keys', shapes.madeKeySchema, body),
    changeKey: (key: string, body: Input<typeof shapes.keyChangeSchema>) =>
      call('PUT', `/account/keys/${id(key)}`, shapes.keySchema, body),
    revokeKey: (key: string) => call('DELETE', `/account/keys/${id(key)}`, shapes.doneSchema),
    /** With an API key that has the scope `post`. */
    placeOrder: (body: Input<typeof shapes.orderSchema>) => call('POST', '/orders', shapes.placedOrderSchema, body),

    channels: async () => (await call('GET', '/account/channels', shapes.channelListSchema)).items,
    addWebhook: (body: Input<typeof shapes.newWebhookSchema>) =>
      call('POST', '/account/webhooks', shapes.madeChannelSchema, body),
    addEmail: (body: Input<typeof shapes.newEmailSchema>) =>
      call('POST', '/account/emails', shapes.madeChannelSchema, body),
    confirmEmail: (token: string) => call('POST', '/account/emails/confirm', shapes.doneSchema, { token }),
    unsubscribe: (token: string) => call('POST', `/account/unsubscribe/${id(token)}`, shapes.doneSchema),
    changeChannel: (channel: string, body: Input<typeof shapes.channelChangeSchema>) =>
      call('PUT', `/account/channels/${id(channel)}`, shapes.channelSchema, body),
    removeChannel: (channel: string) => call('DELETE', `/account/channels/${id(channel)}`, shapes.doneSchema),
    rotateSecret: (channel: string) =>
      call('POST', `/account/channels/${id(channel)}/rotate`, shapes.madeChannelSchema),
    testChannel: (channel: string) => call('POST', `/account/channels/${id(channel)}/test`, shapes.doneSchema),
    /** Newest first; `state: 'dead'` is the dead-letter list. */
    deliveries: (query: { channel?: string; state?: string; cursor?: string; limit?: number } = {}) => {
      const search = new URLSearchParams(
        Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
      );
      return call('GET', `/account/deliveries${search.size ? `?${search}` : ''}`, shapes.deliveryPageSchema);
    },
    replay: (delivery: string) => call('POST', `/account/deliveries/${id(delivery)}/replay`, shapes.doneSchema),
  };
}
