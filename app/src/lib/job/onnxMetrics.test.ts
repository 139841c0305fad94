import { encodeModel, tensor } from '@dpu/sdk/onnx/writeModel';
import { expect, test } from 'vitest';

import { onnxMetrics } from './onnxMetrics.ts';

const floats = {
  inputs: [{ name: 'x', type: 'f32', dims: ['N', 6] }],
  outputs: [{ name: 'y', type: 'f32', dims: ['N', 4] }],
  constants: {
    w: tensor('f32', [6, 4], new Array<number>(24).fill(1)),
    b: tensor('f32', [4], [1, 2, 3, 4]),
  },
  nodes: [
    { op: 'MatMul', inputs: ['x', 'w'], outputs: ['p'] },
    { op: 'Add', inputs: ['p', 'b'], outputs: ['q'] },
    { op: 'Add', inputs: ['q', 'b'], outputs: ['y'] },
  ],
} satisfies Parameters<typeof encodeModel>[0];

test('a model in numbers', () => {
  expect(onnxMetrics(encodeModel(floats))).toEqual({
    operators: 3,
    kinds: [
      ['Add', 2],
      ['MatMul', 1],
    ],
    weights: 28,
    fractions: true,
    // Two for each of the 24 products with their sums, and four for each addition.
    operations: 48 + 4 + 4,
    inputs: ['x: f32, N × 6'],
    outputs: ['y: f32, N × 4'],
  });
});

test('sides that are not known make the work unknown, not wrong', () => {
  const open = { ...floats, inputs: [{ name: 'x', type: 'f32' as const, dims: ['N', 'W'] }] };
  expect(onnxMetrics(encodeModel(open))).toMatchObject({ operations: undefined, inputs: ['x: f32, N × W'] });
});

test('a model of whole numbers says so', () => {
  const whole = encodeModel({
    inputs: [{ name: 'x', type: 'u8', dims: ['N', 2] }],
    outputs: [{ name: 'y', type: 'i32', dims: ['N', 2] }],
    constants: { w: tensor('i8', [2, 2], [1, 2, 3, 4]) },
    nodes: [{ op: 'MatMulInteger', inputs: ['x', 'w'], outputs: ['y'] }],
  });
  expect(onnxMetrics(whole).fractions).toBe(false);
});

test('what is no model is refused', () => {
  expect(() => onnxMetrics(Uint8Array.of(1, 2, 3))).toThrow();
});
