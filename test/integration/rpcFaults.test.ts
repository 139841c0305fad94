import { afterAll, beforeAll, expect, test } from 'vitest';

import { FAULTS } from '../lib/faultPlan.ts';
import { Stories, weatherStory } from '../faults/story.ts';
import { startWorld, type World } from '../faults/world.ts';

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

/** One of each kind would take minutes: the short form has a seed of all kinds together, and the two that lie. */
test.each([...FAULTS.filter((fault) => fault === 'hide' || fault === 'forge'), undefined])(
  'two endpoints with %s faults cost no lease and no bond',
  async (fault) => {
    const outcome = await stories.happen(weatherStory(1, fault));
    expect(outcome.violations, outcome.telling).toEqual([]);
  },
);
