import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { orderTypedData, marketDomain, termsToJson } from '@dpu/sdk/terms';
import { getAddress } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openPostgres, setOnce, StoreTooNew } from '../src/accounts/store.ts';
import { take } from '../src/notify/queue.ts';
import { CHAIN, MARKET, NOW, signedMessage, testAccounts, WALLET, type TestAccounts } from './lib/accounts.ts';
import { postgresBin, startPostgres, type Postgres } from './lib/postgres.ts';
import { DOLLAR, TERMS } from './lib/world.ts';

const bin = postgresBin();

describe.skipIf(!bin)('several instances on one PostgreSQL', () => {
  let postgres: Postgres;
  let instances: [TestAccounts, TestAccounts];
  const relayed: bigint[] = [];
  const relay = async ({ salt }: { salt: bigint }) => {
    relayed.push(salt);
    return `0x${'77'.repeat(32)}` as const;
  };
  beforeAll(async () => {
    postgres = await startPostgres(bin!);
    // Both begin at the same time, on an empty database.
    const stores = await Promise.all([openPostgres(postgres.url), openPostgres(postgres.url)]);
    instances = [await testAccounts({ store: stores[0], relay }), await testAccounts({ store: stores[1], relay })];
  }, 120_000);
  afterAll(async () => {
    for (const instance of instances ?? []) await instance.close();
    await postgres?.stop();
  });

  test('the tables are beside the chain’s, made once, and refuse an older program', async () => {
    const [{ store }] = instances;
    expect(await store.query('SELECT version FROM migration')).toEqual([{ version: 1 }]);
    const schemas = await store.query<{ schema: string }>(
      "SELECT DISTINCT table_schema AS schema FROM information_schema.tables WHERE table_name IN ('session', 'delivery')",
    );
    expect(schemas).toEqual([{ schema: 'dpu_account' }]);
    await store.query('INSERT INTO migration (version) VALUES (99)');
    await expect(openPostgres(postgres.url)).rejects.toThrow(StoreTooNew);
    await store.query('DELETE FROM migration WHERE version = 99');
  });

  test('a setting that both write has one value', async () => {
    const values = await Promise.all(instances.map(({ store }, index) => setOnce(store, 'which', String(index))));
    expect(new Set(values).size).toBe(1);
  });

  test('a session of one is a session of the other, and a nonce is used up for both', async () => {
    const [first, second] = instances;
    const { message, signature } = await signedMessage(first.ask, first.clock);
    const body = { message, signature, transport: 'bearer' };
    const answers = await Promise.all(
      [first, second, first, second].map(({ ask }) => ask('POST', '/account/session', { body })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
    const { token } = (await answers.find(({ status }) => status === 200)!.json()) as { token: string };
    expect((await second.ask('GET', '/account', { token })).status).toBe(200);
  });

  test('of orders at both at once, exactly those within the cap pass', async () => {
    const [first] = instances;
    const token = await first.signIn();
    const cost = BigInt(TERMS.shards) * TERMS.maxPrice;
    const { secret } = (await first.good('POST', '/account/keys', {
      token,
      body: {
        ...{ name: 'ci', scopes: ['post'], perSecond: 1_000, expiresAt: null },
        caps: [{ currency: DOLLAR, perDay: String(5n * cost), total: null }],
      },
    })) as { secret: string };
    const domain = marketDomain(CHAIN, getAddress(MARKET));
    const orders = await Promise.all(
      Array.from({ length: 20 }, async (_, salt) => {
        const terms = { ...TERMS, requester: WALLET.address, salt: BigInt(salt) };
        const signature = await WALLET.signTypedData(orderTypedData(terms, domain));
        return { terms: termsToJson(terms), signature };
      }),
    );
    const answers = await Promise.all(
      orders.map((body, index) => instances[index % 2]!.ask('POST', '/orders', { token: secret, body })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(15);
    expect(new Set(relayed).size).toBe(5);
  });

  test('deliveries are shared out: each is taken by one', async () => {
    const [{ store }] = instances;
    await store.query(
      `INSERT INTO channel (id, account, type, target, kinds, since, created, confirmed, secret_version)
       SELECT 'c' || n, 'a', 'webhook', 'http://' || n, '', '0', 0, 0, 1 FROM generate_series(1, 40) AS n`,
    );
    await store.query(
      `INSERT INTO delivery (channel, message, kind, body, state, attempts, due, created)
       SELECT 'c' || (n % 40 + 1), 'm' || n, 'test', '{}', 'waiting', 0, 0, 0 FROM generate_series(1, 80) AS n`,
    );
    const taken = (
      await Promise.all(Array.from({ length: 8 }, (_, index) => take(instances[index % 2]!.store, NOW, 20)))
    ).flat();
    expect(new Set(taken.map(({ id }) => id)).size).toBe(taken.length);
    expect(new Set(taken.map(({ channel }) => channel)).size).toBe(taken.length);
    await store.query("DELETE FROM channel WHERE account = 'a'");
  });

  test('two that look and deliver at once send everything once', async () => {
    const got: string[] = [];
    const receiver = http.createServer((request, response) => {
      request.resume().on('end', () => {
        got.push(request.headers['webhook-id'] as string);
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const [first] = instances;
    const token = await first.signIn();
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const { channel } = (await first.good('POST', '/account/webhooks', { token, body: { url, kinds: [] } })) as {
      channel: { id: string };
    };
    for (let index = 0; index < 10; index += 1)
      await first.good('POST', `/account/channels/${channel.id}/test`, { token });
    for (let round = 0; round < 12; round += 1) {
      await Promise.all(instances.map(({ accounts }) => accounts.notifier.deliver()));
      await Promise.all(instances.map(({ accounts }) => accounts.notifier.settled()));
    }
    expect(got).toHaveLength(10);
    expect(new Set(got).size).toBe(10);
    receiver.closeAllConnections();
    receiver.close();
  });
});
