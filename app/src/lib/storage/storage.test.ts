import { expect, test } from 'vitest';

import { uploadHeaders } from './storage.ts';

const DEPLOYMENT = { chainId: 31_337, market: '0x00000000000000000000000000000000000000aa' } as const;
const ONE = '0x0000000000000000000000000000000000000001';
const OTHER = '0x0000000000000000000000000000000000000002';
const SIGNATURE = `0x${'11'.repeat(65)}` as const;

function setUp(writes: string) {
  const signed: string[] = [];
  let account: `0x${string}` = ONE;
  const headers = uploadHeaders(
    DEPLOYMENT,
    { account: () => account, sign: async () => (signed.push(account), SIGNATURE) },
    { fetch: async () => new Response(JSON.stringify({ writes })), nowSeconds: () => 1_000 },
  );
  const ask = () => headers({ gateway: 'http://gateway' });
  return { signed, ask, change: (next: `0x${string}`) => void (account = next) };
}

/** The account that the grant names. */
function namedIn({ authorization = '' }: Record<string, string>): unknown {
  const { account } = JSON.parse(Buffer.from(authorization.split(' ')[1] ?? '', 'base64').toString()) as {
    account: unknown;
  };
  return account;
}

test('names the account, so that a contract can answer for its signature', async () => {
  const { ask, signed } = setUp('signed');
  expect(namedIn(await ask())).toBe(ONE);
  await ask();
  expect(signed, 'one signature for all uploads').toEqual([ONE]);
});

test('another account signs for itself', async () => {
  const { ask, change, signed } = setUp('signed');
  await ask();
  change(OTHER);
  expect(namedIn(await ask())).toBe(OTHER);
  change(ONE);
  await ask();
  expect(signed).toEqual([ONE, OTHER]);
});

test('an open gateway asks nobody', async () => {
  const { ask, signed } = setUp('open');
  expect(await ask()).toEqual({});
  expect(signed).toEqual([]);
});
