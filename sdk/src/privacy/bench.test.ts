import { expect, test } from 'vitest';

import { measureEncryption } from './bench.ts';

test('measures sealing and opening beside the raw cipher', async () => {
  const speed = await measureEncryption({ bytes: 200_000, rounds: 1 });
  expect(speed.bytes).toBe(200_000);
  for (const what of ['seal', 'open', 'rawSeal', 'rawOpen'] as const) expect(speed[what], what).toBeGreaterThan(0);
});
