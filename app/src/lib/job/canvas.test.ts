import { expect, test } from 'vitest';

import { cellAt, drawCells, layoutFor, stepFrom } from './canvas.ts';
import type { Cell } from './shards.ts';

test.each([
  [10_000, 1_400, 700],
  [10_000, 320, 300],
  [1, 300, 200],
  [250_000, 600, 400],
])('%i cells lie within %i × %i, unless a pixel each is too much', (count, width, height) => {
  const { columns, rows, size } = layoutFor(count, width, height);
  expect(columns * rows).toBeGreaterThanOrEqual(count);
  expect(columns * size).toBeLessThanOrEqual(width);
  if (size > 1) expect(rows * size).toBeLessThanOrEqual(height);
});

test('a point is in the cell that is drawn there, and in none beside them', () => {
  const layout = { columns: 4, rows: 2, size: 10 };
  expect(cellAt(layout, 7, 0, 0)).toBe(0);
  expect(cellAt(layout, 7, 39.9, 9.9)).toBe(3);
  expect(cellAt(layout, 7, 40, 0)).toBeUndefined();
  expect(cellAt(layout, 7, 29, 19)).toBe(6);
  expect(cellAt(layout, 7, 30, 10)).toBeUndefined();
  expect(cellAt(layout, 7, -1, 0)).toBeUndefined();
});

test.each([
  ['ArrowRight', 3, 4],
  ['ArrowLeft', 0, 0],
  ['ArrowDown', 95, 99],
  ['ArrowUp', 50, 40],
  ['PageDown', 5, 99],
  ['PageUp', 99, 0],
  ['Home', 44, 0],
  ['End', 44, 99],
  ['ArrowDown', -1, 0],
])('%s leads from %i to %i', (key, from, to) => {
  expect(stepFrom(key, from, 100, 10)).toBe(to);
});

test('other keys lead nowhere', () => {
  expect(stepFrom('Tab', 3, 100, 10)).toBeUndefined();
});

test('draws each cell once, and fills once for each state', () => {
  const calls: string[] = [];
  const context = {
    ...{ canvas: { width: 20, height: 20 }, globalAlpha: 1, fillStyle: '' },
    clearRect: () => calls.push('clear'),
    beginPath: () => undefined,
    rect: (x: number, y: number, width: number) => calls.push(`${x} ${y} ${width}`),
    fill: () => calls.push(`fill ${context.fillStyle} ${context.globalAlpha}`),
  };
  const cells: Cell[] = [
    { first: 0, count: 1, state: 'settled' },
    { first: 1, count: 1, state: 'open' },
    { first: 2, count: 1, state: 'settled' },
  ];
  drawCells(context as never, cells, { columns: 2, rows: 2, size: 10 }, (state) => state);
  expect(calls).toEqual(['clear', '10 0 9', 'fill open 0.25', '0 0 9', '0 10 9', 'fill settled 0.8']);
});
