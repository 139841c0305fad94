import { progressSchema, sealedProgressSchema, TOPICS } from '@dpu/sdk/gossip/topics';
import { encodeBody } from '@dpu/sdk/gossip/statement';
import { readBody } from '@dpu/sdk/gossip/guard';
import { decodeCanonical } from '@dpu/sdk/canonical';
import { newIdentity } from '@dpu/sdk/privacy/identity';
import { openBytes } from '@dpu/sdk/privacy/stream';
import { parseLog } from '@dpu/sdk/shardLog';
import type { Sayable } from '@dpu/sdk/gossip/gossip';
import { expect, test } from 'vitest';

import { ProgressFeed } from './progressFeed.ts';
import { bytes32, JOB } from '../testing/samples.ts';

function setup(messagesPerFlush = 3, mostWaiting = 100) {
  const said: Sayable<'progress'>[] = [];
  let time = 0;
  const feed = new ProgressFeed(
    { messagesPerFlush, mostWaiting },
    {
      say: async (message) => {
        // What others would refuse must not leave this machine.
        expect(readBody('progress', encodeBody(message))).toBeDefined();
        said.push(message);
      },
      clockMs: () => time,
    },
  );
  const shard = (number: number, readers?: string[]) => feed.begin({ job: JOB, shard: number, node: 7 }, readers);
  return { feed, said, shard, at: (ms: number) => (time = ms) };
}
const texts = (message: Sayable<'progress'> | undefined): string[] =>
  message?.shards.flatMap(({ lines }) => lines.map(([, , text]) => text)) ?? [];

test('lines are told once, in order, with how far the shard is', async () => {
  const { feed, said, shard, at } = setup();
  const run = shard(4);
  run.log('hello\nprogress 1/4\n');
  at(30);
  await feed.flush();
  run.log('more\n');
  run.progress(0.5);
  await feed.flush();
  await feed.flush();
  const log = run.end('done', 'done');
  await feed.flush();
  expect(said.map(({ shards: [one] }) => [one!.state, one!.permille, one!.from, one!.entries, one!.ms])).toEqual([
    ['running', 250, 0, 2, 30],
    ['running', 500, 2, 3, 30],
    ['done', 1000, 3, 4, 30],
  ]);
  expect(said.flatMap((message) => texts(message))).toEqual(['hello', 'progress 1/4', 'more', 'done']);
  const stored = parseLog(log, { job: JOB, node: 7 }).get(4)!;
  expect(Buffer.from(said.at(-1)!.shards[0]!.head).toString('hex')).toBe(stored.head.slice(2));
});

test('shards share messages, jobs do not, and what does not fit waits its turn', async () => {
  const { feed, said, shard } = setup(2);
  for (let number = 0; number < 40; number += 1) shard(number).end('done', 'done');
  feed.begin({ job: bytes32(9), shard: 0, node: 7 });
  await feed.flush();
  expect(said.map(({ shards }) => shards.length)).toEqual([32, 8]);
  await feed.flush();
  expect(said.at(-1)!.shards).toHaveLength(1);
});

test('a shard that floods is told within the limits of its topic', async () => {
  const { feed, said, shard } = setup(50);
  const run = shard(0);
  for (let line = 0; line < 50; line += 1) run.log(`${'ü'.repeat(1_000)}\n`);
  run.preview({ type: 'image/png', bytes: new Uint8Array(12 * 1024) });
  await feed.flush();
  expect(said.flatMap((message) => texts(message))).toHaveLength(50);
  for (const message of said) expect(encodeBody(message).length).toBeLessThanOrEqual(TOPICS.progress.bodyBytes);
  expect(said.filter(({ shards }) => shards[0]!.preview !== undefined)).toHaveLength(1);
});

test('of a private job only its readers see lines and previews', async () => {
  const { feed, said, shard } = setup();
  const reader = await newIdentity();
  const run = shard(0, [reader.recipient]);
  run.log('a secret line\n');
  run.preview({ type: 'text/plain', bytes: new TextEncoder().encode('a secret view') });
  await feed.flush();
  expect(Buffer.from(encodeBody(said[0])).includes('secret')).toBe(false);
  const { shards } = progressSchema.parse(decodeCanonical(encodeBody(said[0])));
  const opened = sealedProgressSchema.parse(decodeCanonical(await openBytes(shards[0]!.sealed!, reader)));
  expect(opened.lines).toEqual([[0, 'out', 'a secret line']]);
  expect(new TextDecoder().decode(opened.preview!.bytes)).toBe('a secret view');
});

test('what is too large once it is sealed is not told, and the shard is all the same', async () => {
  const { feed, said, shard } = setup();
  const readers = await Promise.all(Array.from({ length: 64 }, async () => (await newIdentity()).recipient));
  const run = shard(0, readers);
  run.log('x'.repeat(8_000));
  run.preview({ type: 'text/plain', bytes: new Uint8Array(12 * 1024) });
  await feed.flush();
  expect(said[0]!.shards).toMatchObject([{ shard: 0, state: 'running', lines: [] }]);
  expect(said[0]!.shards[0]!.sealed).toBeUndefined();
});

test('too many waiting shards: those that have ended are dropped first, a silent shard has no log', async () => {
  const { feed, said, shard } = setup(3, 2);
  const silent = shard(0).end('done', 'done');
  shard(1);
  shard(2);
  await feed.flush();
  expect(silent).toBe('');
  expect(said[0]!.shards.map(({ shard: number }) => number)).toEqual([1, 2]);
});

test('a node that does not gossip keeps logs all the same', async () => {
  const feed = new ProgressFeed({ messagesPerFlush: 1, mostWaiting: 1 }, { say: undefined, clockMs: () => 0 });
  const run = feed.begin({ job: JOB, shard: 0, node: 7 });
  run.log('a');
  await feed.flush();
  expect(
    parseLog(run.end('failed', 'it broke'), { job: JOB, node: 7 })
      .get(0)!
      .entries.map(({ text }) => text),
  ).toEqual(['a', 'it broke']);
});
