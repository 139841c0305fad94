import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { NOT_LISTENING } from '../src/live/facts.ts';
import { zeroHash } from 'viem';

import { mailOf } from '../src/notify/message.ts';
import { HELD_MS, MAILS_A_DAY, MOST_WAITING, RETRY_MS, settle, take } from '../src/notify/queue.ts';
import { SILENT_S, STEADY_MS } from '../src/notify/watch.ts';
import { MARKET, NOW, PAGE, problemOf, STRANGER } from './lib/accounts.ts';
import { DOLLAR, JOB, OPERATOR, OWNER, START, World } from './lib/world.ts';
import {
  ALL,
  ME,
  SAFE,
  addHook,
  addMail,
  channels,
  deliveries,
  desk,
  got,
  here,
  hook,
  jobDone,
  mail,
  openDesk,
  round,
  show,
  type Delivery,
} from './lib/desk.ts';

openDesk();

describe('a job that is done', () => {
  test('is told once it is safe, not a block before, signed, once', async () => {
    const { secret } = await addHook();
    const world = await jobDone();
    await show(world, SAFE - 1);
    await round();
    expect(got).toEqual([]);
    await show(world);
    await round();
    await round();
    expect(got).toHaveLength(1);
    const { headers, body, id } = got[0]!;
    const clock = Math.floor(Date.now() / 1_000);
    // The library compares with its own clock, and the test's stands.
    expect(Number(headers['webhook-timestamp'])).toBe(NOW / 1_000);
    expect(clock).toBeGreaterThan(0);
    expect(headers['webhook-signature']).toBe(new Webhook(secret).sign(id, new Date(NOW), body));
    expect(id).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(JSON.parse(body)).toEqual({
      type: 'job.done',
      timestamp: new Date((START + world.block) * 1_000).toISOString(),
      data: {
        ...{ account: ME, chainId: 31_337, market: MARKET, job: JOB, outcome: 'complete', shards: 4, settled: 4 },
        ...{ paid: '291', refunded: '600', currency: DOLLAR, block: world.block, transaction: world.transaction() },
        url: `${PAGE}/jobs/${JOB}`,
      },
    });
    expect(await deliveries()).toMatchObject([
      { message: id, kind: 'job.done', state: 'sent', attempts: 1, status: 204, error: null },
    ]);
  });

  test('is not told to a channel that is for other things, or was made later, or is of somebody else', async () => {
    await addHook(['job.challenged']);
    await addHook(ALL, await here.signIn(STRANGER));
    const world = await jobDone();
    await show(world, 1);
    await here.good('POST', '/account/webhooks', { token: desk.token, body: { url: `${hook}/late`, kinds: ALL } });
    await show(world);
    await round();
    expect(got).toEqual([]);
  });

  test('keeps its id when the tables are built again and the cursor is lost', async () => {
    await addHook();
    const world = await jobDone();
    await show(world);
    await round();
    await here.store.query("DELETE FROM setting WHERE name = 'cursor'");
    await round();
    expect(got).toHaveLength(1);
    await here.store.query('DELETE FROM delivery');
    await here.store.query("DELETE FROM setting WHERE name = 'cursor'");
    await round();
    expect(got.map(({ id }) => id)).toEqual([got[0]!.id, got[0]!.id]);
  });

  test('what fails between the events and the cursor leaves both as they were', async () => {
    await addHook();
    await show(await jobDone());
    await here.store.query('ALTER TABLE delivery RENAME TO gone');
    await expect(here.accounts.notifier.look()).rejects.toThrow('does not exist');
    await here.store.query('ALTER TABLE gone RENAME TO delivery');
    await round();
    expect(got).toHaveLength(1);
  });
});

