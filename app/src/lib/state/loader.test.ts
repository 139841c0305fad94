import { expect, test } from 'vitest';

import { Loader } from './loader.ts';

/** A loader whose answers the test gives by hand. */
function setup() {
  const asked: { signal: AbortSignal; answer: (value: string) => void; fail: (error: Error) => void }[] = [];
  const ends: unknown[] = [];
  const loader = new Loader<string>({
    load: (signal) => new Promise((answer, fail) => asked.push({ signal, answer, fail })),
    onEnd: (outcome) => ends.push(outcome),
  });
  return { loader, asked, ends };
}

test('does not load before it is started', async () => {
  const { loader, asked } = setup();
  await loader.refresh();
  expect(asked).toHaveLength(0);
});

test('joins all wishes that come during a load into one more load', async () => {
  const { loader, asked, ends } = setup();
  loader.start();
  const done = loader.refresh();
  void loader.refresh();
  void loader.refresh();
  expect(asked).toHaveLength(1);

  asked[0]?.answer('old');
  await expect.poll(() => asked.length).toBe(2);
  asked[1]?.answer('new');
  await done;
  expect(ends).toEqual([{ value: 'old' }, { value: 'new' }]);
  expect(asked).toHaveLength(2);
});

test('reports a failure and loads again when asked', async () => {
  const { loader, asked, ends } = setup();
  loader.start();
  const first = loader.refresh();
  const error = new Error('silence');
  asked[0]?.fail(error);
  await first;
  const second = loader.refresh();
  asked[1]?.answer('back');
  await second;
  expect(ends).toEqual([{ error }, { value: 'back' }]);
});

test('what was stopped is aborted and reports nothing, even if it answers', async () => {
  const { loader, asked, ends } = setup();
  loader.start();
  const done = loader.refresh();
  loader.stop();
  expect(asked[0]?.signal.aborted).toBe(true);
  asked[0]?.answer('late');
  await done;
  expect(ends).toEqual([]);

  loader.start();
  const again = loader.refresh();
  asked[1]?.answer('fresh');
  await again;
  expect(ends).toEqual([{ value: 'fresh' }]);
});
