import { afterAll, beforeAll, expect, test } from 'vitest';

import { PROGRAM_BOMBS, SHARD_BOMBS } from './bombs.ts';
import { Range } from './range.ts';

const range = new Range();
beforeAll(() => range.open());
afterAll(() => range.close());

const every = [
  ...Object.entries(SHARD_BOMBS).map(([name, { runtime }]) => `${runtime}: ${name}`),
  ...Object.keys(PROGRAM_BOMBS).map((name) => `program: ${name}`),
];

/** One of each; `npm run test:deep -- --only bombs` sets off a thousand, by seeds. */
test.each(every)('%s: it ends, nothing is left of it, and the node lives', async (bomb) => {
  if (!range.bombs.includes(bomb)) return void console.warn(`${bomb}: not on this machine`);
  expect(await range.explode(bomb, () => 0.5)).toEqual([]);
  expect(await range.isAlive()).toBe(true);
});
