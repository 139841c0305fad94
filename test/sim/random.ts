/** Seeded numbers, so that every run of a simulation is the same. */

/** A stream of uniform numbers in [0, 1): mulberry32, which is enough for agents and nothing else. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number in [0, below). */
export function whole(random: () => number, below: bigint): bigint {
  let value = 0n;
  for (let bits = 0; bits < 160; bits += 32) value = (value << 32n) | BigInt(Math.floor(random() * 2 ** 32));
  return value % below;
}
