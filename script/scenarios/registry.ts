import { cheat } from './cheat.ts';
import { govern } from './govern.ts';
import { outage } from './outage.ts';
import { outvote } from './outvote.ts';
import { plain } from './plain.ts';
import { privately } from './private.ts';
import type { Scenario } from './scenario.ts';

/** Every story that `npm start -- --scenario` can play. */
export const scenarios: readonly Scenario[] = [plain, cheat, outvote, govern, privately, outage];

/** Thrown for a scenario that does not exist; names those that do. */
export class UnknownScenario extends Error {
  constructor(name: string) {
    super(`there is no scenario "${name}"; there are: ${scenarios.map((scenario) => scenario.name).join(', ')}`);
    this.name = 'UnknownScenario';
  }
}

/** The scenario called `name`. @throws UnknownScenario */
export function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (!found) throw new UnknownScenario(name);
  return found;
}
