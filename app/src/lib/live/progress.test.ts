import { expect, test } from 'vitest';

import { loadProgress } from './progress.ts';

const JOB = `0x${'1'.repeat(64)}`;
const shard = { node: 2, shard: 7, state: 'running', permille: 420, ms: 900, saidAt: 5, lines: [] };
const signal = new AbortController().signal;

function answering(answers: Record<string, unknown>): typeof fetch {
  return (async (input: string) => {
    const body = answers[new URL(input).host];
    if (body === undefined) throw new TypeError('nobody there');
    return new Response(JSON.stringify(body), { status: body === null ? 503 : 200 });
  }) as unknown as typeof fetch;
}

test('takes the first answer that looks as it should', async () => {
  const fetcher = answering({ b: null, c: { shards: [{ ...shard, permille: 4_000 }] }, d: { shards: [shard] } });
  const urls = ['http://a', 'http://b', 'http://c', 'http://d'];
  expect(await loadProgress(urls, JOB, signal, fetcher)).toEqual([shard]);
});

test('without an answer nothing is known', async () => {
  expect(await loadProgress(['http://a'], JOB, signal, answering({}))).toEqual([]);
});
