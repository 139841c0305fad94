import { expect, test } from 'vitest';

import { bytes32 } from '../testing/samples.ts';
import { DeclineRing } from './declines.ts';

test('keeps the newest, one per job and reason, with a sentence', () => {
  const ring = new DeclineRing({ kept: 2 });
  expect(ring.add({ job: bytes32(1), code: 'price', detail: {} }, 10)).toBe(true);
  expect(ring.add({ job: bytes32(1), code: 'price', detail: { ask: '2' } }, 11)).toBe(false);
  ring.add({ job: bytes32(1), code: 'slots', detail: {} }, 12);
  ring.add({ job: bytes32(2), code: 'price', detail: {} }, 13);
  expect(ring.all()).toEqual([
    { job: bytes32(2), code: 'price', detail: {}, sentence: 'The job pays less than this node asks.', at: 13 },
    { job: bytes32(1), code: 'slots', detail: {}, sentence: 'All slots are taken.', at: 12 },
  ]);
});
