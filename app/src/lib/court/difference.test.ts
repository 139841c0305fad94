import { expect, test } from 'vitest';

import { differingLines, firstDifference, lookOf, pixelDistances } from './difference.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test.each([
  [Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1), 'image'],
  [text('a,b\n1,ü\n'), 'text'],
  [Uint8Array.of(0x61, 0, 0x62), 'bytes'],
  [Uint8Array.of(0xff, 0xfe, 0xfd, 0xfc), 'bytes'],
  [new Uint8Array(), 'bytes'],
])('%j looks like %s', (bytes, look) => {
  expect(lookOf(bytes)).toBe(look);
});

test('shows the lines that differ, with their neighbours', () => {
  const found = differingLines(text('a\nb\nc\nd\ne\nf'), text('a\nb\nc\nX\ne\nf\ng'), { context: 1 });
  expect(found).toEqual({
    differing: 2,
    total: 7,
    lines: [
      { number: 3, left: 'c', right: 'c', same: true },
      { number: 4, left: 'd', right: 'X', same: false },
      { number: 5, left: 'e', right: 'e', same: true },
      { number: 6, left: 'f', right: 'f', same: true },
      { number: 7, left: undefined, right: 'g', same: false },
    ],
  });
});

test('finds the first byte that differs', () => {
  expect(firstDifference(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 9), 1)).toEqual({
    offset: 2,
    left: '02 03',
    right: '02 09',
  });
  expect(firstDifference(Uint8Array.of(1), Uint8Array.of(1))).toBeUndefined();
});

test('measures pixels by the part that differs most', () => {
  const left = Uint8ClampedArray.of(10, 20, 30, 255, 0, 0, 0, 255);
  const right = Uint8ClampedArray.of(10, 90, 40, 255, 0, 0, 0, 0);
  expect([...pixelDistances(left, right)]).toEqual([70, 0]);
});
