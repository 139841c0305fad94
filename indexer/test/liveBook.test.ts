import { encodeBody } from '@dpu/sdk/gossip/statement';
import { encodeStatement } from '@dpu/sdk/gossip/statement';
import type { Checked } from '@dpu/sdk/gossip/guard';
import { TOPICS, type GossipTopic, type Sayings } from '@dpu/sdk/gossip/topics';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';

import { countDeclines, NOT_LISTENING } from '../src/live/facts.ts';
import { createApp, type Database } from '../src/api/app.ts';
import { liveSettings } from '../src/live/settings.ts';
import { BOOK_KEPT_MS, StatementBook } from '../src/live/statementBook.ts';

const NOW = 1_800_000_000_000;
const JOB = new Uint8Array(32).fill(0xab);
const ID = `0x${'ab'.repeat(32)}` as const;
const SIGNATURE = `0x${'11'.repeat(64)}1b` as const;

/** A statement as the guard passes it on. */
function spoken<Name extends GossipTopic>(
  topic: Name,
  node: number,
  sequence: number,
  value: Sayings[Name],
  time = NOW,
): Checked<GossipTopic> {
  const statement = { node, topic, sequence, time, body: Uint8Array.from(encodeBody(value)), signature: SIGNATURE };
  const said = TOPICS[topic].schema.parse(value);
  return { ...statement, said, bytes: Uint8Array.from(encodeStatement(statement)) };
}
const decline = (node: number, sequence: number, code: string, at = 100, job = JOB, time = NOW) =>
  spoken('decline', node, sequence, { job, code, at, detail: { problem: 'none' } }, time);
const heartbeat = (node: number, sequence: number, head: number, time = NOW) =>
  spoken(
    'heartbeat',
    node,
    sequence,
    {
      ...{ head, healthy: true, problems: [], celsius: null, software: '0.1.0', runtimes: [], asks: [] },
      slots: { capacity: 1, running: 0, free: 1 },
      draining: false,
    },
    time,
  );
const progress = (node: number, sequence: number, text: string) =>
  spoken('progress', node, sequence, {
    job: JOB,
    shards: [
      {
        ...{ shard: 0, state: 'running', permille: null, ms: 1, entries: 1, head: new Uint8Array(32), from: 0 },
        lines: [[1, 'out', text]],
      },
    ],
  });

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
const file = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'dpu-book-'));
  folders.push(folder);
  return join(folder, 'live', 'statements.sqlite');
};

describe('the book of statements', () => {
  test('keeps the newest heartbeat of each node, whatever comes late', () => {
    const book = new StatementBook(':memory:');
    for (const statement of [heartbeat(1, 5, 50), heartbeat(2, 1, 10), heartbeat(1, 6, 60), heartbeat(1, 4, 40)])
      book.add(statement);
    expect(book.heartbeat(1)).toMatchObject({ node: 1, head: 60, saidAt: NOW });
    expect(book.heartbeat(2)).toMatchObject({ node: 2, head: 10 });
    expect(book.heartbeat(3)).toBeUndefined();
    expect(book.bytes).toBe(sizeOf(heartbeat(1, 6, 60)) + sizeOf(heartbeat(2, 1, 10)));
  });

  test('keeps the last reason of each node and job', () => {
    const book = new StatementBook(':memory:');
    for (const statement of [decline(1, 1, 'price'), decline(1, 2, 'slots'), decline(2, 1, 'price')])
      book.add(statement);
    book.add(decline(1, 3, 'hot', 100, new Uint8Array(32)));
    expect(book.declines(ID.toUpperCase().replace('0X', '0x')).map(({ node, code }) => [node, code])).toEqual([
      [1, 'slots'],
      [2, 'price'],
    ]);
  });

  test('is as it was after a restart, and its bytes are counted again', () => {
    const path = file();
    const book = new StatementBook(path);
    for (const statement of [decline(1, 1, 'price'), heartbeat(1, 1, 7), progress(1, 1, 'a')]) book.add(statement);
    const { bytes } = book;
    book.close();
    const again = new StatementBook(path);
    expect(again.bytes).toBe(bytes);
    expect(again.declines(ID)).toMatchObject([{ node: 1, code: 'price' }]);
    expect([...again.fresh(NOW)]).toEqual([heartbeat(1, 1, 7), progress(1, 1, 'a'), decline(1, 1, 'price')]);
    again.close();
  });

  test('hands on only what neighbours would, and forgets each topic in its time', () => {
    const book = new StatementBook(':memory:');
    book.add(decline(1, 1, 'price'));
    book.add(heartbeat(1, 1, 7));
    expect([...book.fresh(NOW + TOPICS.decline.keptMs)].map(({ topic }) => topic)).toEqual(['decline']);
    expect([...book.fresh(NOW + TOPICS.decline.keptMs + 1)]).toEqual([]);

    book.expire(NOW + BOOK_KEPT_MS.heartbeat);
    expect(book.heartbeat(1)).toBeDefined();
    book.expire(NOW + BOOK_KEPT_MS.heartbeat + 1);
    expect(book.heartbeat(1)).toBeUndefined();
    book.expire(NOW + BOOK_KEPT_MS.decline);
    expect(book.declines(ID)).toHaveLength(1);
    book.expire(NOW + BOOK_KEPT_MS.decline + 1);
    expect([book.declines(ID), book.bytes]).toEqual([[], 0]);
  });

  test('a node that says much pushes out its own words on that topic alone', () => {
    const one = sizeOf(progress(1, 1, 'x'));
    const book = new StatementBook(':memory:', { totalBytes: 1e9, nodeBytes: 3 * one });
    book.add(decline(1, 1, 'price'));
    book.add(progress(2, 1, 'x'));
    for (let sequence = 1; sequence <= 9; sequence += 1) book.add(progress(1, sequence, 'x'));
    const left = [...book.fresh(NOW)].map(({ node, topic, sequence }) => [node, topic, sequence]);
    expect(left).toEqual([
      [1, 'progress', 7],
      [1, 'progress', 8],
      [1, 'progress', 9],
      [2, 'progress', 1],
      [1, 'decline', 1],
    ]);
  });

  test('when all together are too much, who said most loses first', () => {
    const one = sizeOf(progress(1, 1, 'x'));
    const book = new StatementBook(':memory:', { totalBytes: 4 * one, nodeBytes: 1e9 });
    for (let sequence = 1; sequence <= 3; sequence += 1) book.add(progress(1, sequence, 'x'));
    for (let sequence = 1; sequence <= 3; sequence += 1) book.add(progress(2, sequence, 'x'));
    expect(book.bytes).toBe(4 * one);
    const left = [...book.fresh(NOW)].map(({ node, sequence }) => [node, sequence]);
    expect(left).toEqual([
      [1, 2],
      [1, 3],
      [2, 2],
      [2, 3],
    ]);
  });
});

