import { bytesToHex, hexToBytes, type Hex } from 'viem';
import { expect, test } from 'vitest';

import { filterOf } from './filter.ts';
import type { Sayable } from './gossip.ts';
import { readBody, type Checked } from './guard.ts';
import { LiveStore } from './liveStore.ts';
import { encodeBody, encodeStatement } from './statement.ts';
import { idleHeartbeat } from './testing.ts';
import { TOPICS, type GossipTopic } from './topics.ts';
import { digestToCid } from '../storage/cid.ts';

const JOB = new Uint8Array(32).fill(0xab);
const ID: Hex = bytesToHex(JOB);

function said<Name extends GossipTopic>(
  topic: Name,
  sequence: number,
  value: Sayable<Name>,
  node = 1,
): Checked<GossipTopic> {
  const body = encodeBody(value);
  const statement = { node, topic, sequence, time: sequence, body, signature: `0x${'1b'.repeat(65)}` as Hex };
  return { ...statement, said: readBody(topic, body)!, bytes: encodeStatement(statement) };
}
const shard = (number: number, from: number, texts: string[], state: 'running' | 'done' = 'running') => ({
  ...{ shard: number, state, permille: null, ms: from, entries: from + texts.length, head: new Uint8Array(32), from },
  lines: texts.map((text): [number, 'out', string] => [from, 'out', text]),
});
const progress = (sequence: number, ...shards: ReturnType<typeof shard>[]): Checked<GossipTopic> =>
  said('progress', sequence, { job: JOB, shards });

test('the newest heartbeat of each node counts, whatever the order', () => {
  const store = new LiveStore();
  expect(store.add(said('heartbeat', 5, idleHeartbeat(50)))).toBe(true);
  expect(store.add(said('heartbeat', 4, idleHeartbeat(40)))).toBe(false);
  expect(store.add(said('heartbeat', 6, idleHeartbeat(60), 2))).toBe(true);
  expect(store.heartbeats().map(({ node, head, saidAt }) => [node, head, saidAt])).toEqual([
    [1, 50, 5],
    [2, 60, 6],
  ]);
});

test('lines of a shard are put together by their numbers, from messages in any order', () => {
  const store = new LiveStore();
  store.add(progress(2, shard(0, 2, ['c', 'd'], 'done')));
  store.add(progress(1, shard(0, 0, ['a', 'b']), shard(1, 0, ['x'])));
  expect(store.add(progress(1, shard(0, 0, ['a', 'b'])))).toBe(false);
  expect(
    store
      .progress(ID)
      .map(({ shard: number, state, lines }) => [number, state, lines.map(({ line }) => line[2]).join('')]),
  ).toEqual([
    [0, 'done', 'abcd'],
    [1, 'running', 'x'],
  ]);
  expect(store.progress(bytesToHex(new Uint8Array(32)))).toEqual([]);
});

test('the newest word on every shard stays, of older ones the last eight messages', () => {
  const store = new LiveStore();
  store.add(progress(1, shard(7, 0, ['early'], 'done')));
  for (let sequence = 2; sequence <= 20; sequence += 1)
    store.add(progress(sequence, shard(0, sequence, [`${sequence}`])));
  const [first, last] = store.progress(ID);
  expect(first!.lines.map(({ number }) => number)).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
  expect(last).toMatchObject({ shard: 7, state: 'done' });
  expect([...store.all()]).toHaveLength(9);
});

test('what is too old for its topic is forgotten, both sides', () => {
  const store = new LiveStore();
  store.add(said('heartbeat', 1_000, idleHeartbeat()));
  store.expire(1_000 + TOPICS.heartbeat.keptMs);
  expect(store.heartbeats()).toHaveLength(1);
  store.expire(1_001 + TOPICS.heartbeat.keptMs);
  expect([store.heartbeats(), store.bytes]).toEqual([[], 0]);
});

test('a node that says much pushes out its own words, never another’s, and heartbeats stay', () => {
  const store = new LiveStore({ totalBytes: 100_000, nodeBytes: 3_000 });
  const decline = (sequence: number, node: number): Checked<GossipTopic> =>
    said('decline', sequence, { job: new Uint8Array(32).fill(sequence), code: 'price', at: 1, detail: {} }, node);
  store.add(said('heartbeat', 1, idleHeartbeat(), 1));
  store.add(decline(1, 2));
  for (let sequence = 2; sequence < 60; sequence += 1) store.add(decline(sequence, 1));
  expect(store.bytes).toBeLessThan(3_000 + 500);
  expect(store.heartbeats()).toHaveLength(1);
  expect(store.declines().filter(({ node }) => node === 2)).toHaveLength(1);
  expect(store.declines().at(-1) ?? store.declines()[0]).toBeDefined();
  expect(store.declines(bytesToHex(new Uint8Array(32).fill(59)))).toHaveLength(1);
  expect(store.declines(bytesToHex(new Uint8Array(32).fill(2)))).toEqual([]);

  const small = new LiveStore({ totalBytes: 2_000, nodeBytes: 100_000 });
  for (let sequence = 1; sequence < 30; sequence += 1) small.add(decline(sequence, 1));
  expect(small.add(decline(30, 2))).toBe(true);
  expect(small.bytes).toBeLessThanOrEqual(2_000);
  expect(small.declines().map(({ node }) => node)).toContain(2);
});

test('holders of content are named', () => {
  const store = new LiveStore();
  const [held, other] = [digestToCid(`0x${'12'.repeat(32)}`, 'raw'), digestToCid(`0x${'34'.repeat(32)}`, 'raw')];
  store.add(said('holdings', 1, filterOf([held]), 3));
  expect([store.holds(3, held), store.holds(3, other), store.holds(4, held)]).toEqual([true, false, false]);
  expect(store.holders(held)).toEqual([3]);
  expect(hexToBytes(ID)).toEqual(JOB);
});
