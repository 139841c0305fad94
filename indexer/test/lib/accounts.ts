/** Accounts to try out: tables in memory, a clock that stands, wallets, passkeys made of software. */
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';

import { isoCBOR } from '@simplewebauthn/server/helpers';
import { privateKeyToAccount } from 'viem/accounts';
import { createSiweMessage } from 'viem/siwe';

import { openAccounts, type Accounts, type AccountsDeps } from '../../src/accounts/accounts.ts';
import { messageVerifier } from '../../src/accounts/siwe.ts';
import { openEmbedded, type Store } from '../../src/accounts/store.ts';
import { createApp } from '../../src/api/app.ts';
import { NOT_LISTENING } from '../../src/live/facts.ts';
import { openDatabase, type TestDatabase } from './pglite.ts';

type Hex = `0x${string}`;

export const CHAIN = 31_337;
export const MARKET = `0x${'4a'.repeat(20)}` as Hex;
export const PAGE = 'http://localhost:24173';
export const OTHER_PAGE = 'https://dpu.example';
export const API = 'http://indexer';
export const WALLET = privateKeyToAccount(`0x${'11'.repeat(32)}`);
export const STRANGER = privateKeyToAccount(`0x${'22'.repeat(32)}`);
/** Time at which every test begins, unix ms. */
export const NOW = 1_800_000_000_000;

/** A clock that tests move. */
export class TestClock {
  ms = NOW;
  /** Of the steady clock, which rates go by. */
  steadyMs = 0;
  readonly now = (): number => this.ms;
  readonly steady = (): number => this.steadyMs;
}

export interface TestAccounts {
  accounts: Accounts;
  store: Store;
  database: TestDatabase;
  clock: TestClock;
  /** Sends a request to the API. */
  ask(method: string, path: string, more?: Ask): Promise<Response>;
  /** The same for one that must be answered with 200. */
  good(method: string, path: string, more?: Ask): Promise<Record<string, unknown>>;
  /** Signs a wallet in, as a page elsewhere does; answers the token. */
  signIn(wallet?: typeof WALLET): Promise<string>;
  /** Forgets everything but the tables themselves. */
  clear(): Promise<void>;
  close(): Promise<void>;
}
export interface Ask {
  token?: string | undefined;
  cookie?: string;
  origin?: string;
  who?: string;
  body?: unknown;
  raw?: string;
  agent?: string;
}

const TABLES = 'session, used_nonce, passkey, recovery, api_key, channel, mail_sent, watch';

export async function testAccounts(
  over: Partial<AccountsDeps> & { settings?: Partial<Parameters<typeof openAccounts>[0]> } = {},
): Promise<TestAccounts> {
  const { settings, ...deps } = over;
  const database = await openDatabase();
  const store = deps.store ?? (await openEmbedded('memory://'));
  const clock = new TestClock();
  const accounts = await openAccounts(
    {
      ...{ chainId: CHAIN, market: MARKET, origins: [PAGE, OTHER_PAGE], publicUrl: API, serverKey: 'ab'.repeat(32) },
      privateWebhooks: true,
      ...settings,
    },
    {
      ...{
        db: database.db,
        store,
        now: clock.now,
        steady: clock.steady,
        live: NOT_LISTENING,
        relay: undefined,
        mailer: undefined,
      },
      verify: messageVerifier({ verifyMessage: async () => false }),
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
      callerOf: (c) => c.req.header('who') ?? 'everybody',
      ...deps,
    },
  );
  const app = createApp(database.db, {
    accounts: { current: () => accounts },
    limits: { perSecond: 1e9, burst: 1e9 },
    callerOf: (c) => c.req.header('who') ?? 'everybody',
  });
  const ask: TestAccounts['ask'] = async (method, path, { token, cookie, origin, who, body, raw, agent } = {}) =>
    app.request(`${API}/v1${path}`, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(cookie && { cookie }),
        ...(origin && { origin }),
        ...(who && { who }),
        ...(agent && { 'user-agent': agent }),
        ...((body !== undefined || raw !== undefined) && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(raw !== undefined && { body: raw }),
    });
  const good: TestAccounts['good'] = async (method, path, more) => {
    const response = await ask(method, path, more);
    const answer = (await response.json()) as Record<string, unknown>;
    if (response.status !== 200) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  };
  return {
    ...{ accounts, store, database, clock, ask, good },
    async signIn(wallet = WALLET) {
      const { message, signature } = await signedMessage(ask, clock, { wallet });
      const answer = await good('POST', '/account/session', { body: { message, signature, transport: 'bearer' } });
      return answer['token'] as string;
    },
    async clear() {
      await store.query(`TRUNCATE ${TABLES} CASCADE`);
      await store.query("DELETE FROM setting WHERE name = 'cursor'");
      clock.ms = NOW;
      // Whoever was shut out by an earlier test is forgiven.
      clock.steadyMs += 3_600_000;
    },
    async close() {
      await accounts.close();
      await database.close();
    },
  };
}

