import { expect, test } from 'vitest';

import { readCsv, readObj, viewOf } from './viewer.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test.each([
  [Uint8Array.of(0x89, 0x50, 0x4e, 0x47), 'page.html', 'image'],
  [Uint8Array.of(0, 0, 0, 24, 0x66, 0x74, 0x79, 0x70), 'part.bin', 'video'],
  [text('<script>alert(1)</script>'), 'page.html', 'text'],
  [text('a,b\n1,2\n'), 'rows.csv', 'csv'],
  [text('v 0 0 0\n'), 'ball.obj', 'mesh'],
  [text('anything'), 'model.onnx', 'onnx'],
  [Uint8Array.of(1, 0, 2), 'rows.csv', 'bytes'],
  [new Uint8Array(), 'empty.txt', 'bytes'],
])('%# is looked at by its bytes, then its ending', (bytes, name, view) => {
  expect(viewOf(bytes, name)).toBe(view);
});

test('reads a table with quotes, and finds the columns of numbers', () => {
  expect(readCsv('round,loss,note\n1,2.5,"a, ""b"""\n2,2.25,\n')).toEqual({
    head: ['round', 'loss', 'note'],
    rows: [
      ['1', '2.5', 'a, "b"'],
      ['2', '2.25', ''],
    ],
    total: 2,
    numeric: [1],
  });
});

test('says how many rows there are when it keeps fewer', () => {
  const table = readCsv('n\n1\n2\n3', 2);
  expect([table.rows.length, table.total]).toEqual([2, 3]);
});

test('reads faces that count from the front and from the back, and fits them', () => {
  const mesh = readObj('v 0 0 0\nv 4 0 0\nv 0 2 0\nf 1/1 2/2 3/3\nf -3 -2 -1\nf 1 2 9\n');
  expect(mesh?.faces).toEqual([
    [0, 1, 2],
    [0, 1, 2],
  ]);
  expect([...(mesh?.points ?? [])]).toEqual([-1, -0.5, 0, 1, -0.5, 0, -1, 0.5, 0]);
});

test('a file without faces, or with broken numbers, is no mesh', () => {
  expect(readObj('v 0 0 0\n')).toBeUndefined();
  expect(readObj('v 0 0 x\nv 1 0 0\nv 0 1 0\nf 1 2 3\n')).toBeUndefined();
});
