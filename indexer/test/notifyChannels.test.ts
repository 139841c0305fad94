import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';

import { NOW, PAGE, problemOf, STRANGER } from './lib/accounts.ts';
import { JOB } from './lib/world.ts';
import {
  ALL,
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
  tokenIn,
  type Channel,
  type Delivery,
} from './lib/desk.ts';

openDesk();

describe('channels', () => {
  test('a rotated secret signs together with the one before, for a day', async () => {
    const { channel, secret } = await addHook();
    const rotated = (await here.good('POST', `/account/channels/${channel.id}/rotate`, { token: desk.token })) as {
      secret: string;
    };
    expect(rotated.secret).not.toBe(secret);
    const signatures = async () => {
      await here.good('POST', `/account/channels/${channel.id}/test`, { token: desk.token });
      await round();
      const { headers, body, id } = got.at(-1)!;
      const signs = (by: string) => new Webhook(by).sign(id, new Date(here.clock.ms), body);
      return [headers['webhook-signature'], [rotated.secret, secret].map(signs)] as const;
    };
    here.clock.ms = NOW + 86_400_000 - 1;
    desk.token = await here.signIn();
    let [sent, expected] = await signatures();
    expect(sent).toBe(expected.join(' '));
    here.clock.ms += 1;
    [sent, expected] = await signatures();
    expect(sent).toBe(expected[0]);
  });

  test('they are changed and removed by their account alone', async () => {
    const { channel } = await addHook();
    const stranger = await here.signIn(STRANGER);
    for (const [method, path, body] of [
      ['PUT', '', { kinds: [] }],
      ['DELETE', '', undefined],
      ['POST', '/rotate', undefined],
      ['POST', '/test', undefined],
    ] as const) {
      const refused = await here.ask(method, `/account/channels/${channel.id}${path}`, {
        token: stranger,
        ...(body && { body }),
      });
      expect((await problemOf(refused)).name).toBe('not-found');
    }
    await here.good('PUT', `/account/channels/${channel.id}`, { token: desk.token, body: { kinds: ['job.done'] } });
    expect(await channels()).toMatchObject([
      { id: channel.id, target: hook, kinds: ['job.done'], confirmedAt: NOW / 1_000 },
    ]);
    await here.good('DELETE', `/account/channels/${channel.id}`, { token: desk.token });
    expect(await channels()).toEqual([]);
  });

  test('there are ten at most, and none twice', async () => {
    const add = (path: string) =>
      here.ask('POST', '/account/webhooks', { token: desk.token, body: { url: `${hook}${path}`, kinds: [] } });
    expect((await add('1')).status).toBe(200);
    expect((await problemOf(await add('1'))).detail).toBe('you have this channel already; change it instead');
    for (let index = 2; index <= 10; index += 1) expect((await add(String(index))).status).toBe(200);
    expect((await problemOf(await add('11'))).detail).toBe('an account has at most 10 channels; remove one first');
  });
});