describe('other news', () => {
  test('an owner hears of a slash and of a lease that lapsed', async () => {
    const world = new World();
    await world.treasury();
    await world.node(1, ME);
    await world.post();
    await show(world);
    await addHook();
    await world.claim();
    await world.lapse();
    await world.emit('NodeSlashed', {
      node: 1,
      amount: 400n,
      burnt: 200n,
      treasury: 40n,
      stake: 8_600n,
      lockEnds: 0,
    } as never);
    await show(world);
    await round();
    expect(got.map(({ body }) => JSON.parse(body) as { type: string; data: object })).toMatchObject([
      { type: 'lease.risk', data: { node: 1, job: JOB, first: 0, state: 'lapsed' } },
      { type: 'node.unhealthy', data: { node: 1, state: 'slashed', amount: '400' } },
    ]);
  });

  test('a lease of which three quarters of the time are over is told once, to the second', async () => {
    const world = new World();
    await world.node(1, ME);
    await world.post();
    await world.claim({ deadline: START + world.block + 1 + 100 });
    await addHook(['lease.risk']);
    await show(world, 74);
    await round();
    expect(got).toEqual([]);
    await show(world, 75);
    await round();
    await show(world, 90);
    await round();
    expect(got.map(({ body }) => (JSON.parse(body) as { data: object }).data)).toMatchObject([
      { node: 1, job: JOB, first: 0, state: 'due', deadline: START + 104 },
    ]);
  });

  test('a vote is told when it begins, to everybody who asked, without the proposer’s control characters', async () => {
    await addHook(['proposal.live']);
    await addMail('me@example.com', ['proposal.live']);
    const world = new World();
    await world.emitOf('Governor', 'ProposalCreated', {
      ...{ proposalId: 5n, proposer: OWNER, targets: [DOLLAR], values: [0n], signatures: [''], calldatas: ['0x01'] },
      ...{ voteStart: BigInt(START + 40), voteEnd: BigInt(START + 90), description: '# Less\r\nBcc: all@example.com' },
    });
    await show(world, 38);
    await round();
    expect(got).toEqual([]);
    await show(world, 39);
    await round();
    await show(world, 60);
    await round();
    expect(got.map(({ body }) => (JSON.parse(body) as { data: object }).data)).toMatchObject([
      { proposal: '5', proposer: OWNER, title: 'Less\r', voteStart: START + 40, voteEnd: START + 90 },
    ]);
    expect(mail.received).toHaveLength(1);
    expect(mail.received[0]!.text).toContain('title: Less \n');
    expect([...mail.received[0]!.headers.keys()]).not.toContain('bcc');
  });

  test('a node that falls silent is told after two minutes, and when it is back; one bad heartbeat wakes nobody', async () => {
    const world = new World();
    await world.node(1, ME);
    await show(world);
    await addHook(['node.unhealthy']);
    let said = { saidAt: NOW / 1_000, healthy: true, problems: [] as string[] };
    desk.live = { ...NOT_LISTENING, listening: true, heartbeatOf: () => said as never };
    const states = () => got.map(({ body }) => (JSON.parse(body) as { data: { state: string } }).data.state);
    const at = async (ms: number) => {
      here.clock.ms = NOW + ms;
      await round();
    };
    await at(SILENT_S * 1_000);
    expect(states()).toEqual([]);
    await at((SILENT_S + 1) * 1_000);
    await at((SILENT_S + 2) * 1_000);
    expect(states()).toEqual(['silent']);
    said = { saidAt: NOW / 1_000 + 200, healthy: true, problems: [] };
    await at(200_000);
    await at(200_000 + STEADY_MS - 1);
    expect(states()).toEqual(['silent']);
    await at(200_000 + STEADY_MS);
    expect(states()).toEqual(['silent', 'well']);
    said = { saidAt: NOW / 1_000 + 240, healthy: false, problems: ['hot\r\nX: y'] };
    await at(240_000);
    said = { ...said, healthy: true };
    await at(250_000);
    said = { ...said, healthy: false };
    await at(260_000);
    await at(260_000 + STEADY_MS);
    expect(states()).toEqual(['silent', 'well', 'unhealthy']);
    expect(mailOf(got[2]!.body).text).toContain('problems: hot X: y\n');
  });

  test('a node that never spoke is not watched', async () => {
    const world = new World();
    await world.node(1, ME);
    await show(world);
    await addHook(['node.unhealthy']);
    desk.live = { ...NOT_LISTENING, listening: true };
    await round();
    expect(got).toEqual([]);
    expect(await here.store.query('SELECT * FROM watch')).toEqual([]);
  });

  test('a challenge and its verdict reach requester, owner and challenger, each under an id of their own', async () => {
    const world = await jobDone();
    await world
      .emit('Challenged', {
        ...{ dispute: zeroHash, id: JOB, node: 1, first: 0, index: 2, hash: zeroHash, units: 1n },
        ...{ challenger: OPERATOR, byNode: 0 },
      } as never)
      .catch(() => undefined);
    await show(world);
    // Whether the story of the court is told rightly is a matter of the court's own tests; here it is who hears of it.
    const { readNews } = await import('../src/notify/news.ts');
    const tip = { timestamp: 0, latest: world.block + SAFE, safe: world.block, finalized: 0 };
    const wanted = new Set(['job.challenged'] as const);
    const { told } = await readNews(here.database.db, { cursor: '0', tip, wanted });
    expect(told).toMatchObject([{ kind: 'job.challenged', subject: zeroHash, accounts: [ME, OWNER.toLowerCase()] }]);
  });
});

