import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { createApp, type Database } from '../src/api/app.ts';
import { NOT_LISTENING } from '../src/live/facts.ts';
import { PresenceBook } from '../src/live/presenceBook.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const SPAN = 5 * MINUTE;
const DAY = 24 * 60 * MINUTE;
/** A beginning of a day, unix ms. */
const MIDNIGHT = 20_000 * DAY;
const at = (days: number): number => (MIDNIGHT + days * DAY) / SECOND;

/** Every 15 seconds, as nodes speak. */
function speak(book: PresenceBook, node: number, from: number, until: number, healthy = true): void {
  for (let now = from; now < until; now += 15 * SECOND) book.heard(node, healthy, now);
}

test('counts the spans in which a node was heard, of those in which anybody was', () => {
  const book = new PresenceBook(':memory:');
  speak(book, 7, MIDNIGHT, MIDNIGHT + 2 * SPAN);
  speak(book, 8, MIDNIGHT + 2 * SPAN, MIDNIGHT + 5 * SPAN);
  expect(book.daysOf(7, MIDNIGHT + 5 * SPAN)).toEqual([{ at: at(0), listened: 5, heard: 2 }]);
  // Node 8 was there from the third span only.
  expect(book.daysOf(8, MIDNIGHT + 5 * SPAN)).toEqual([{ at: at(0), listened: 3, heard: 3 }]);
  expect(book.daysOf(9, MIDNIGHT + 5 * SPAN)).toEqual([]);
});

test('a node that says that it is not well is there, and not counted', () => {
  const book = new PresenceBook(':memory:');
  speak(book, 7, MIDNIGHT, MIDNIGHT + SPAN);
  speak(book, 7, MIDNIGHT + SPAN, MIDNIGHT + 3 * SPAN, false);
  expect(book.daysOf(7, MIDNIGHT + 3 * SPAN)).toEqual([{ at: at(0), listened: 3, heard: 1 }]);
});

test('the span that is running counts when it is over', () => {
  const book = new PresenceBook(':memory:');
  speak(book, 7, MIDNIGHT, MIDNIGHT + SPAN + 2 * MINUTE);
  expect(book.daysOf(7, MIDNIGHT + 2 * SPAN - 1)).toEqual([{ at: at(0), listened: 1, heard: 1 }]);
  expect(book.daysOf(7, MIDNIGHT + 2 * SPAN)).toEqual([{ at: at(0), listened: 2, heard: 2 }]);
});

test('a span of which less than a minute was listened to is held against nobody', () => {
  const book = new PresenceBook(':memory:');
  book.heard(7, true, MIDNIGHT);
  // From here on somebody else alone is heard, for 59.999 s of the second span.
  const from = MIDNIGHT + 2 * SPAN - MINUTE;
  for (const now of [from + 1, from + 30 * SECOND, from + MINUTE]) book.heard(8, true, now);
  expect(book.daysOf(7, MIDNIGHT + 9 * SPAN)).toEqual([{ at: at(0), listened: 0, heard: 0 }]);
  // A minute of the third.
  for (const now of [from + MINUTE + 30 * SECOND, from + 2 * MINUTE]) book.heard(8, true, now);
  expect(book.daysOf(7, MIDNIGHT + 9 * SPAN)).toEqual([{ at: at(0), listened: 1, heard: 0 }]);
});

test('nor is one in whose first minute the listening ended', () => {
  const listened = (ms: number): number => {
    const book = new PresenceBook(':memory:');
    book.heard(7, true, MIDNIGHT);
    speak(book, 8, MIDNIGHT, MIDNIGHT + SPAN + ms);
    return book.daysOf(7, MIDNIGHT + 9 * SPAN)[0]!.listened;
  };
  expect(listened(MINUTE)).toBe(1);
  expect(listened(MINUTE + 1)).toBe(2);
});

test('a pause of more than a minute begins the listening anew', () => {
  const quiet = (ms: number): number => {
    const book = new PresenceBook(':memory:');
    for (const now of [0, ms, ms + 30 * SECOND]) book.heard(7, true, MIDNIGHT + now);
    return book.daysOf(7, MIDNIGHT + SPAN)[0]!.listened;
  };
  expect(quiet(MINUTE)).toBe(1);
  expect(quiet(MINUTE + 1)).toBe(0);
});

test('days of which nothing is known stand as such, up to today', () => {
  const book = new PresenceBook(':memory:');
  speak(book, 7, MIDNIGHT + DAY - SPAN, MIDNIGHT + DAY + SPAN);
  speak(book, 8, MIDNIGHT + 3 * DAY, MIDNIGHT + 3 * DAY + SPAN);
  expect(book.daysOf(7, MIDNIGHT + 4 * DAY)).toEqual([
    { at: at(0), listened: 1, heard: 1 },
    { at: at(1), listened: 1, heard: 1 },
    { at: at(2), listened: 0, heard: 0 },
    { at: at(3), listened: 1, heard: 0 },
    { at: at(4), listened: 0, heard: 0 },
  ]);
});

test('thirty days are told, and older ones forgotten', () => {
  const book = new PresenceBook(':memory:');
  speak(book, 7, MIDNIGHT, MIDNIGHT + SPAN);
  const last = MIDNIGHT + 30 * DAY - 1;
  expect(book.daysOf(7, last)).toHaveLength(30);
  expect(book.daysOf(7, last + 1)).toEqual([]);
  book.expire(last);
  expect(book.daysOf(7, last)).toHaveLength(30);
  book.expire(last + 1);
  expect(book.daysOf(7, last)).toEqual([]);
});

test('is as it was after a restart', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dpu-presence-'));
  try {
    const path = join(folder, 'live', 'presence.sqlite');
    const book = new PresenceBook(path);
    speak(book, 7, MIDNIGHT, MIDNIGHT + SPAN);
    book.close();
    const again = new PresenceBook(path);
    speak(again, 7, MIDNIGHT + SPAN, MIDNIGHT + 2 * SPAN);
    expect(again.daysOf(7, MIDNIGHT + 2 * SPAN)).toEqual([{ at: at(0), listened: 2, heard: 2 }]);
    again.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the API tells the days, and an indexer that does not listen says so', async () => {
  const answer = async (said: typeof NOT_LISTENING): Promise<unknown> =>
    (await createApp(undefined as unknown as Database, { said }).request('/v1/nodes/7/uptime')).json();
  expect(await answer(NOT_LISTENING)).toEqual({ node: 7, listening: false, days: [] });
  const days = [{ at: at(0), listened: 288, heard: 287 }];
  expect(await answer({ ...NOT_LISTENING, listening: true, uptimeOf: () => days })).toEqual({
    ...{ node: 7, listening: true },
    days,
  });
  const refused = await createApp(undefined as unknown as Database, { said: NOT_LISTENING }).request(
    '/v1/nodes/0/uptime',
  );
  expect(refused.status).toBe(400);
});