describe('e-mail', () => {
  test('nothing goes to an address before it is confirmed, then mails come with a way out', async () => {
    const { channel } = (await here.good('POST', '/account/emails', {
      token: desk.token,
      body: { address: 'Me@Example.com', kinds: ALL },
    })) as { channel: Channel };
    expect(channel).toMatchObject({ type: 'email', target: 'Me@example.com', confirmedAt: null });
    const [confirmation] = mail.received;
    expect(confirmation).toMatchObject({ from: 'dpu@dpu.example', to: ['Me@example.com'] });
    expect(confirmation!.headers.get('subject')).toBe('DPU: confirm this address');
    expect(confirmation!.headers.has('list-unsubscribe')).toBe(false);
    const world = await jobDone();
    await show(world);
    await round();
    expect(mail.received).toHaveLength(1);
    await here.good('POST', '/account/emails/confirm', { body: { token: tokenIn(confirmation!.text, 'confirm') } });
    await here.store.query("DELETE FROM setting WHERE name = 'cursor'");
    await round();
    expect(mail.received).toHaveLength(2);
    const { headers, text } = mail.received[1]!;
    expect(headers.get('subject')).toBe('DPU: Your job has ended');
    expect(headers.get('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click');
    const [, oneClick] = /^<http:\/\/indexer\/v1(\/account\/unsubscribe\/[\w.-]+)>$/.exec(
      headers.get('list-unsubscribe')!,
    )!;
    expect(text).toContain(`job: ${JOB}`);
    expect(text).toContain(`No more of these: ${PAGE}/account?unsubscribe=`);
    const [{ message }] = (await deliveries()) as [Delivery];
    expect(headers.get('message-id')).toBe(`<${message}.${channel.id}@dpu.example>`);
    // As a mail provider does it: a form, no session.
    expect((await here.ask('POST', oneClick!, { raw: 'List-Unsubscribe=One-Click' })).status).toBe(200);
    expect(await channels()).toEqual([]);
    expect((await problemOf(await here.ask('POST', oneClick!))).name).toBe('not-found');
  });

  test('a token of one kind, of another channel, or a forged one does nothing', async () => {
    await here.good('POST', '/account/emails', { token: desk.token, body: { address: 'me@example.com', kinds: ALL } });
    const confirm = tokenIn(mail.received[0]!.text, 'confirm');
    expect((await here.ask('POST', `/account/unsubscribe/${confirm}`)).status).toBe(404);
    for (const bad of [
      '',
      'x',
      `${confirm}x`,
      `0000000000000000.${confirm.split('.')[1]}`,
      confirm.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A')),
    ])
      expect((await here.ask('POST', '/account/emails/confirm', { body: { token: bad } })).status).toBe(404);
    expect(await channels()).toMatchObject([{ confirmedAt: null }]);
  });

  test.each([
    'me@example.com\r\nBcc: all@example.com',
    'me@example.com, you@example.com',
    '"a b"@example.com',
    'Me <me@example.com>',
    'me@localhost',
    'me@exa mple.com',
    'me@[127.0.0.1]',
    'a..b@example.com',
    '@example.com',
    `${'a'.repeat(65)}@example.com`,
    'me@example.com\u0000',
  ])('%j is no address', async (address) => {
    const refused = await problemOf(
      await here.ask('POST', '/account/emails', { token: desk.token, body: { address, kinds: [] } }),
    );
    expect(refused).toMatchObject({ status: 400, detail: 'address must be like name@example.com' });
    expect(mail.received).toEqual([]);
  });

  test('an address gets one confirmation an hour, whoever asks; an account sends five a day', async () => {
    const add = async (address: string, by = desk.token) =>
      here.ask('POST', '/account/emails', { token: by, body: { address, kinds: [] } });
    expect((await add('a@example.com')).status).toBe(200);
    const stranger = await here.signIn(STRANGER);
    const refused = await add('A@example.com', stranger);
    expect(refused.headers.get('retry-after')).toBe('3600');
    expect((await problemOf(refused)).name).toBe('too-many-requests');
    here.clock.ms = NOW + 3_600_000;
    expect((await add('a@example.com', stranger)).status).toBe(200);
    for (const name of ['b', 'c', 'd', 'e']) expect((await add(`${name}@example.com`)).status).toBe(200);
    expect((await add('f@example.com')).headers.get('retry-after')).toBe('86400');
    expect(mail.received).toHaveLength(6);
  });

  test('a server that refuses for now is asked again, one that refuses for good is not', async () => {
    await addMail();
    const [{ id }] = (await channels()) as [Channel];
    mail.refuse = 451;
    await here.good('POST', `/account/channels/${id}/test`, { token: desk.token });
    await round();
    expect(await deliveries()).toMatchObject([{ state: 'waiting', attempts: 1 }]);
    mail.refuse = 550;
    here.clock.ms += 5_000;
    await round();
    expect(await deliveries()).toMatchObject([{ state: 'dead', attempts: 2 }]);
  });

  test('a confirmation that cannot be sent leaves nothing behind', async () => {
    mail.refuse = 451;
    const refused = await here.ask('POST', '/account/emails', {
      token: desk.token,
      body: { address: 'me@example.com', kinds: [] },
    });
    expect(await problemOf(refused)).toMatchObject({ status: 503, name: 'mail-unavailable' });
    expect(await channels()).toEqual([]);
  });
});

test('what is over is forgotten', async () => {
  const { channel } = await addHook();
  await here.good('POST', `/account/channels/${channel.id}/test`, { token: desk.token });
  await round();
  here.clock.ms = NOW + 30 * 86_400_000;
  await here.accounts.notifier.sweep();
  expect(await here.store.query('SELECT * FROM delivery')).toHaveLength(1);
  here.clock.ms += 1;
  await here.accounts.notifier.sweep();
  for (const table of ['delivery', 'session', 'used_nonce'])
    expect(await here.store.query(`SELECT * FROM ${table}`), table).toEqual([]);
});
