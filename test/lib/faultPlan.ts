/** What an RPC does wrong for a while. */
export const FAULTS = [
  'error',
  'silence',
  'lag',
  'stale',
  'drop',
  'duplicate',
  'hide',
  'forge',
  'reorder',
  'flap',
] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * A spell of bad weather over the requests `from … to`, counted from 0.
 *
 * error: a JSON-RPC error or an HTTP one. silence: the connection is reset without an answer. lag: everything is told as of `depth` blocks
 * ago. stale: so are state and heads now and then, each by itself. drop: transactions are acknowledged and forgotten. duplicate: they are
 * sent twice. hide: logs are left out. forge: logs are changed. reorder: answers come late, in another order. flap: up and down by turns.
 */
export interface Spell {
  fault: Fault;
  from: number;
  to: number;
  /** Share of the requests in the spell that it hits, 0 … 1. */
  share: number;
  /** Blocks, for lag and stale. */
  depth: number;
}

/** How a plan is drawn. */
export interface PlanWish {
  seed: number;
  /** Spells, one after the other, with calm between them. */
  spells: number;
  /** Requests of the longest spell, and of the longest calm. */
  requests: number;
  faults?: readonly Fault[];
}

/** Numbers in [0, 1), always the same for a seed (mulberry32). */
export function drawsOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The weather of a seed: the same seed and wish, the same spells. After the last one it stays calm. */
export function planFaults({ seed, spells, requests, faults = FAULTS }: PlanWish): Spell[] {
  const draw = drawsOf(seed);
  const upTo = (most: number): number => 1 + Math.floor(draw() * most);
  const plan: Spell[] = [];
  let at = 0;
  for (let count = 0; count < spells; count += 1) {
    const from = at + upTo(requests);
    const to = from + upTo(requests);
    const fault = faults[Math.floor(draw() * faults.length)] as Fault;
    plan.push({ fault, from, to, share: 0.2 + 0.8 * draw(), depth: upTo(6) });
    at = to;
  }
  return plan;
}

/** The spell that hits request `index`, if any; which requests of a spell are hit depends on seed and index alone. */
export function faultAt(plan: readonly Spell[], seed: number, index: number): Spell | undefined {
  const spell = plan.find(({ from, to }) => index >= from && index <= to);
  if (!spell) return undefined;
  if (spell.fault === 'lag') return spell;
  // Up and down in turns of eight requests.
  if (spell.fault === 'flap') return Math.floor((index - spell.from) / 8) % 2 === 0 ? spell : undefined;
  return drawsOf(Math.imul(seed, 0x9e3779b1) ^ index)() < spell.share ? spell : undefined;
}

/** A plan as a line per spell: what a failing test prints, and what replays it. */
export function describePlan(seed: number, plan: readonly Spell[]): string {
  const lines = plan.map(
    ({ fault, from, to, share, depth }) =>
      `  requests ${from} to ${to}: ${fault}, ${(share * 100).toFixed(0)} %${fault === 'lag' || fault === 'stale' ? `, ${depth} blocks` : ''}`,
  );
  return [`weather of seed ${seed}:`, ...lines].join('\n');
}
