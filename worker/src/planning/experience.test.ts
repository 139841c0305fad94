import { expect, test } from 'vitest';

import { Journal } from '../sending/journal.ts';
import { Experience } from './experience.ts';

test('averages what was measured, the newest with three tenths of the weight, also after a restart', () => {
  const journal = new Journal({ file: ':memory:' });
  const experience = new Experience(journal);
  expect([experience.secondsPerUnit('wasm'), experience.unitsOf('module')]).toEqual([undefined, undefined]);
  experience.learn({ runtime: 'wasm', module: 'module', units: 1_000, seconds: 1 });
  experience.learn({ runtime: 'wasm', module: 'module', units: 2_000, seconds: 4 });
  const again = new Experience(journal);
  expect(again.secondsPerUnit('wasm')).toBeCloseTo(0.7 * 0.001 + 0.3 * 0.002, 12);
  expect(again.unitsOf('module')).toBeCloseTo(1_300, 9);
  expect(again.paces()).toEqual({ wasm: again.secondsPerUnit('wasm') });
});

test('gas is what it was here, or what is usual', () => {
  const experience = new Experience(new Journal({ file: ':memory:' }));
  expect(experience.gasOf('commit')).toBe(45_000n);
  expect(experience.gasOf('endpoint')).toBe(0n);
  experience.learnGas('commit', 34_001n);
  expect(experience.gasOf('commit')).toBe(34_001n);
});
