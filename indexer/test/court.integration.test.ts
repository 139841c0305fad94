import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { createApi } from '@dpu/sdk/api';
import { Webhook } from 'standardwebhooks';
import { parseEther } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PAGE, signInAt } from './lib/accounts.ts';
import { people, startChain, type Chain } from './lib/chain.ts';
import { CHALLENGER, SHOWN, tellCourt, type CourtStory } from './lib/court.ts';
import { startIndexer, type Indexer } from './lib/ponder.ts';
import { until } from './lib/process.ts';
import { expectBalances, expectCurrencies, expectNodes, expectStates } from './lib/truth.ts';

describe('the court on chain and in the index', () => {
  let chain: Chain;
  let indexer: Indexer;
  let api: ReturnType<typeof createApi>;
  let story: CourtStory;
  let secret: string;
  /** What the requester's webhook got. */
  const got: { headers: Record<string, string>; body: string }[] = [];
  const receiver = http.createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      got.push({ headers: request.headers as Record<string, string>, body: Buffer.concat(pieces).toString() });
      response.writeHead(204).end();
    });
  });

  beforeAll(async () => {
    chain = await startChain();
    const memory = { PONDER_PGLITE_DIR: 'memory://', PONDER_ACCOUNT_DIR: 'memory://' };
    indexer = await startIndexer({
      ...{ ...chain.env, ...memory, PONDER_ACCOUNT_ORIGINS: PAGE, PONDER_WEBHOOK_PRIVATE: '1' },
    });
    api = createApi(indexer.url);
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    // Accounts are opened a moment after the API.
    const ask = await until('accounts', () => signInAt(indexer.url, people.requester));
    ({ secret } = (await ask('POST', '/account/webhooks', { url, kinds: ['job.challenged', 'dispute.verdict'] })) as {
      secret: string;
    });
    story = await tellCourt(chain);
    await indexer.reach(await chain.client.getBlockNumber());
  });

  afterAll(async () => {
    receiver.closeAllConnections();
    receiver.close();
    await indexer?.stop();
    await chain?.stop();
  });

  const jobOf = async (id: string) => (await api.job(id))!;

  test('balances equal the contract, and are the sum of the payments', () => expectBalances(chain, api, indexer.url));

  test('fees equal the contract, and ended jobs leave nothing in escrow', () => expectCurrencies(chain, indexer.url));

  test('nodes equal the contract', () => expectNodes(chain, api, [1, 2, 3, 4, 5, 6, 7, CHALLENGER]));

  test('states equal the contract', () => expectStates(chain, api, Object.values(story)));

  test('nothing is locked any more', async () => {
    for (const id of [1, 2, 3, 4, 5, 6, 7, CHALLENGER]) expect((await api.node(id))!.locked, `node ${id}`).toBe(0n);
  });

  test('wrong: who held it lost its bond, a silent juror its own, and the range was free', async () => {
    const { state, leases, disputes, paid } = await jobOf(story.invalid);
    expect([state, paid]).toEqual(['closed', 0n]);
    expect(leases).toMatchObject([{ node: 1, phase: 'lapsed', lapses: 1 }]);
    const [dispute] = disputes;
    // Four jurors of 2 DPU each; of the bond of 32 DPU less that, two fifths are the reward.
    expect(dispute).toMatchObject({
      ...{ shard: 1, node: 1, state: 'ended', round: 1, verdict: 'invalid', fee: parseEther('2'), forfeited: 0n },
      ...{ returned: parseEther('12'), rewarded: parseEther('17.6'), appellant: null },
    });
    expect(dispute!.challenger.node).toBeNull();
    expect(dispute!.jurors.map(({ vote, paid }) => [vote, paid])).toEqual([
      ['invalid', true],
      ['invalid', true],
      ['none', false],
      ['invalid', true],
      ['invalid', true],
    ]);
  });

  test('right: who challenged lost what the jury did not use, half of it to the holder, and the lease was paid', async () => {
    const { state, leases, disputes } = await jobOf(story.valid);
    expect(state).toBe('complete');
    expect(leases).toMatchObject([{ phase: 'settled', ...SHOWN }]);
    const [dispute] = disputes;
    expect(dispute).toMatchObject({
      ...{ state: 'ended', round: 2, verdict: 'valid', challenger: { account: null, node: CHALLENGER } },
      ...{ returned: 0n, forfeited: parseEther('12'), rewarded: 0n, repaid: 0n },
      appellant: { account: null, node: CHALLENGER },
    });
    expect(dispute!.jurors.map(({ paid }) => paid)).toEqual([true, true, true, true, false]);
  });

  test('impossible: half for the holder, the rest for who found it, less the fee', async () => {
    const { state, leases, disputes, paid, fee, refunded, claimed, settled } = await jobOf(story.specFault);
    expect([state, claimed, settled]).toEqual(['closed', 0, 0]);
    expect(leases).toMatchObject([{ phase: 'excused' }]);
    expect(leases[0]!.paid + leases[0]!.fee).toBe(leases[0]!.price);
    expect(paid + fee).toBe(2n * leases[0]!.price);
    expect(paid + fee + refunded).toBe(parseEther('6'));
    expect(disputes).toMatchObject([{ verdict: 'specFault', returned: parseEther('12') }]);
  });

  test('out of reach: the holder paid the jury and was paid', async () => {
    const { state, leases, disputes } = await jobOf(story.withheld);
    expect(state).toBe('complete');
    expect(leases).toMatchObject([{ phase: 'settled', bond: parseEther('22') }]);
    expect(disputes).toMatchObject([{ verdict: 'withheld', rewarded: parseEther('10'), repaid: 0n }]);
  });

  test('wrong twice: each dispute takes a shard’s bond', async () => {
    const { disputes, leases } = await jobOf(story.twice);
    expect(disputes.map(({ verdict }) => verdict)).toEqual(['invalid', 'invalid']);
    expect(leases).toMatchObject([{ phase: 'lapsed' }]);
  });

  test('the requester is told of each challenge and each verdict, signed, once', async () => {
    // News are told when the blocks are safe.
    await chain.control.mine({ blocks: 64 });
    const bodies = () =>
      got.map(
        ({ body }) => JSON.parse(body) as { type: string; data: { job: string; verdict?: string; final?: boolean } },
      );
    const ended = () => bodies().filter(({ data }) => data.final === true);
    await until('a message for each dispute that ended', async () => ended().length >= 6);
    expect(ended().map(({ data }) => [data.job, data.verdict])).toEqual([
      [story.invalid, 'invalid'],
      [story.valid, 'valid'],
      [story.specFault, 'specFault'],
      [story.withheld, 'withheld'],
      [story.twice, 'invalid'],
      [story.twice, 'invalid'],
    ]);
    const challenged = bodies().filter(({ type }) => type === 'job.challenged');
    expect(challenged.map(({ data }) => data.job)).toEqual([
      ...[story.invalid, story.valid, story.specFault, story.withheld, story.twice, story.twice],
    ]);
    expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(got.length);
    const webhook = new Webhook(secret);
    for (const { headers, body } of got) expect(webhook.verify(body, headers)).toEqual(JSON.parse(body));
  });
});
