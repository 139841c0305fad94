import { expect, test } from 'vitest';

import { searchTarget } from './search.ts';

const HASH = `0x${'ab'.repeat(32)}`;
const ADDRESS = `0x${'cd'.repeat(20)}`;

test.each([
  [HASH.toUpperCase().replace('0X', '0x'), { kind: 'hash', hash: HASH }],
  [` ${ADDRESS} `, { kind: 'address', address: ADDRESS }],
  ['7', { kind: 'node', id: 7 }],
  ['#12', { kind: 'node', id: 12 }],
  ['Node 3', { kind: 'node', id: 3 }],
])('reads %j', (text, target) => {
  expect(searchTarget(text)).toEqual(target);
});

test.each([[''], ['0'], ['0x12'], [`${HASH}00`], ['cat'], ['-1'], ['1e3']])('refuses %j', (text) => {
  expect(searchTarget(text)).toBeUndefined();
});
