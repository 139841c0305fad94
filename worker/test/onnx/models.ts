import { ProtoWriter } from '@dpu/sdk/onnx/protoWriter';
import { encodeModel, tensor, type Model } from '@dpu/sdk/onnx/writeModel';
import type { OnnxSettings } from '@dpu/sdk/runtimes/onnx';
import type { ShardRequest } from '../../src/runtimes/runtime.ts';

const MIB = 1024 * 1024;

/** Numbers that look random and are the same every time. */
export const numbers = (count: number, from: (value: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => from(((Math.imul(i + 1, 2_654_435_761) >>> 8) % 1_000) / 1_000));

/** Two layers of whole numbers: x · w1, clipped below by 0, · w2. */
export const WEIGHTS = {
  first: numbers(12, (v) => Math.floor(v * 20) - 10),
  second: numbers(6, (v) => Math.floor(v * 9) - 4),
};
export const wholeModel = encodeModel({
  inputs: [{ name: 'x', type: 'u8', dims: ['N', 4] }],
  outputs: [{ name: 'y', type: 'i32', dims: ['N', 2] }],
  constants: {
    w1: tensor('i8', [4, 3], WEIGHTS.first),
    w2: tensor('i32', [3, 2], WEIGHTS.second),
    zero: tensor('i32', [], [0]),
  },
  nodes: [
    { op: 'MatMulInteger', inputs: ['x', 'w1'], outputs: ['a'] },
    { op: 'Max', inputs: ['a', 'zero'], outputs: ['b'] },
    { op: 'MatMul', inputs: ['b', 'w2'], outputs: ['y'] },
  ],
});

/** Softmax(relu(x · w + b)), 8 numbers to 4. */
export const LAYER = { weights: numbers(32, (v) => v - 0.5), bias: numbers(4, (v) => v / 2) };
export const floatModel = encodeModel({
  inputs: [{ name: 'x', type: 'f32', dims: ['N', 8] }],
  outputs: [{ name: 'y', type: 'f32', dims: ['N', 4] }],
  constants: { w: tensor('f32', [8, 4], LAYER.weights), b: tensor('f32', [4], LAYER.bias) },
  nodes: [
    { op: 'Gemm', inputs: ['x', 'w', 'b'], outputs: ['a'] },
    { op: 'Relu', inputs: ['a'], outputs: ['c'] },
    { op: 'Softmax', inputs: ['c'], outputs: ['y'], attributes: { axis: { int: 1 } } },
  ],
});

/** A model of one u8 a side: what comes between is the test's. `y` is its output of type `type`. */
export function small(nodes: Model['nodes'], over: Partial<Model> = {}): Uint8Array {
  return encodeModel({
    inputs: [{ name: 'x', type: 'u8', dims: ['N', 4] }],
    outputs: [{ name: 'y', type: 'u8', dims: ['N', 4] }],
    constants: {},
    nodes,
    ...over,
  });
}

/** A model whose graph is written by hand. */
export function graphFile(
  write: (graph: ProtoWriter) => void,
  after: (file: ProtoWriter) => void = () => {},
): Uint8Array {
  const file = new ProtoWriter().integer(1, 8).message(7, write);
  file.message(8, (opset) => opset.text(1, '').integer(2, 17));
  after(file);
  return file.finish();
}

export function value(message: ProtoWriter, name: string, code: number, sides: readonly number[]): void {
  message.text(1, name).message(2, (type) =>
    type.message(1, (tensorType) =>
      tensorType.integer(1, code).message(2, (shape) => {
        for (const side of sides) shape.message(1, (dim) => dim.integer(1, side));
      }),
    ),
  );
}

/** A request for the model `x` (u8, 4 a row) to `y`, all of one shard. */
export function requestFor(
  module: Uint8Array,
  {
    settings = {},
    limits = {},
    ...over
  }: {
    settings?: Partial<OnnxSettings>;
    limits?: Partial<ShardRequest['limits']>;
  } & Partial<Omit<ShardRequest, 'settings' | 'limits'>> = {},
): ShardRequest {
  const items = settings.items ?? 8;
  return {
    module,
    settings: {
      optimization: 'all',
      items,
      batch: 3,
      inputs: [{ name: 'x', type: 'u8', shape: [4], file: 'x.bin' }],
      outputs: [{ name: 'y', type: 'u8' }],
      ...settings,
    },
    args: [],
    shard: 0,
    shards: 1,
    inputs: [{ name: 'x.bin', bytes: Uint8Array.from({ length: items * 4 }, (_, i) => (i * 37) % 256) }],
    seed: new Uint8Array(32),
    ...over,
    limits: { memoryBytes: 128 * MIB, units: 100_000, outputBytes: MIB, seconds: 20, ...limits },
  };
}