/** A message as the dApp makes it, with a nonce of the service, and what tests change about it. */
export async function signedMessage(
  ask: TestAccounts['ask'],
  clock: TestClock,
  {
    wallet = WALLET,
    ...over
  }: { wallet?: Pick<typeof WALLET, 'address' | 'signMessage'> } & Partial<
    Parameters<typeof createSiweMessage>[0]
  > = {},
): Promise<{ message: string; signature: Hex; nonce: string }> {
  const given = (await (await ask('POST', '/account/nonce')).json()) as { nonce: string; statement: string };
  const message = createSiweMessage({
    ...{ address: wallet.address, chainId: CHAIN, domain: new URL(PAGE).host, uri: `${PAGE}/account`, version: '1' },
    ...{ nonce: given.nonce, statement: given.statement },
    issuedAt: new Date(clock.ms),
    expirationTime: new Date(clock.ms + 600_000),
    ...over,
  });
  return { message, nonce: given.nonce, signature: await wallet.signMessage({ message }) };
}

/** What the owner of `wallet` asks of an API that runs as a process of its own, signed in at `PAGE`; a refusal is thrown. */
export async function signInAt(
  api: string,
  wallet: Pick<typeof WALLET, 'address' | 'signMessage'>,
): Promise<(method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>> {
  let token = '';
  const ask = (method: string, path: string, { body }: Ask = {}): Promise<Response> =>
    fetch(`${api}/v1${path}`, {
      method,
      headers: { ...(token && { authorization: `Bearer ${token}` }), 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const good = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const response = await ask(method, path, { body });
    const answer = (await response.json()) as Record<string, unknown>;
    if (response.status !== 200) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  };
  const { message, signature } = await signedMessage(ask, Object.assign(new TestClock(), { ms: Date.now() }), {
    wallet,
  });
  const session = await good('POST', '/account/session', { message, signature, transport: 'bearer' });
  token = session['token'] as string;
  return good;
}

/** The problem of a refusal, by its short name, with what it says. */
export async function problemOf(response: Response): Promise<{ status: number; name: string; detail: string }> {
  const { type, detail } = (await response.json()) as { type: string; detail: string };
  return { status: response.status, name: type.replace('urn:dpu:problem:', ''), detail };
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const sha256 = (bytes: Uint8Array | string): Buffer => createHash('sha256').update(bytes).digest();
const USER_PRESENT = 0b1;
const USER_VERIFIED = 0b100;
const HAS_KEY = 0b0100_0000;

/** A passkey made of software, as a browser would answer for it. */
export class SoftPasskey {
  readonly id = randomBytes(16);
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #host: string;
  readonly #origin: string;
  counter = 0;

  constructor(origin: string = PAGE) {
    this.#origin = origin;
    this.#host = new URL(origin).hostname;
  }

  #client(type: string, challenge: string): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin: this.#origin, crossOrigin: false }));
  }

  #data(flags: number, more: Uint8Array = new Uint8Array()): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE((this.counter += 1));
    return Buffer.concat([sha256(this.#host), Buffer.from([flags]), counter, more]);
  }

  /** What `navigator.credentials.create` gives. */
  create(options: { challenge: string }): Record<string, unknown> {
    const { x, y } = this.#keys.publicKey.export({ format: 'jwk' });
    const bytes = (part: string | undefined) => new Uint8Array(Buffer.from(part!, 'base64url'));
    const key = isoCBOR.encode(
      new Map<number, number | Uint8Array>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, bytes(x)],
        [-3, bytes(y)],
      ]),
    );
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.id.length);
    const data = this.#data(
      USER_PRESENT | USER_VERIFIED | HAS_KEY,
      Buffer.concat([Buffer.alloc(16), length, this.id, key]),
    );
    const attestation = isoCBOR.encode(
      new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', new Uint8Array(data)],
      ]) as never,
    );
    return {
      ...{ id: base64url(this.id), rawId: base64url(this.id), type: 'public-key', clientExtensionResults: {} },
      response: {
        clientDataJSON: base64url(this.#client('webauthn.create', options.challenge)),
        attestationObject: base64url(attestation),
        transports: ['internal'],
      },
    };
  }

  /** What `navigator.credentials.get` gives. */
  get(options: { challenge: string }): Record<string, unknown> {
    const client = this.#client('webauthn.get', options.challenge);
    const data = this.#data(USER_PRESENT | USER_VERIFIED);
    const signature = createSign('sha256')
      .update(Buffer.concat([data, sha256(client)]))
      .sign(this.#keys.privateKey);
    return {
      ...{ id: base64url(this.id), rawId: base64url(this.id), type: 'public-key', clientExtensionResults: {} },
      response: {
        clientDataJSON: base64url(client),
        authenticatorData: base64url(data),
        signature: base64url(signature),
      },
    };
  }
}
