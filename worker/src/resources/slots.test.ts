import { expect, test } from 'vitest';

import { Slots } from './slots.ts';

const never = new AbortController().signal;
/** A task that ends when told to. */
function task() {
  let end = (): void => {};
  const done = new Promise<void>((resolve) => (end = resolve));
  return { run: () => done, end };
}
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('promises take slots until each is taken back', () => {
  const slots = new Slots({ capacity: 3 });
  const release = slots.promise(5);
  expect(slots.free).toBe(0);
  for (let shard = 0; shard < 3; shard += 1) release();
  expect(slots.free).toBe(1);
  for (let more = 0; more < 9; more += 1) release();
  expect(slots.free).toBe(3);
});

test('no more runs at once than there are slots, and what waits starts as soon as one is free', async () => {
  const slots = new Slots({ capacity: 2 });
  const tasks = [task(), task(), task()];
  const runs = tasks.map(({ run }) => slots.run(run, never));
  await soon();
  expect(slots.running).toBe(2);
  tasks[0]!.end();
  await runs[0];
  await soon();
  expect(slots.running).toBe(2);
  tasks[1]!.end();
  tasks[2]!.end();
  await Promise.all(runs);
  expect(slots.running).toBe(0);
});

test('a task that fails gives its slot back', async () => {
  const slots = new Slots({ capacity: 1 });
  await expect(slots.run(() => Promise.reject(new Error('no')), never)).rejects.toThrow('no');
  expect(await slots.run(async () => 'yes', never)).toBe('yes');
});

test('waiting ends with the signal, and takes no slot', async () => {
  const slots = new Slots({ capacity: 1 });
  const first = task();
  const running = slots.run(first.run, never);
  const stop = new AbortController();
  const waiting = slots.run(async () => 'never', stop.signal);
  await soon();
  stop.abort(new Error('stopped'));
  await expect(waiting).rejects.toThrow('stopped');
  first.end();
  await running;
  expect(slots.running).toBe(0);
});
