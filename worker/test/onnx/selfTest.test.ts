import { encodeModel, tensor } from '@dpu/sdk/onnx/writeModel';
import { expect, test } from 'vitest';

import { prepareModel } from '../../src/runtimes/onnx/request.ts';
import { SELF_TEST, SELF_TEST_OUTPUT } from '../../src/runtimes/onnx/selfTest.ts';

const weights = Array.from({ length: 12 }, (_, i) => ((i * 37) % 29) - 14);
const bias = [100, -200, 300];

test("the self-test's model is what it says", () => {
  const model = encodeModel({
    inputs: [{ name: 'x', type: 'u8', dims: ['N', 4] }],
    outputs: [{ name: 'y', type: 'i32', dims: ['N', 3] }],
    constants: { w: tensor('i8', [4, 3], weights), b: tensor('i32', [3], bias) },
    nodes: [
      { op: 'MatMulInteger', inputs: ['x', 'w'], outputs: ['p'] },
      { op: 'Add', inputs: ['p', 'b'], outputs: ['y'] },
    ],
  });
  expect(Buffer.from(SELF_TEST.module)).toEqual(Buffer.from(model));
  const x = SELF_TEST.inputs[0]!.bytes;
  const answer = [0, 1, 2].flatMap((row) =>
    bias.map((start, column) =>
      [0, 1, 2, 3].reduce((sum, k) => sum + x[row * 4 + k]! * weights[k * 3 + column]!, start),
    ),
  );
  expect(SELF_TEST_OUTPUT).toEqual(answer);
  expect(prepareModel(SELF_TEST).units).toBe(1);
});
