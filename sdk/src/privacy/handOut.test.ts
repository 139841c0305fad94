import { privateKeyToAccount } from 'viem/accounts';
import { zeroHash, type Hex } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';

import { signDecline, type DeclineCode, type SignedDecline } from '../declines.ts';
import { heardDeclines } from '../heardDeclines.ts';
import { marketDomain } from '../terms.ts';
import { envelope, newJobKey, openEnvelope, type JobKey } from './envelope.ts';
import { EnvelopeNotTaken, handOut, KeyHolder, type EnvelopeNode } from './handOut.ts';
import { newIdentity, type SecretIdentity } from './identity.ts';
import { recipientToKey } from './recipient.ts';
import type { PrivateSpec } from './schema.ts';

const JOB: Hex = `0x${'ab'.repeat(32)}`;
const DOMAIN = marketDomain(31_337, '0x00000000000000000000000000000000000000aa');
const operatorOf = (id: number) => privateKeyToAccount(`0x${String(id).padStart(64, '0')}`);

let me: SecretIdentity;
let agent: SecretIdentity;
let jobKey: JobKey;
let section: Pick<PrivateSpec, 'envelope' | 'recipient'>;
const keys = new Map<number, SecretIdentity>();
beforeAll(async () => {
  [me, agent, jobKey] = await Promise.all([newIdentity(), newIdentity(), newJobKey()]);
  section = { envelope: await envelope(jobKey, [me.recipient, agent.recipient]), recipient: jobKey.recipient };
  for (const id of [1, 2, 3]) keys.set(id, await newIdentity());
});

const nodeOf = (id: number, over: Partial<EnvelopeNode> = {}): EnvelopeNode => ({
  ...{ id, operator: operatorOf(id).address, key: recipientToKey(keys.get(id)!.recipient), stake: 1n },
  endpoint: `http://node-${id}.test/`,
  ...over,
});

/** Gateways that take what comes, or answer with a status. */
function gateways(answer: (url: string) => Response = () => new Response(null, { status: 204 })) {
  const puts: { url: string; method: string | undefined; body: Uint8Array }[] = [];
  const fetcher = (async (url: string, init: RequestInit) => {
    puts.push({ url, method: init.method, body: init.body as Uint8Array });
    return answer(url);
  }) as unknown as typeof fetch;
  return { puts, fetch: fetcher };
}

describe('handing out', () => {
  test('whoever the envelope was made for gives one node the key of the job, and nobody else', async () => {
    const { puts, fetch } = gateways();
    await handOut(JOB, section, agent, nodeOf(1), { fetch });
    expect(puts.map(({ url, method }) => [method, url])).toEqual([['PUT', `http://node-1.test/v1/envelopes/${JOB}`]]);
    const { body } = puts[0]!;
    expect((await openEnvelope(body, keys.get(1)!, jobKey.recipient)).secret()).toBe(jobKey.secret());
    for (const other of [keys.get(2)!, me, agent]) {
      await expect(openEnvelope(body, other, jobKey.recipient)).rejects.toMatchObject({ code: 'not-a-recipient' });
    }
  });

  test('who cannot open the job, and a node without a key or a gateway, are refused before anything is sent', async () => {
    const { puts, fetch } = gateways();
    const hand = (holder: SecretIdentity, over: Partial<EnvelopeNode> = {}) =>
      handOut(JOB, section, holder, nodeOf(1, over), { fetch });
    await expect(hand(keys.get(2)!)).rejects.toMatchObject({ code: 'not-a-recipient' });
    await expect(hand(me, { key: zeroHash })).rejects.toMatchObject({ code: 'bad-recipient' });
    await expect(hand(me, { endpoint: 'ftp://x' })).rejects.toMatchObject({ node: 1, status: 0, retryable: true });
    expect(puts).toEqual([]);
  });

  test.each([
    [404, true],
    [503, true],
    [409, false],
    [422, false],
  ])('a node that answers %i is asked again: %s', async (status, retryable) => {
    const { fetch } = gateways(() => Response.json({ error: 'x', message: 'It says why.' }, { status }));
    await expect(handOut(JOB, section, me, nodeOf(1), { fetch })).rejects.toEqual(
      new EnvelopeNotTaken(1, status, 'It says why.'),
    );
    expect(new EnvelopeNotTaken(1, status, '').retryable).toBe(retryable);
  });
});

describe('a key holder', () => {
  const decline = (id: number, code: DeclineCode = 'notRecipient', job = JOB, signer = id): Promise<SignedDecline> =>
    signDecline({ node: id, job, code, at: 100 + id }, DOMAIN, operatorOf(signer));

  function holderOf(declines: SignedDecline[], answer?: (url: string) => Response) {
    const { puts, fetch } = gateways(answer);
    const holder = new KeyHolder(
      { job: JOB, section, holder: agent, domain: DOMAIN, allow: ({ id }) => id !== 3 },
      { fetch, declines: async () => declines, node: async (id) => nodeOf(id) },
    );
    return { holder, puts };
  }

  test('answers each allowed node once that asked under its operator’s signature', async () => {
    const { holder, puts } = holderOf([
      await decline(1),
      await decline(2, 'notRecipient', JOB, 1),
      await decline(3),
      await decline(2, 'price'),
      await decline(2, 'notRecipient', zeroHash),
    ]);
    expect(await holder.round()).toEqual([{ node: 1 }]);
    expect(await holder.round()).toEqual([]);
    expect(puts.map(({ url }) => new URL(url).hostname)).toEqual(['node-1.test']);
  });

  test('comes again to a node that was away, and not to one that refuses for good', async () => {
    const away = new Set(['node-1.test']);
    const answer = (url: string): Response => {
      const { hostname } = new URL(url);
      if (hostname === 'node-2.test') return Response.json({ message: 'No key.' }, { status: 409 });
      return new Response(null, { status: away.has(hostname) ? 503 : 204 });
    };
    const { holder, puts } = holderOf([await decline(1), await decline(2)], answer);
    expect((await holder.round()).map(({ node, error }) => [node, error?.name])).toEqual([
      [1, 'EnvelopeNotTaken'],
      [2, 'EnvelopeNotTaken'],
    ]);
    away.clear();
    expect(await holder.round()).toEqual([{ node: 1 }]);
    expect(await holder.round()).toEqual([]);
    expect(puts).toHaveLength(3);
  });

  test('hears declines from several places, each once, and nothing from a place that is away or talks nonsense', async () => {
    const [one, two] = await Promise.all([decline(1), decline(2)]);
    const answers: Record<string, unknown> = {
      a: { items: [{ ...two, saidAt: 1, detail: {} }, { ...one, detail: {} }, { ...one, signature: undefined }, null] },
      b: { items: [one, await decline(1, 'notRecipient', zeroHash)] },
      c: 'nonsense',
    };
    const ask = (async (url: string) => {
      const { hostname, pathname, searchParams } = new URL(url);
      expect([pathname, searchParams.get('job')]).toEqual(['/v1/live/declines', JOB]);
      if (!(hostname in answers)) throw new TypeError('no such host');
      return Response.json(answers[hostname]);
    }) as typeof fetch;
    const urls = ['http://a', 'http://b/', 'http://c', 'http://d'];
    expect(await heardDeclines(JOB, urls, { fetch: ask })).toEqual([one, two]);
  });
});
