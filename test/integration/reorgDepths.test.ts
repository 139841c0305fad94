import { afterAll, beforeAll, expect, test } from 'vitest';

import { DEEPEST_REORG, reorgStory, Stories } from '../faults/story.ts';
import { startWorld, type World } from '../faults/world.ts';

/** Depths of the short form; `npm run test:deep -- --only reorgs` goes through all of them. */
const DEPTHS = [1, 7, 33, DEEPEST_REORG];

let world: World;
let stories: Stories;
beforeAll(async () => {
  world = await startWorld();
  stories = new Stories(world);
});
afterAll(async () => {
  await stories?.close();
  await world?.stop();
});

test.each(DEPTHS)('a reorganisation of %i blocks: paid once, nothing slashed', async (depth) => {
  const outcome = await stories.happen(reorgStory(1, depth));
  expect(outcome.violations, outcome.telling).toEqual([]);
  expect(outcome.reorgs).toBe(1);
});
