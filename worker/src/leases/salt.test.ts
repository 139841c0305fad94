import { expect, test } from 'vitest';

import { bytes32, JOB, RESULT } from '../testing/samples.ts';
import { leaseSalt, saltSecret } from './salt.ts';

const key = { job: JOB, first: 0, deadline: 1_100 };
const secret = saltSecret(bytes32(1));

test('the same lease and result have the same salt, with the same key only', () => {
  expect(leaseSalt(secret, key, RESULT)).toBe(leaseSalt(saltSecret(bytes32(1)), key, RESULT));
  expect(leaseSalt(secret, key, RESULT)).toMatch(/^0x[0-9a-f]{64}$/);
});

test('whatever differs makes another salt', () => {
  const salts = [
    leaseSalt(secret, key, RESULT),
    leaseSalt(saltSecret(bytes32(2)), key, RESULT),
    leaseSalt(secret, { ...key, job: bytes32(2) }, RESULT),
    leaseSalt(secret, { ...key, first: 1 }, RESULT),
    leaseSalt(secret, { ...key, deadline: 1_101 }, RESULT),
    leaseSalt(secret, key, { ...RESULT, root: bytes32(2) }),
    leaseSalt(secret, key, { ...RESULT, units: 6n }),
    leaseSalt(secret, key, { ...RESULT, manifest: bytes32(2) }),
  ];
  expect(new Set(salts).size).toBe(8);
});
