import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { CRASH_POINTS } from '../faults/points.ts';
import { crashStory, Stories } from '../faults/story.ts';
import { startWorld, type World } from '../faults/world.ts';

/** Seeds of the short form; `npm run test:deep -- --only crash` runs a hundred. */
const SEEDS = [1];

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

describe.each(SEEDS)('seed %i', (seed) => {
  test.each(CRASH_POINTS)('kill -9 %s: paid once, nothing slashed', async (point) => {
    const outcome = await stories.happen(crashStory(seed, point));
    expect(outcome.violations, outcome.telling).toEqual([]);
    expect(outcome.deaths).toBeGreaterThanOrEqual(1);
  });
});
