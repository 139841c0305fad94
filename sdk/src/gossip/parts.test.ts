import { appendFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { Buckets } from './bucket.ts';
import { filterOf, FILTER_ITEMS, mayHold } from './filter.ts';
import { BadTelling, frames, nameOf, question, readQuestion, unframe } from './latest.ts';
import { rank } from './rank.ts';
import { ReplayWindows } from './replay.ts';
import { HeardFile, OwnSequences } from './sequenceFile.ts';
import { MAX_MESSAGE_BYTES } from './topics.ts';
import { digestToCid } from '../storage/cid.ts';

const cidOf = (number: number) =>
  digestToCid(
    `0x${nameOf(Uint8Array.of(number, number >> 8)).padEnd(64, number.toString(16).padStart(4, '0'))}`,
    'raw',
  );
const place = (sequence: number, time = 1_000) => ({ node: 1, topic: 'decline' as const, sequence, time });

test('within the window every number is heard once, in any order; below it, never', () => {
  const windows = new ReplayWindows();
  expect(windows.mark(place(100))).toBe(true);
  expect(windows.mark(place(37))).toBe(true);
  expect(windows.mark(place(36))).toBe(false);
  expect(windows.mark(place(37))).toBe(false);
  expect(windows.mark(place(101))).toBe(true);
  expect([windows.isNew(place(37)), windows.isNew(place(38)), windows.isNew(place(100))]).toEqual([false, true, false]);
  fc.assert(
    fc.property(fc.array(fc.nat(200), { maxLength: 300 }), (numbers) => {
      const fresh = new ReplayWindows();
      const taken = numbers.filter((sequence) => fresh.mark(place(sequence)));
      expect(new Set(taken).size).toBe(taken.length);
    }),
  );
});

test('what was heard is remembered over a restart, until its age alone refuses it', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'dpu-heard-')), 'heard');
  const first = new HeardFile(file, 500, 1_000);
  expect(first.mark(place(5, 900))).toBe(true);
  expect(first.mark(place(6, 1_000))).toBe(true);
  first.close();
  appendFileSync(file, 'decline 1 7'); // a line that a crash cut
  const again = new HeardFile(file, 500, 1_500);
  expect([again.mark(place(6)), again.mark(place(7))]).toEqual([false, true]);
  expect(again.mark(place(5, 900))).toBe(true);
  again.close();
  expect(readFileSync(file, 'utf8')).toBe('decline 1 6 1000\ndecline 1 7 1000\ndecline 1 5 900\n');
});

test('own numbers rise over restarts, and when the file is lost', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'dpu-own-')), 'sequence');
  const first = new OwnSequences(file, 50);
  expect([first.next('heartbeat'), first.next('heartbeat'), first.next('decline')]).toEqual([50, 51, 50]);
  expect(new OwnSequences(file, 10).next('heartbeat')).toBe(50 + 1_024);
  expect(new OwnSequences(`${file}.lost`, 60).next('heartbeat')).toBe(60);
});

test('a bucket gives its burst, then its rate, and forgets who is full', () => {
  const buckets = new Buckets({ burst: 2, perSecond: 2 });
  expect([buckets.take('a', 0), buckets.take('a', 0), buckets.take('a', 0), buckets.take('b', 0)]).toEqual([
    true,
    true,
    false,
    true,
  ]);
  expect([buckets.take('a', 499), buckets.take('a', 500)]).toEqual([false, true]);
  expect(buckets.size).toBe(1);
  buckets.take('c', 10_000);
  expect(buckets.size).toBe(1);
  const few = new Buckets({ burst: 1, perSecond: 0.001 }, 2);
  for (const key of ['a', 'b', 'c']) few.take(key, 0);
  expect(few.size).toBe(2);
});

test('a filter says yes to all it holds, and to about one in a hundred others', () => {
  const held = Array.from({ length: 1_000 }, (_, index) => cidOf(index));
  const filter = filterOf(held);
  expect(filter.filter).toHaveLength(1_250);
  expect(held.every((cid) => mayHold(filter, cid))).toBe(true);
  const wrong = Array.from({ length: 10_000 }, (_, index) => cidOf(2_000 + index)).filter((cid) =>
    mayHold(filter, cid),
  );
  expect(wrong.length).toBeLessThan(250);
  expect(mayHold(filterOf([]), cidOf(1))).toBe(false);
  expect(filterOf(Array.from({ length: FILTER_ITEMS + 1_000 }, (_, index) => cidOf(index))).filter).toHaveLength(4_096);
});

test('both ends of a pair give it the same weight', () => {
  const peers = ['a', 'b', 'c', 'd'].map((peer) => ({ peer }));
  expect(rank('x', peers).map(({ peer }) => peer)).toEqual(rank('x', peers.toReversed()).map(({ peer }) => peer));
  expect(rank('x', peers)).toHaveLength(4);
});

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const all = async (bytes: Uint8Array, size = 7): Promise<Uint8Array[]> => {
  const list: Uint8Array[] = [];
  for await (const statement of unframe(pieces(bytes, size))) list.push(statement);
  return list;
};

test('statements go through frames as they are, however the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 64 }),
      async (statements, size) => {
        expect(await all(Buffer.concat([...frames(statements)]), size)).toEqual(
          statements.map((s) => Uint8Array.from(s)),
        );
      },
    ),
  );
});

test('a frame that is too long, empty or cut ends the telling', async () => {
  const frame = (length: number, body: number): Uint8Array => {
    const bytes = Buffer.alloc(4 + body);
    bytes.writeUInt32BE(length);
    return bytes;
  };
  expect(await all(frame(MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES), 4_096)).toHaveLength(1);
  await expect(all(frame(MAX_MESSAGE_BYTES + 1, 0))).rejects.toThrow(BadTelling);
  await expect(all(frame(0, 0))).rejects.toThrow('0 bytes');
  await expect(all(frame(5, 4))).rejects.toThrow('ends within a statement');
});

test('a question names what is known, and another is refused', async () => {
  const known = [Uint8Array.of(1), Uint8Array.of(2)];
  expect(await readQuestion(pieces(question(known), 3))).toEqual(new Set(known.map(nameOf)));
  expect(await readQuestion(pieces(question([]), 3))).toEqual(new Set());
  await expect(readQuestion(pieces(Uint8Array.of(0, 0, 0, 7), 4))).rejects.toThrow('7 bytes');
  await expect(readQuestion(pieces(Uint8Array.of(0xff, 0, 0, 0), 4))).rejects.toThrow(BadTelling);
  await expect(readQuestion(pieces(question(known).subarray(0, 9), 4))).rejects.toThrow('within the question');
});
