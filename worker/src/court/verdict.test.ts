import { sampleSpec } from '../testing/courtSamples.ts';
import { expect, test } from 'vitest';

import { bytes32 } from '../testing/samples.ts';
import { sha256 } from '../work/workspace.ts';
import type { OwnShard } from './trialRun.ts';
import { contradicts, voteOn, type ShownShard } from './verdict.ts';

const OUTPUT = Float32Array.of(1, 2, 3, 4);
const NEAR = Float32Array.of(1, 2, 3, 4.000_001);
const FAR = Float32Array.of(1, 2, 3, 5);
const bytesOf = (values: Float32Array): Uint8Array => new Uint8Array(values.buffer);

const own = (tolerant = false): OwnShard => ({
  kind: 'output',
  spec: sampleSpec(tolerant),
  output: bytesOf(OUTPUT),
  hash: sha256(bytesOf(OUTPUT)),
  units: 5n,
});
const fault = (): OwnShard => ({ kind: 'fault', spec: sampleSpec(), reason: 'trap' });
const shown = (values: Float32Array | undefined, over: Partial<ShownShard> = {}): ShownShard => ({
  hash: values ? sha256(bytesOf(values)) : bytes32(1),
  units: 5n,
  claimsFault: false,
  bytes: async () => values && bytesOf(values),
  ...over,
});
const hidden = { bytes: async () => undefined };

test.each<[string, OwnShard, ShownShard, string, boolean | undefined]>([
  ['the same output', own(), shown(OUTPUT), 'valid', false],
  ['the same output that nobody has', own(), shown(OUTPUT, hidden), 'withheld', undefined],
  ['the same output with other units', own(), shown(OUTPUT, { units: 6n }), 'invalid', true],
  ['another output', own(), shown(FAR), 'invalid', true],
  ['another output that nobody has', own(), shown(FAR, hidden), 'invalid', true],
  ['an output within the tolerance', own(true), shown(NEAR, { units: 9n }), 'valid', false],
  ['an output beyond the tolerance', own(true), shown(FAR), 'invalid', true],
  ['an output that nobody can compare', own(true), shown(FAR, hidden), 'withheld', undefined],
  ['that the job cannot be done, while it can', own(), shown(undefined, { claimsFault: true }), 'invalid', true],
  ['that the job cannot be done', fault(), shown(undefined, { claimsFault: true }), 'specFault', false],
  ['an output of a job that fails here', fault(), shown(OUTPUT), 'specFault', undefined],
])('of a node that shows %s', async (_what, mine, theirs, vote, contradicted) => {
  expect(await voteOn(mine, theirs)).toBe(vote);
  expect(await contradicts(mine, theirs)).toBe(contradicted);
});

test('bytes are only asked for where they decide', async () => {
  const never = { bytes: () => Promise.reject(new Error('asked')) };
  expect(await voteOn(own(), shown(FAR, never))).toBe('invalid');
  expect(await voteOn(fault(), shown(OUTPUT, never))).toBe('specFault');
});

test('a runtime that compares in its own way is asked', async () => {
  const asked: unknown[] = [];
  const mine: OwnShard = {
    ...(own(true) as OwnShard & { kind: 'output' }),
    compare: async (...sides) => {
      asked.push(sides[0]);
      return { same: true, files: [] };
    },
  };
  expect(await voteOn(mine, shown(FAR))).toBe('valid');
  expect(asked).toEqual([mine.spec]);
  expect(await voteOn(own(true), shown(FAR))).toBe('invalid');
});
