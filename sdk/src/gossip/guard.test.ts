import * as fc from 'fast-check';
import { hashTypedData, hexToBytes } from 'viem';
import { expect, test } from 'vitest';

import { fitBody, Guard, readBody, UnfitStatement, type Refusal } from './guard.ts';
import { ReplayWindows } from './replay.ts';
import {
  decodeStatement,
  encodeBody,
  encodeStatement,
  ENVELOPE_BYTES,
  StatementDomain,
  statementTypes,
} from './statement.ts';
import { DOMAIN, idleHeartbeat, operatorOf } from './testing.ts';
import { AHEAD_MS, TOPICS, type TopicName } from './topics.ts';

const NOW = 1_800_000_000_000;
const DOMAINS = new StatementDomain(DOMAIN);

function setup(now = NOW) {
  const windows = new ReplayWindows();
  const refused: Refusal[] = [];
  let refreshed = 0;
  let time = now;
  let readAt = NOW;
  const guard = new Guard({
    domain: DOMAINS,
    operators: {
      operatorOf: (node) => (node <= 3 ? { operator: operatorOf(node).address, readAt } : undefined),
      refresh: () => (refreshed += 1),
    },
    heard: { windows, mark: (place) => windows.mark(place) },
    now: () => time,
    onRefused: (reason) => refused.push(reason),
  });
  return {
    guard,
    refused,
    refreshed: () => refreshed,
    at: (ms: number) => (time = ms),
    recordOf: (ms: number) => (readAt = ms),
  };
}

async function signed(
  change: Partial<{ node: number; by: number; topic: string; sequence: number; time: number; body: Uint8Array }> = {},
): Promise<Uint8Array> {
  const { by, ...said } = {
    node: 1,
    topic: 'heartbeat',
    sequence: 1,
    time: NOW,
    body: encodeBody(idleHeartbeat()),
    by: change.node ?? 1,
    ...change,
  };
  return encodeStatement(await DOMAINS.sign(said, operatorOf(by)));
}
const verdictOf = async (
  guard: Guard,
  bytes: Uint8Array,
  topic: TopicName = 'heartbeat',
  late = false,
): Promise<string> => {
  const outcome = await guard.check(topic, bytes, { late });
  return outcome.verdict === 'accept' ? 'accept' : `${outcome.verdict}: ${outcome.reason}`;
};

test('the digest is that of EIP-712', async () => {
  const statement = decodeStatement(await signed())!;
  const { node, topic, body } = statement;
  const message = {
    node,
    topic,
    sequence: 1n,
    time: BigInt(NOW),
    body: `0x${Buffer.from(body).toString('hex')}`,
  } as const;
  expect(DOMAINS.digest(statement)).toBe(
    hashTypedData({ domain: DOMAIN, types: statementTypes, primaryType: 'Statement', message }),
  );
});

test('a statement of a registered operator is taken once', async () => {
  const { guard } = setup();
  const bytes = await signed();
  const outcome = await guard.check('heartbeat', bytes);
  expect(outcome).toMatchObject({
    verdict: 'accept',
    statement: { node: 1, sequence: 1, said: { head: 1, celsius: 41 } },
  });
  expect(await verdictOf(guard, bytes)).toBe('ignore: heard');
});

test('the same signature is worth nothing on another network, topic, node or moment', async () => {
  const other = new StatementDomain({ ...DOMAIN, chainId: 1 });
  const said = { node: 1, topic: 'heartbeat', sequence: 1, time: NOW, body: encodeBody(idleHeartbeat()) };
  const elsewhere = await other.sign(said, operatorOf(1));
  const here = await DOMAINS.sign(said, operatorOf(1));
  const changed = [
    elsewhere,
    { ...here, sequence: 2 },
    { ...here, time: NOW + 1 },
    { ...here, node: 2 },
    { ...here, body: encodeBody(idleHeartbeat(2)) },
  ];
  for (const statement of changed) {
    expect(await verdictOf(setup().guard, encodeStatement(statement))).toBe('reject: signature');
  }
  expect(await verdictOf(setup().guard, encodeStatement(here), 'decline')).toBe('reject: topic');
});

test('a stranger is not heard, and the chain is asked again', async () => {
  const { guard, refreshed } = setup();
  expect(await verdictOf(guard, await signed({ node: 4 }))).toBe('ignore: stranger');
  expect(refreshed()).toBe(1);
});

test('a wrong signer is a fault where the chain was read just now, else perhaps a new key', async () => {
  const bytes = await signed({ node: 1, by: 2 });
  const fresh = setup();
  fresh.recordOf(NOW - 10_000);
  expect(await verdictOf(fresh.guard, bytes)).toBe('reject: signature');
  const old = setup();
  old.recordOf(NOW - 10_001);
  expect(await verdictOf(old.guard, bytes)).toBe('ignore: rotated');
  expect(old.refreshed()).toBe(1);
});