describe('deliveries', () => {
  const test_ = async () => {
    const { channel, secret } = await addHook();
    await here.good('POST', `/account/channels/${channel.id}/test`, { token: desk.token });
    return { channel, secret };
  };

  test('one that fails is tried for a day with growing pauses, then lies dead until it is replayed with the same id', async () => {
    await test_();
    desk.answer = 500;
    await round();
    for (const pause of RETRY_MS) {
      expect(await deliveries()).toMatchObject([
        { state: 'waiting', dueAt: (here.clock.ms + pause) / 1_000, status: 500 },
      ]);
      here.clock.ms += pause - 1;
      await round();
      const before = got.length;
      here.clock.ms += 1;
      await round();
      expect(got.length).toBe(before + 1);
      // A session does not last as long.
      desk.token = await here.signIn();
    }
    expect(RETRY_MS.reduce((sum, ms) => sum + ms, 0)).toBe(85_355_000);
    const error = 'the receiver answered 500';
    expect(await deliveries('?state=dead')).toMatchObject([
      { state: 'dead', attempts: 12, dueAt: null, status: 500, error },
    ]);
    desk.answer = 200;
    const [dead] = await deliveries();
    await here.good('POST', `/account/deliveries/${dead!.id}/replay`, { token: desk.token });
    await round();
    expect(new Set(got.map(({ id }) => id)).size).toBe(1);
    expect(await deliveries()).toMatchObject([{ state: 'sent', attempts: 1, status: 200, error: null }]);
  });

  test('a receiver that is gone is not asked again', async () => {
    await test_();
    desk.answer = 410;
    await round();
    expect(await deliveries()).toMatchObject([{ state: 'dead', attempts: 1, status: 410 }]);
  });

  test('one that a process took and died with is taken by another after a minute, not a millisecond before', async () => {
    await test_();
    const { store } = here;
    const [taken] = await take(store, NOW, 10);
    expect(taken).toMatchObject({ attempts: 1 });
    expect(await take(store, NOW + HELD_MS - 1, 10)).toEqual([]);
    const [again] = await take(store, NOW + HELD_MS, 10);
    expect(again).toMatchObject({ id: taken!.id, message: taken!.message, attempts: 2 });
    await settle(store, again!, { ok: true, status: 200 }, NOW);
    // The first process was only slow: what it says now changes nothing.
    await settle(store, taken!, { ok: false, gone: true, status: 500, error: 'late' }, NOW);
    expect(await deliveries()).toMatchObject([{ state: 'sent', error: null }]);
  });

  test('two processes never take the same, and one channel has one attempt at a time', async () => {
    const { channel } = await test_();
    for (let index = 0; index < 3; index += 1)
      await here.good('POST', `/account/channels/${channel.id}/test`, { token: desk.token });
    const taken = (await Promise.all([take(here.store, NOW, 10), take(here.store, NOW, 10)])).flat();
    expect(taken).toHaveLength(1);
  });

  test('what floods a channel goes to the dead-letter list', async () => {
    const { channel } = await addHook(['job.done']);
    await addMail('me@example.com', ['job.done']);
    const fill = (id: string, count: number, state: string) =>
      here.store.query(
        `INSERT INTO delivery (channel, message, kind, body, state, attempts, due, created)
         SELECT $1, 'm' || n, 'test', '{}', $2, 0, 9e15::bigint, $3::bigint FROM generate_series(1, $4::int) AS n`,
        [id, state, NOW, count],
      );
    await fill(channel.id, MOST_WAITING, 'waiting');
    await fill((await channels()).find(({ type }) => type === 'email')!.id, MAILS_A_DAY, 'sent');
    await show(await jobDone());
    await round();
    expect(got).toEqual([]);
    expect(mail.received).toEqual([]);
    expect((await deliveries('?state=dead')).map(({ error }) => error).sort()).toEqual([
      '1000 deliveries wait already',
      '200 mails went to this address within a day',
    ]);
  });

  test('they are of their account alone', async () => {
    await test_();
    await round();
    const [mine] = await deliveries();
    const stranger = await here.signIn(STRANGER);
    expect((await here.good('GET', '/account/deliveries', { token: stranger }))['items']).toEqual([]);
    const replayed = await here.ask('POST', `/account/deliveries/${mine!.id}/replay`, { token: stranger });
    expect((await problemOf(replayed)).name).toBe('not-found');
  });

  test('pages go on where they ended', async () => {
    const { channel } = await test_();
    for (let index = 0; index < 4; index += 1)
      await here.good('POST', `/account/channels/${channel.id}/test`, { token: desk.token });
    const seen: string[] = [];
    let query = '?limit=2';
    for (;;) {
      const page = (await here.good('GET', `/account/deliveries${query}`, { token: desk.token })) as {
        items: Delivery[];
        next: string | null;
      };
      seen.push(...page.items.map(({ id }) => id));
      if (!page.next) break;
      query = `?limit=2&cursor=${page.next}`;
    }
    expect(seen).toEqual([...seen].sort((a, b) => Number(b) - Number(a)));
    expect(new Set(seen).size).toBe(5);
  });
});
