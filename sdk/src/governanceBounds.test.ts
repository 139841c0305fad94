import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  inBounds,
  MAX_GOVERNANCE_WINDOW,
  MIN_STAKE_BOUNDS,
  paramBounds,
  PROPOSAL_THRESHOLD_BOUNDS,
  QUORUM_BOUNDS,
  UNBONDING_BOUNDS,
  windowBounds,
  type Bounds,
} from './governanceBounds.ts';
import type { Params } from './governance.ts';

const source = readFileSync(new URL('../../src-contracts/Parameters.sol', import.meta.url), 'utf8');
const UNITS: Record<string, bigint> = { seconds: 1n, minutes: 60n, hours: 3_600n, days: 86_400n };

/** A literal of Solidity: `1_000`, `12 hours`, `100_000e18`. */
function literal(text: string): bigint {
  const [number = '', unit] = text.trim().split(' ');
  if (number === 'BPS') return 10_000n;
  const [digits = '', zeros = '0'] = number.replaceAll('_', '').split('e');
  return BigInt(digits) * 10n ** BigInt(zeros) * (unit ? (UNITS[unit] ?? 0n) : 1n);
}

/** The bounds that the contract checks for a name. */
function written(name: string): Bounds {
  const found = new RegExp(`_within\\("${name}", [\\w.]+, ([^,]+), ([^)]+)\\);`).exec(source);
  if (!found?.[1] || !found[2]) throw new Error(`Parameters.sol checks no ${name}`);
  return { least: literal(found[1]), most: literal(found[2]) };
}

test.each([
  'feeBps',
  'bondTenths',
  'noShowBps',
  'burnBps',
  'revealWindow',
  'auditWindow',
  'openFor',
  'drawStep',
  'drawOpenAfter',
] satisfies (keyof Params)[])('%s is bounded as in the contract', (name) => {
  expect(paramBounds(name, { burnBps: 5_000 })).toEqual(written(name));
});

test.each([
  ['minStake', MIN_STAKE_BOUNDS],
  ['unbonding', UNBONDING_BOUNDS],
  ['proposalThreshold', PROPOSAL_THRESHOLD_BOUNDS],
  ['quorumPercent', QUORUM_BOUNDS],
])('%s is bounded as in the contract', (name, bounds) => {
  expect(bounds).toEqual(written(name));
});

test('audit rates are two bits for each of eight runtimes, each at most the fee', () => {
  expect(source).toContain('_within("auditRates", RulesLib.pack(p, 0).auditBps(runtime), 0, p.feeBps);');
  expect(paramBounds('auditRates', { burnBps: 5_000 })).toEqual({ least: 0n, most: 65_535n });
});

test('what funds the retry is at most what is not burnt', () => {
  expect(source).toContain('_within("retryBps", p.retryBps, 0, BPS - p.burnBps);');
  expect(paramBounds('retryBps', { burnBps: 5_500 })).toEqual({ least: 0n, most: 4_500n });
});

test('a window may be turned down to a quarter of its first value, at least a second, and up to 30 days', () => {
  expect(source).toContain('GOVERNANCE_FLOOR_PART = 4;');
  expect(source).toContain('MAX_GOVERNANCE_WINDOW = 30 days;');
  expect(windowBounds(86_400)).toEqual({ least: 21_600n, most: MAX_GOVERNANCE_WINDOW });
  expect(windowBounds(10)).toEqual({ least: 2n, most: 2_592_000n });
  expect(windowBounds(3)).toEqual({ least: 1n, most: 2_592_000n });
});

test('both ends belong to the bounds', () => {
  const bounds = { least: 5n, most: 9n };
  expect([4n, 5n, 9n, 10n].map((value) => inBounds(value, bounds))).toEqual([false, true, true, false]);
});
