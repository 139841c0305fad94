import { hashTypedData } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';

import {
  DECLINE_CODES,
  DECLINES,
  declineTypedData,
  isDeclineOf,
  signDecline,
  signedDeclineSchema,
  type NodeDecline,
} from './declines.ts';
import { marketDomain } from './terms.ts';

const operator = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const other = privateKeyToAccount(`0x${'22'.repeat(32)}`);
const domain = marketDomain(31_337, '0x0000000000000000000000000000000000000401');
const decline: NodeDecline = { node: 7, job: `0x${'ab'.repeat(32)}`, code: 'price', at: 1_700_000_000 };

test('the operator’s signature holds, through JSON', async () => {
  const signed = await signDecline(decline, domain, operator);
  const parsed = signedDeclineSchema.parse(JSON.parse(JSON.stringify(signed)));
  expect(parsed).toEqual(signed);
  expect(await isDeclineOf(parsed, operator.address, domain)).toBe(true);
});

test.each([
  ['another node', { node: 8 }],
  ['another job', { job: `0x${'ac'.repeat(32)}` as const }],
  ['another reason', { code: 'stake' as const }],
  ['another second', { at: decline.at + 1 }],
  ['a broken signature', { signature: `0x${'00'.repeat(65)}` as const }],
])('does not hold for %s', async (_what, over) => {
  const signed = await signDecline(decline, domain, operator);
  expect(await isDeclineOf({ ...signed, ...over }, operator.address, domain)).toBe(false);
});

test('does not hold for another operator, chain or contract', async () => {
  const signed = await signDecline(decline, domain, operator);
  expect(await isDeclineOf(signed, other.address, domain)).toBe(false);
  expect(await isDeclineOf(signed, operator.address, marketDomain(1, domain.verifyingContract))).toBe(false);
  const elsewhere = marketDomain(31_337, '0x0000000000000000000000000000000000000402');
  expect(await isDeclineOf(signed, operator.address, elsewhere)).toBe(false);
});

test('every reason has a number of its own, without a gap, and each another digest', () => {
  expect(DECLINE_CODES.map((code) => DECLINES[code].number)).toEqual(DECLINE_CODES.map((_code, index) => index + 1));
  const digests = DECLINE_CODES.map((code) => hashTypedData(declineTypedData({ ...decline, code }, domain)));
  expect(new Set(digests).size).toBe(DECLINE_CODES.length);
});

test.each([
  ['a field too many', { note: 'x' }],
  ['an unknown reason', { code: 'mood' }],
  ['node 0', { node: 0 }],
  ['a time beyond 40 bits', { at: 2 ** 40 }],
  ['upper-case hex', { job: `0x${'AB'.repeat(32)}` }],
])('refuses %s', async (_what, over) => {
  const signed = await signDecline(decline, domain, operator);
  expect(signedDeclineSchema.safeParse({ ...signed, ...over }).success).toBe(false);
  expect(signedDeclineSchema.safeParse({ ...signed, at: 2 ** 40 - 1 }).success).toBe(true);
});
