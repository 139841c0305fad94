import type { Attack, Outcome, WorldOptions } from './world.ts';
import { play } from './world.ts';

/** What a ring may try with posts to its own nodes, from dust to several times all honest fees, before epoch `WAKES_AT`. */
export const WAKES_AT = 40;

const before = (epochs: number): Pick<Attack, 'from' | 'until'> => ({ from: WAKES_AT - epochs, until: WAKES_AT });

export const ATTACKS: Record<string, Attack> = {
  'mint a little': { ...before(1), volume: 0.03, pressure: 0.25, runtime: 0 },
  'mint a lot': { ...before(10), volume: 2, pressure: 0.25, runtime: 0 },
  'push with dust': { ...before(1), volume: 0.003, pressure: 1, runtime: 0 },
  push: { ...before(5), volume: 0.2, pressure: 1, runtime: 0 },
  'push hard': { ...before(1), volume: 3, pressure: 1, runtime: 0 },
  'push for long': { ...before(20), volume: 0.5, pressure: 1, runtime: 0 },
  'press the rivals': { ...before(5), volume: 0.3, pressure: 0, runtime: 1 },
};

/** What an attack brought, in DPU for each DPU of fees that the ring paid, against the same world without it. */
export function gainOf(world: WorldOptions, attack: Attack, quiet: Outcome): number {
  const attacked = play({ ...world, attack });
  return (attacked.wealth - quiet.wealth) / attacked.paid;
}

/** The attack that brought most, of all. */
export function bestOf(world: WorldOptions, attacks: Record<string, Attack> = ATTACKS): { name: string; gain: number } {
  const quiet = play(world);
  let best = { name: '', gain: -Infinity };
  for (const [name, attack] of Object.entries(attacks)) {
    const gain = gainOf(world, attack, quiet);
    if (gain > best.gain) best = { name, gain };
  }
  return best;
}
