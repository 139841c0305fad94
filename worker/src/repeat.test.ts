import { expect, test } from 'vitest';

import { Queue, repeat } from './repeat.ts';

test('repeats until it is stopped, and tells of errors on the way', async () => {
  const stop = new AbortController();
  const told: string[] = [];
  let runs = 0;
  await repeat(
    async () => {
      runs += 1;
      if (runs === 2) throw new Error('second');
      if (runs === 3) stop.abort();
    },
    { everyMs: 1, signal: stop.signal, onError: (error) => told.push(String(error)) },
  );
  expect(runs).toBe(3);
  expect(told).toEqual(['Error: second']);
});

test('says nothing of an error that the stop itself has caused', async () => {
  const stop = new AbortController();
  const told: unknown[] = [];
  await repeat(
    async (signal) => {
      stop.abort(new Error('stopped'));
      signal.throwIfAborted();
    },
    { everyMs: 1, signal: stop.signal, onError: (error) => told.push(error) },
  );
  expect(told).toEqual([]);
});

test('a queue runs one after the other, also behind a failure', async () => {
  const queue = new Queue();
  const order: string[] = [];
  const first = queue.run(async () => {
    await Promise.resolve();
    order.push('first');
    throw new Error('no');
  });
  const second = queue.run(async () => order.push('second'));
  await expect(first).rejects.toThrow('no');
  await second;
  await queue.idle();
  expect(order).toEqual(['first', 'second']);
});
