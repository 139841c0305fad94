import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createApiClient } from '@dpu/sdk/apiClient';
import { orderTypedData, marketDomain, termsToJson } from '@dpu/sdk/terms';
import { Webhook } from 'standardwebhooks';
import type { HDAccount } from 'viem';
import { createSiweMessage } from 'viem/siwe';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startMailServer, type MailServer } from '../../indexer/test/lib/mail.ts';
import { startNetwork, type Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { honestModule } from '../lib/badModules.ts';
import { fundRequester } from '../lib/books.ts';
import { until } from '../lib/until.ts';
import { DPU, postWasm, storeSpec, testTerms } from '../lib/wasmJob.ts';

/** A receiver of webhooks that can be away, silent, or there. */
interface Receiver {
  url: string;
  port: number;
  got: { headers: IncomingHttpHeaders; body: string }[];
  mode: 'answer' | 'hang';
  asked: number;
  close(): Promise<void>;
}

let network: Network;
let mail: MailServer;
let receiver: Receiver;
let token: string;
let secret: string;

beforeAll(async () => {
  mail = await startMailServer();
  receiver = await startReceiver();
  network = await startNetwork({
    name: 'test-accounts',
    runtimes: ['wasm'],
    nodes: 1,
    without: ['app'],
    indexerEnv: { PONDER_SMTP_URL: mail.url, PONDER_SMTP_FROM: 'dpu@dpu.example' },
  });
  await fundRequester(network, 100n * DPU);
  token = await signIn(people.requester);
  const kinds = ['job.done'] as const;
  const { data } = await api().POST('/v1/account/webhooks', { body: { url: receiver.url, kinds: [...kinds] } });
  secret = data!.secret!;
  await api().POST('/v1/account/emails', { body: { address: 'requester@example.com', kinds: [...kinds] } });
  const confirm = /confirm=([\w.-]+)/.exec(mail.received.pop()!.text)![1]!;
  await api().POST('/v1/account/emails/confirm', { body: { token: confirm } });
}, 600_000);
afterAll(async () => {
  await network?.stop();
  await mail?.close();
  await receiver?.close();
});

/** The typed client, signed in. */
function api(bearer: string = token) {
  return createApiClient(network.deployment.indexerUrl, {
    fetch: (request) => {
      request.headers.set('authorization', `Bearer ${bearer}`);
      return fetch(request);
    },
  });
}

async function signIn(person: HDAccount): Promise<string> {
  const url = `${network.deployment.indexerUrl}/v1/account`;
  const post = async (path: string, body?: unknown) =>
    (await fetch(`${url}/${path}`, {
      method: 'POST',
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    }).then((response) => response.json())) as Record<string, string>;
  const { nonce, statement } = await post('nonce');
  const now = Date.now();
  const message = createSiweMessage({
    ...{ address: person.address, chainId: network.deployment.chainId, version: '1' },
    ...{ nonce: nonce!, statement: statement! },
    ...{ domain: '127.0.0.1:24173', uri: 'http://127.0.0.1:24173/account' },
    ...{ issuedAt: new Date(now), expirationTime: new Date(now + 300_000) },
  });
  const signature = await person.signMessage({ message });
  const answer = await post('session', { message, signature, transport: 'bearer' });
  if (!answer['token']) throw new Error(JSON.stringify(answer));
  return answer['token'];
}

async function startReceiver(port = 0): Promise<Receiver> {
  const here: Receiver = { url: '', port: 0, got: [], mode: 'answer', asked: 0, close: () => Promise.resolve() };
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      here.asked += 1;
      if (here.mode === 'hang') return;
      here.got.push({ headers: request.headers, body });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  here.port = (server.address() as AddressInfo).port;
  here.url = `http://127.0.0.1:${here.port}/hook`;
  here.close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return here;
}

const deliveries = async () => (await api().GET('/v1/account/deliveries')).data!.items;
/** Waits until every delivery was sent, and gives a second one time to come. */
const settled = (count: number) =>
  until(network, 'the deliveries', async () => {
    // A connection to the process that was killed may still be in the pool.
    const items = await deliveries().catch(() => []);
    return items.length === count && items.every(({ state }) => state === 'sent');
  });

test('a job that is done reaches webhook and mailbox once, signed', async () => {
  const job = await postWasm(network, honestModule());
  await settled(2);
  expect(receiver.got).toHaveLength(1);
  const [{ headers, body }] = receiver.got as [Receiver['got'][number]];
  expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toMatchObject({
    type: 'job.done',
    data: { job: job.id, outcome: 'complete', account: people.requester.address.toLowerCase() },
  });
  expect(mail.received).toHaveLength(1);
  expect(mail.received[0]!.text).toContain(`job: ${job.id}`);
  expect(mail.received[0]!.headers.get('message-id')).toContain(headers['webhook-id']);
}, 180_000);

test('an indexer that is killed between the event and the delivery tells it all the same, once per id', async () => {
  receiver.got.length = 0;
  mail.received.length = 0;
  // First away, so that the delivery waits; then silent, so that the kill comes in the middle of an attempt.
  await receiver.close();
  const job = await postWasm(network, honestModule());
  await until(network, 'an attempt that failed', async () =>
    (await deliveries()).some(
      ({ state, attempts, body }) => state === 'waiting' && attempts > 0 && body.includes(job.id),
    ),
  );
  await network.restartIndexer();
  receiver = await startReceiver(receiver.port);
  receiver.mode = 'hang';
  await until(network, 'an attempt in the middle', async () => receiver.asked > 0);
  await network.restartIndexer();
  receiver.mode = 'answer';
  await settled(4);
  const ids = receiver.got.map(({ headers }) => headers['webhook-id']);
  expect(ids).toHaveLength(1);
  expect(new Set(mail.received.map(({ headers }) => headers.get('message-id'))).size).toBe(1);
  const [{ headers, body }] = receiver.got as [Receiver['got'][number]];
  expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toMatchObject({ data: { job: job.id } });
}, 300_000);

test('an order that the wallet signed is relayed within a key’s cap, and refused above it', async () => {
  const { deployment } = network;
  const digest = await storeSpec(network, honestModule());
  const { terms } = await testTerms(network, digest);
  const signed = async (of: typeof terms) => ({
    terms: termsToJson(of),
    signature: await people.requester.signTypedData(
      orderTypedData(of, marketDomain(deployment.chainId, deployment.market)),
    ),
  });
  const cost = String(BigInt(terms.shards) * terms.maxPrice);
  const { data } = await api().POST('/v1/account/keys', {
    body: {
      ...{ name: 'orders', scopes: ['post'], perSecond: 5, expiresAt: null },
      caps: [{ currency: terms.currency, perDay: cost, total: null }],
    },
  });
  const byKey = api(data!.secret);
  const placed = (await byKey.POST('/v1/orders', { body: await signed(terms) })).data!;
  expect(placed.spent).toEqual({ currency: terms.currency.toLowerCase(), amount: cost });
  const receipt = await network.local.publicClient.waitForTransactionReceipt({
    hash: placed.transaction as `0x${string}`,
  });
  expect(receipt).toMatchObject({ status: 'success', from: people.relayer.address.toLowerCase() });
  const again = (await byKey.POST('/v1/orders', { body: await signed(terms) })).data!;
  expect(again).toEqual(placed);
  const second = await signed({ ...terms, salt: terms.salt + 1n });
  await expect(byKey.POST('/v1/orders', { body: second })).rejects.toMatchObject({ status: 403 });
}, 180_000);
