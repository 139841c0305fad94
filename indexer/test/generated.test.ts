import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generated } from '../generateApi.ts';

test('what the sdk has of the API is what the routes say; if not, run npm run generate:api', async () => {
  for (const [url, text] of await generated()) expect(readFileSync(url, 'utf8') === text, url.pathname).toBe(true);
}, 60_000);
