import { FAULTS } from '../lib/faultPlan.ts';
import { CRASH_POINTS } from '../faults/points.ts';
import {
  crashStory,
  DEEPEST_REORG,
  reorgStory,
  Stories,
  weatherStory,
  type Outcome,
  type Story,
} from '../faults/story.ts';
import { startWorld } from '../faults/world.ts';

/** What a campaign did. */
export interface Report {
  done: number;
  /** What replays each, in words. */
  violations: string[];
  /** How often what a run is about really happened, and how often it was tried, by name. */
  actions: Map<string, [did: number, tried: number]>;
}
export type Campaign = (seed: number, runs: number) => Promise<Report>;

/** Counts one try. */
export function count(actions: Report['actions'], name: string, did: boolean): void {
  const [before, tried] = actions.get(name) ?? [0, 0];
  actions.set(name, [before + Number(did), tried + 1]);
}

/** Chains get slower as they grow longer; and the local chain cannot go back far once it is some five hundred blocks long. */
const STORIES_PER_WORLD = 100;
const DEEP_STORIES_PER_WORLD = 4;

/** Lets story after story happen; `look` says what a story is called and whether what it is about happened. */
async function tell(
  runs: number,
  storyOf: (index: number) => Story,
  look: (outcome: Outcome, index: number) => [name: string, did: boolean],
  perWorld = STORIES_PER_WORLD,
): Promise<Report> {
  const report: Report = { done: 0, violations: [], actions: new Map() };
  for (let from = 0; from < runs; from += perWorld) {
    const world = await startWorld();
    const stories = new Stories(world);
    try {
      for (let index = from; index < Math.min(runs, from + perWorld); index += 1) {
        const outcome = await stories.happen(storyOf(index));
        report.done += 1;
        const [name, did] = look(outcome, index);
        count(report.actions, name, did);
        count(report.actions, 'more deaths', outcome.deaths > 1);
        if (outcome.violations.length > 0)
          report.violations.push(`${outcome.violations.join('; ')}\n${outcome.telling}`);
        if (report.done % 20 === 0) console.error(`${report.done} of ${runs}, ${report.violations.length} violations`);
      }
    } finally {
      await stories.close();
      await world.stop();
    }
  }
  return report;
}

/** Eight points by turns, a seed for each eight. */
export const crash: Campaign = (seed, runs) => {
  const pointOf = (index: number) => CRASH_POINTS[index % CRASH_POINTS.length] ?? CRASH_POINTS[0];
  return tell(
    runs,
    (index) => crashStory(seed + Math.floor(index / CRASH_POINTS.length), pointOf(index)),
    ({ deaths }, index) => [pointOf(index), deaths > 0],
  );
};

/** Depths 1 to 64 by turns. */
export const reorgs: Campaign = (seed, runs) =>
  tell(
    runs,
    (index) => reorgStory(seed + Math.floor(index / DEEPEST_REORG), 1 + (index % DEEPEST_REORG)),
    (outcome) => ['reorganised', outcome.reorgs > 0],
    DEEP_STORIES_PER_WORLD,
  );

/** Each fault by itself and all together, by turns. */
export const faults: Campaign = (seed, runs) => {
  const faultOf = (index: number) => FAULTS[index % (FAULTS.length + 1)];
  return tell(
    runs,
    (index) => weatherStory(seed + Math.floor(index / (FAULTS.length + 1)), faultOf(index)),
    ({ hits }, index) => [faultOf(index) ?? 'all together', Object.values(hits).some((times) => times > 0)],
  );
};
