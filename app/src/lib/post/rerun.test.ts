import { TERMS } from '@dpu/sdk/testing';
import { jobId, marketDomain } from '@dpu/sdk/terms';
import { expect, test } from 'vitest';

import { again } from './rerun.ts';

const domain = marketDomain(1, TERMS.currency);

test('jobs run again for as long, under the newest numbers, each after the one before it', () => {
  const second = { ...TERMS, shards: 1, afterJob: jobId(TERMS, domain) };
  const now = 1_900_000_000;
  const postedAt = TERMS.expiry - 3_600;
  const [map, reduce] = again([TERMS, second], { rules: 5n, now, postedAt, salts: [11n, 12n] }, domain);
  expect(map).toEqual({ ...TERMS, rules: 5n, start: 0, expiry: now + 3_600, salt: 11n });
  expect(reduce).toMatchObject({ shards: 1, salt: 12n, afterJob: jobId(map!, domain) });
});
