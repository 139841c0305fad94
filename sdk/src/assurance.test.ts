import { keccak256, toHex, zeroAddress } from 'viem';
import { describe, expect, test } from 'vitest';

import { assuranceOf, auditDraw, auditRoll } from './assurance.ts';
import { packRules } from './rules.ts';
import { RULES, TERMS } from './testing.ts';
import type { Terms } from './terms.ts';

/** 2 % of the leases of runtime 1 are audited by the protocol. */
const BASE = packRules({ ...RULES, auditRates: 0b1000 });
const SEED = keccak256(toHex('seed'));
const ID = keccak256(toHex('job'));
const DPU = TERMS.currency;

describe('the draw of audits', () => {
  test('goes by one roll: first what the protocol pays, then what the requester bought', () => {
    const rolls = Array.from({ length: 20_000 }, (_, first) => first).map((first) => ({
      roll: auditRoll(SEED, ID, first),
      ...auditDraw({ ...TERMS, rules: BASE, auditBps: 300 }, ID, first, SEED),
    }));
    expect(rolls.filter(({ drawn, pooled, roll }) => drawn !== roll < 500 || pooled !== roll < 200)).toEqual([]);
    expect(new Set(rolls.map(({ drawn, pooled }) => `${drawn} ${pooled}`)).size).toBe(3);
  });

  test('draws nobody where nobody pays, and everybody when the seed is out of reach', () => {
    expect(auditDraw(TERMS, ID, 0, SEED)).toEqual({ drawn: false, pooled: false });
    expect(auditDraw(TERMS, ID, 0, 'gone')).toEqual({ drawn: false, pooled: false });
    expect(auditDraw({ ...TERMS, auditBps: 1 }, ID, 0, 'gone')).toEqual({ drawn: true, pooled: false });
    expect(auditDraw({ ...TERMS, rules: BASE }, ID, 0, 'gone')).toEqual({ drawn: true, pooled: true });
    expect(auditDraw({ ...TERMS, auditBps: 10_000 }, ID, 0, SEED)).toEqual({ drawn: true, pooled: false });
  });
});

/** A generator of numbers on [0, 1) from a seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TRIALS = 200_000;

/** Cheats `TRIALS` times as the contract would see it: draws the other nodes, and counts who says what. */
function simulate(terms: Terms, colluding: number, audited: number): number {
  const random = seeded(7);
  const lies = (): boolean => random() < colluding;
  let caught = 0;
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const others =
      terms.seats === 1 ? (random() < audited ? [lies()] : []) : Array.from({ length: terms.seats - 1 }, lies);
    const honest = others.filter((lie) => !lie).length;
    const liars = 1 + others.length - honest;
    // An audit needs both to agree, seats a quorum; where the chain does not compare, one honest node challenges.
    const quorum = terms.seats === 1 ? 1 + others.length : (terms.seats + 1) / 2;
    if (terms.tolerant ? honest > 0 : liars < quorum) caught += 1;
  }
  return caught / TRIALS;
}

describe('what a policy is worth', () => {
  test.each<[string, Partial<Terms>, number, number]>([
    ['one seat with bought audits', { auditBps: 500 }, 0.3, 0.05],
    ['one seat with both kinds of audits', { rules: BASE, auditBps: 500 }, 0.1, 0.07],
    ['one seat, audited always', { rules: BASE, auditBps: 10_000 }, 0.2, 1],
    ['three seats', { seats: 3 }, 0.2, 0],
    ['five seats', { seats: 5 }, 0.2, 0],
    ['five seats among many liars', { seats: 5 }, 0.6, 0],
    ['three seats whose results may differ', { seats: 3, tolerant: true }, 0.4, 0],
    ['one seat whose results may differ', { auditBps: 5_000, tolerant: true }, 0.4, 0.5],
  ])('%s', (_what, over, colluding, audited) => {
    const terms = { ...TERMS, ...over };
    const { caught } = assuranceOf(terms, colluding, DPU);
    const sigma = Math.sqrt((caught * (1 - caught)) / TRIALS);
    expect(Math.abs(simulate(terms, colluding, audited) - caught)).toBeLessThanOrEqual(4 * sigma);
  });

  test('is this in numbers', () => {
    expect(assuranceOf({ ...TERMS, seats: 3 }, 0.2, DPU).caught).toBeCloseTo(0.64, 12);
    expect(assuranceOf({ ...TERMS, seats: 5 }, 0.2, DPU).caught).toBeCloseTo(0.8 ** 4 + 4 * 0.2 * 0.8 ** 3, 12);
    expect(assuranceOf({ ...TERMS, rules: BASE, auditBps: 500 }, 0, DPU)).toEqual({
      cost: 1.05,
      pooled: 0.02,
      caught: 0.07,
    });
  });

  test('costs a node for each seat, and what is bought; the protocol pays its part', () => {
    expect(assuranceOf(TERMS, 0.5, DPU)).toEqual({ cost: 1, pooled: 0, caught: 0 });
    expect(assuranceOf({ ...TERMS, seats: 5, rules: BASE }, 0, DPU)).toEqual({ cost: 5, pooled: 0, caught: 1 });
    expect(assuranceOf({ ...TERMS, rules: BASE, auditBps: 10_000 }, 0, DPU)).toEqual({
      cost: 1.98,
      pooled: 0.02,
      caught: 1,
    });
    expect(assuranceOf({ ...TERMS, rules: BASE, direct: true }, 0, DPU)).toEqual({ cost: 1, pooled: 0, caught: 0 });
  });

  test('has no part of the protocol in other currencies, and where a node is named', () => {
    const bought = { cost: 1.05, pooled: 0, caught: 0.05 };
    const terms = { ...TERMS, rules: BASE, auditBps: 500 };
    expect(assuranceOf({ ...terms, currency: zeroAddress }, 0, DPU)).toEqual(bought);
    expect(assuranceOf({ ...terms, node: 4 }, 0, DPU)).toEqual(bought);
  });

  test('is nothing where results may differ and nobody may challenge, or where all collude', () => {
    expect(assuranceOf({ ...TERMS, seats: 5, tolerant: true, window: 0 }, 0, DPU).caught).toBe(0);
    expect(assuranceOf({ ...TERMS, seats: 5 }, 1, DPU).caught).toBe(0);
    expect(() => assuranceOf(TERMS, 1.5, DPU)).toThrow(
      new RangeError('The colluding share is 1.5, but it must be from 0 to 1.'),
    );
  });
});
