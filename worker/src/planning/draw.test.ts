import { encodeAbiParameters, keccak256, parseAbiParameters } from 'viem';
import { expect, test } from 'vitest';

import { packRules } from '@dpu/sdk/rules';
import { RULES } from '@dpu/sdk/testing';
import { bytes32, JOB, NODE, sampleNode, sampleTerms } from '../testing/samples.ts';
import { revealTimes } from '../leases/audit.ts';
import { drawnAt, rollOf, type DrawFacts } from './draw.ts';

const SEED = bytes32(0x5eed);
const facts = (over: Partial<DrawFacts> = {}): DrawFacts => ({
  job: JOB,
  first: 0,
  node: NODE,
  nodeView: sampleNode(),
  postedAt: 1_000,
  runtimeStake: 1_000n,
  from: 1_000,
  seed: SEED,
  ...over,
});
const OPEN_TO_ALL = 1_000 + RULES.drawOpenAfter;

test('nobody can know before the block after the post', () => {
  expect(drawnAt(sampleTerms(), facts({ seed: 'pending' }))).toBeUndefined();
});

test('a node that the job names needs no draw', () => {
  expect(drawnAt(sampleTerms({ node: NODE }), facts({ seed: 'pending' }))).toBe(1_000);
});

test('the only node of a runtime is in from the start', () => {
  expect(drawnAt(sampleTerms(), facts({ nodeView: sampleNode({ record: 10_000 }) }))).toBe(1_000);
});

test('a node with a small part waits, in whole steps, as long as its roll says', () => {
  const node = sampleNode({ stake: 10n, record: 10_000 });
  const share = (10n << 64n) / 1_000n;
  const factor = rollOf(SEED, JOB, 0, NODE) / share + 1n;
  expect(factor).toBeGreaterThan(2n);
  expect(drawnAt(sampleTerms(), facts({ nodeView: node }))).toBe(
    Math.min(1_000 + Number(factor - 2n) * RULES.drawStep, OPEN_TO_ALL),
  );
});

test('several seats let in as many more', () => {
  const node = sampleNode({ stake: 10n, record: 10_000 });
  const share = (30n << 64n) / 1_000n;
  const factor = rollOf(SEED, JOB, 0, NODE) / share + 1n;
  expect(factor).toBeGreaterThan(2n);
  expect(drawnAt(sampleTerms({ seats: 3 }), facts({ nodeView: node }))).toBe(
    1_000 + Number(factor - 2n) * RULES.drawStep,
  );
});

test.each([
  ['whose stake is younger than the post', facts({ nodeView: sampleNode({ since: 1_000 }) })],
  ['without a part', facts({ nodeView: sampleNode({ stake: 0n }) })],
  ['of a runtime without stake', facts({ runtimeStake: 0n })],
])('a node %s waits until everybody may', (_sentence, given) => {
  expect(drawnAt(sampleTerms(), given)).toBe(OPEN_TO_ALL);
});

test('once the seed is out of reach everybody may', () => {
  expect(drawnAt(sampleTerms(), facts({ seed: 'gone', nodeView: sampleNode({ stake: 1n }) }))).toBe(1_000);
});

test('nothing is drawn before the job starts', () => {
  expect(drawnAt(sampleTerms({ start: 4_000 }), facts({ nodeView: sampleNode({ record: 10_000 }) }))).toBe(4_000);
});

test('rolls differ by range and by node', () => {
  const rolls = [
    rollOf(SEED, JOB, 0, 1),
    rollOf(SEED, JOB, 0, 2),
    rollOf(SEED, JOB, 1, 1),
    rollOf(bytes32(1), JOB, 0, 1),
  ];
  expect(new Set(rolls).size).toBe(4);
});

const rules = packRules(RULES);
const audits = (auditBps: number, over = rules) => ({ auditBps, rules: over, runtime: 1 });
const lease = { job: JOB, first: 0, committedAt: 2_000 };
test('without audits a commit may be revealed at once, for as long as the window', () => {
  expect(revealTimes(audits(0), lease, undefined)).toEqual({ opens: 2_000, closes: 2_600 });
});

test('with audits the block after the commit decides', () => {
  expect(revealTimes(audits(1), lease, undefined)).toBeUndefined();
  expect(revealTimes(audits(10_000), lease, SEED)).toEqual({ opens: 3_800, closes: 4_400 });
  expect(revealTimes(audits(1), lease, SEED)).toEqual({ opens: 2_000, closes: 2_600 });
  const roll = Number(
    BigInt(
      keccak256(encodeAbiParameters(parseAbiParameters('bytes32, bytes32, uint32, string'), [SEED, JOB, 0, 'audit'])),
    ) % 10_000n,
  );
  expect(revealTimes(audits(roll), lease, SEED)?.opens).toBe(2_000);
  expect(revealTimes(audits(roll + 1), lease, SEED)?.opens).toBe(3_800);
  expect(revealTimes(audits(roll, packRules({ ...RULES, auditRates: 0b0100 })), lease, SEED)?.opens).toBe(3_800);
  expect(revealTimes(audits(1), lease, 'gone')).toEqual({ opens: 3_800, closes: 4_400 });
});