test('both sides of the time window', async () => {
  const { freshMs, keptMs } = TOPICS.heartbeat;
  const bytes = await signed();
  expect(await verdictOf(setup(NOW + freshMs).guard, bytes)).toBe('accept');
  expect(await verdictOf(setup(NOW + freshMs + 1).guard, bytes)).toBe('ignore: stale');
  expect(await verdictOf(setup(NOW - AHEAD_MS).guard, bytes)).toBe('accept');
  expect(await verdictOf(setup(NOW - AHEAD_MS - 1).guard, bytes)).toBe('ignore: future');
  expect(await verdictOf(setup(NOW + keptMs).guard, bytes, 'heartbeat', true)).toBe('accept');
  expect(await verdictOf(setup(NOW + keptMs + 1).guard, bytes, 'heartbeat', true)).toBe('ignore: stale');
});

test('both sides of the size', async () => {
  const job = new Uint8Array(32);
  // The topic's limit is on the body; what is unknown in it is dropped but counts.
  const bodyOf = (padding: number): Uint8Array =>
    encodeBody({ job, code: 'price', at: 1, detail: {}, padding: new Uint8Array(padding) });
  const fits = TOPICS.decline.bodyBytes - (bodyOf(1_000).length - 1_000);
  const decline = (body: Uint8Array): Promise<Uint8Array> => signed({ topic: 'decline', body });
  expect(bodyOf(fits)).toHaveLength(TOPICS.decline.bodyBytes);
  expect(await verdictOf(setup().guard, await decline(bodyOf(fits)), 'decline')).toBe('accept');
  expect(await verdictOf(setup().guard, await decline(bodyOf(fits + 1)), 'decline')).toBe('reject: body');
  const whole = new Uint8Array(TOPICS.decline.bodyBytes + ENVELOPE_BYTES + 1);
  expect(await verdictOf(setup().guard, whole, 'decline')).toBe('reject: size');
  expect(await verdictOf(setup().guard, whole.subarray(1), 'decline')).toBe('reject: form');
});

test('both sides of the rate, per node and topic', async () => {
  const { burst, perSecond } = TOPICS.heartbeat;
  const { guard, at } = setup();
  for (let sequence = 1; sequence <= burst; sequence += 1) {
    expect(await verdictOf(guard, await signed({ sequence }))).toBe('accept');
  }
  expect(await verdictOf(guard, await signed({ sequence: 99 }))).toBe('ignore: rate');
  expect(await verdictOf(guard, await signed({ node: 2 }))).toBe('accept');
  at(NOW + 1_000 / perSecond - 1);
  expect(await verdictOf(guard, await signed({ sequence: 99 }))).toBe('ignore: rate');
  at(NOW + 1_000 / perSecond);
  expect(await verdictOf(guard, await signed({ sequence: 99 }))).toBe('accept');
});

test('what is not of the topic’s form is refused after the signature, whoever signed it', async () => {
  const body = encodeBody({ ...idleHeartbeat(), slots: { capacity: -1, running: 0, free: 0 } });
  expect(await verdictOf(setup().guard, await signed({ body }))).toBe('reject: body');
  expect(await verdictOf(setup().guard, await signed({ body: new Uint8Array() }))).toBe('reject: body');
});

test('a program that would say what others refuse is told so before it speaks', () => {
  expect(() => fitBody('heartbeat', { ...idleHeartbeat(), celsius: 500 })).toThrow(UnfitStatement);
  expect(() => fitBody('peer', { peer: 'x'.repeat(4_000), addresses: [] })).toThrow('bytes of at most 3072');
  expect(readBody('heartbeat', fitBody('heartbeat', idleHeartbeat()))).toMatchObject({ head: 1 });
});

test('hostile bytes are refused and nothing throws', async () => {
  const good = await signed();
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 4_096 }),
    // A good statement with a few bytes changed, cut or added.
    fc
      .tuple(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(good.length),
      )
      .map(([changes, cut]) => {
        const copy = Uint8Array.from(good);
        for (const [at, value] of changes) copy[at] = value;
        return cut % 3 === 0 ? copy.subarray(0, cut) : copy;
      }),
    // Nothing but the start of nested lists: recursion has an end.
    fc.nat(6_000).map((depth) => new Uint8Array(depth).fill(0x81)),
    fc.object().map((value) => {
      try {
        return encodeBody([1, 1, 'heartbeat', 1, NOW, encodeBody(value), new Uint8Array(65).fill(27)]);
      } catch {
        return new Uint8Array();
      }
    }),
  );
  const topics = fc.constantFrom(...(Object.keys(TOPICS) as TopicName[]));
  await fc.assert(
    fc.asyncProperty(bytes, topics, async (hostile, topic) => {
      if (Buffer.from(hostile).equals(good)) return;
      const outcome = await setup().guard.check(topic, hostile);
      expect(outcome.verdict).not.toBe('accept');
    }),
    { numRuns: 400 },
  );
});

test('a signature in its other form is not another statement', async () => {
  const statement = decodeStatement(await signed())!;
  const r = statement.signature.slice(2, 66);
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const s = (order - BigInt(`0x${statement.signature.slice(66, 130)}`)).toString(16).padStart(64, '0');
  const v = statement.signature.endsWith('1b') ? '1c' : '1b';
  const { guard } = setup();
  expect(await verdictOf(guard, await signed())).toBe('accept');
  const twin = encodeStatement({ ...statement, signature: `0x${r}${s}${v}` });
  expect(await verdictOf(guard, twin)).toBe('ignore: heard');
  expect(hexToBytes(`0x${s}`)).toHaveLength(32);
});