const sizeOf = ({ bytes }: Checked<GossipTopic>): number => bytes.length + 128;

test('declines are counted by reason, the most frequent first', () => {
  const said = (node: number, code: string, at: number) => ({
    ...{ node, job: ID, code, at, saidAt: NOW + 999, detail: {} },
  });
  expect(countDeclines(ID, [said(3, 'slots', 7), said(1, 'newer', 9), said(2, 'slots', 8)])).toEqual({
    job: ID,
    listening: true,
    codes: [
      { code: 'slots', sentence: 'All slots are taken.', count: 2, at: 8, nodes: [2, 3] },
      { code: 'newer', sentence: null, count: 1, at: 9, nodes: [1] },
    ],
    items: [
      { node: 1, code: 'newer', at: 9, saidAt: NOW / 1_000, signature: null, detail: {} },
      { node: 2, code: 'slots', at: 8, saidAt: NOW / 1_000, signature: null, detail: {} },
      { node: 3, code: 'slots', at: 7, saidAt: NOW / 1_000, signature: null, detail: {} },
    ],
  });
});

test('an indexer that does not listen says so, and refuses what is no id', async () => {
  const app = createApp(undefined as unknown as Database, { said: NOT_LISTENING });
  const json = async (path: string): Promise<unknown> => (await app.request(path)).json();
  expect(await json(`/v1/jobs/${ID}/declines`)).toEqual({ job: ID, listening: false, codes: [], items: [] });
  expect(await json('/v1/nodes/7/heartbeat')).toEqual({ node: 7, listening: false, heartbeat: null });
  expect((await app.request('/v1/jobs/0x12/declines')).status).toBe(400);
  expect((await app.request('/v1/nodes/0/heartbeat')).status).toBe(400);
});

test('settings come from the environment, and no folder means no listening', () => {
  const market = '0x00000000000000000000000000000000000000AA';
  expect(liveSettings({ PONDER_MARKET: market, PONDER_LIVE_DIR: '' })).toBeUndefined();
  expect(liveSettings({ PONDER_MARKET: market, PONDER_LIVE_DIR: '/live' })).toEqual({
    deployment: { chainId: 31_337, market, startBlock: 0, rpcUrl: 'http://127.0.0.1:8545' },
    dir: '/live',
    listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'],
  });
  const env = {
    ...{ PONDER_MARKET: market, PONDER_LIVE_DIR: '/live', PONDER_CHAIN_ID: '1', PONDER_START_BLOCK: '9' },
    PONDER_RPC_URL: 'http://rpc',
    PONDER_LIVE_LISTEN: '/ip4/0.0.0.0/tcp/4001, /ip4/0.0.0.0/tcp/4002/ws',
    PONDER_LIVE_ANNOUNCE: '/dns4/indexer.example/tcp/4001',
  };
  expect(liveSettings(env)).toEqual({
    deployment: { chainId: 1, market, startBlock: 9, rpcUrl: 'http://rpc' },
    dir: '/live',
    listen: ['/ip4/0.0.0.0/tcp/4001', '/ip4/0.0.0.0/tcp/4002/ws'],
    announce: ['/dns4/indexer.example/tcp/4001'],
  });
});
