import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, beforeEach } from 'vitest';

import { NOT_LISTENING, type LiveFacts } from '../../src/live/facts.ts';
import { smtpMailer } from '../../src/notify/mail.ts';
import { testAccounts, WALLET, type TestAccounts } from './accounts.ts';
import { startMailServer, type MailServer } from './mail.ts';
import { DOLLAR, JOB, World } from './world.ts';

type Hex = `0x${string}`;
/** An address that an account is told at. */
export interface Channel {
  id: string;
  [fact: string]: unknown;
}
/** Something that is told, or will be. */
export interface Delivery {
  id: string;
  message: string;
  kind: string;
  state: string;
  attempts: number;
  dueAt: number | null;
  status: number | null;
  error: string | null;
  body: string;
}

/** Whose account it is. */
export const ME = WALLET.address.toLowerCase() as Hex;
/** Every kind of message. */
export const ALL = ['job.done', 'job.challenged', 'dispute.verdict', 'node.unhealthy', 'lease.risk', 'proposal.live'];
/** Blocks between an event and the block by which it is safe. */
export const SAFE = 15;

/** The accounts, and the servers that are told. */
export let here: TestAccounts;
export let mail: MailServer;
export let hook: string;
/** What a test may set: who asks, what nodes say, what the webhook answers with. */
export const desk = { token: '', live: NOT_LISTENING as LiveFacts, answer: 204 };
/** What the webhook was told. */
export const got: { id: string; headers: http.IncomingHttpHeaders; body: string }[] = [];
const receiver = http.createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    got.push({ id: request.headers['webhook-id'] as string, headers: request.headers, body });
    response.writeHead(desk.answer).end();
  });
});

/** Opens the accounts and both servers for the tests of a file, empty before each of them. */
export function openDesk(): void {
  beforeAll(async () => {
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/in`;
    mail = await startMailServer();
    const facts: LiveFacts = {
      get listening() {
        return desk.live.listening;
      },
      declinesOf: (job) => desk.live.declinesOf(job),
      heartbeatOf: (node) => desk.live.heartbeatOf(node),
      uptimeOf: (node) => desk.live.uptimeOf(node),
    };
    here = await testAccounts({ live: facts, mailer: smtpMailer({ url: mail.url, from: 'dpu@dpu.example' }) });
  }, 120_000);
  beforeEach(async () => {
    await here.clear();
    desk.live = NOT_LISTENING;
    desk.answer = 204;
    got.length = 0;
    mail.received.length = 0;
    mail.refuse = undefined;
    await here.database.load(new World().memory);
    await here.database.reach(0);
    desk.token = await here.signIn();
  });
  afterAll(async () => {
    await here.close();
    await mail.close();
    receiver.closeAllConnections();
    receiver.close();
  });
}

/** A webhook, and the secret that it is signed with. */
export const addHook = async (kinds = ALL, by = desk.token): Promise<{ channel: Channel; secret: string }> =>
  (await here.good('POST', '/account/webhooks', { token: by, body: { url: hook, kinds } })) as never;
export const channels = async () =>
  (await here.good('GET', '/account/channels', { token: desk.token }))['items'] as Channel[];
export const deliveries = async (query = '') =>
  (await here.good('GET', `/account/deliveries${query}`, { token: desk.token }))['items'] as Delivery[];
/** Looks, and makes every attempt that is due. */
export const round = async (): Promise<void> => {
  const { notifier } = here.accounts;
  while (await notifier.look());
  while ((await notifier.deliver()) > 0) await notifier.settled();
};
/** The value of a link's parameter in a text. */
export const tokenIn = (text: string, name: string) => new RegExp(`${name}=([\\w.-]+)`).exec(text)![1]!;
/** A mail address that is confirmed. */
export const addMail = async (address = 'me@example.com', kinds = ALL) => {
  await here.good('POST', '/account/emails', { token: desk.token, body: { address, kinds } });
  const { text } = mail.received.pop()!;
  await here.good('POST', '/account/emails/confirm', { body: { token: tokenIn(text, 'confirm') } });
};
/** The world as `tell` makes it, at `blocks` after its last event. */
export const show = async (world: World, blocks = SAFE): Promise<void> => {
  await here.database.load(world.memory);
  await here.database.reach(world.block + blocks);
};
/** A world in which a job of the account is done. */
export const jobDone = async (): Promise<World> => {
  const world = new World();
  await world.node();
  await world.emit('Deposited', { currency: DOLLAR, account: ME, from: ME, amount: 20_000n });
  await world.post(JOB, { requester: WALLET.address });
  await world.claim({ count: 4 });
  await world.reveal();
  await world.settle();
  await world.emit('JobCompleted', { id: JOB, refunded: 600n });
  return world;
};
