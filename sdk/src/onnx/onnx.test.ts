import { describe, expect, test } from 'vitest';

import { ONNX_LIMITS } from './limits.ts';
import { ProtoWriter } from './protoWriter.ts';
import { OnnxError, readModel, usesFloats, type OnnxModel } from './readModel.ts';
import { walkShapes, type Shape } from './shapes.ts';
import { operationsOf, unitsOf } from './work.ts';
import { encodeModel, tensor, type Model, type ModelNode } from './writeModel.ts';

const layer: Model = {
  inputs: [{ name: 'x', type: 'f32', dims: ['N', 3] }],
  outputs: [{ name: 'y', type: 'f32', dims: ['N', 2] }],
  constants: { w: tensor('f32', [3, 2], [1, 2, 3, 4, 5, 6]), b: tensor('f32', [2], [0.5, -0.5]) },
  nodes: [{ op: 'Gemm', inputs: ['x', 'w', 'b'], outputs: ['y'], attributes: { alpha: { float: 1 } } }],
};

/** Only `nodes` between an input of the given sides and outputs that say nothing. */
function graph(nodes: ModelNode[], dims: (number | string)[], constants: Model['constants'] = {}): OnnxModel {
  const model = {
    inputs: [{ name: 'x', type: 'f32' as const, dims }],
    outputs: [{ name: 'x', type: 'f32' as const, dims }],
  };
  return readModel(encodeModel({ ...model, constants, nodes }));
}

/** What reading makes of a file: a model, or the error's sentence. */
function read(bytes: Uint8Array): string {
  try {
    readModel(bytes);
    return 'taken';
  } catch (error) {
    if (error instanceof OnnxError) return error.message;
    throw error;
  }
}

describe('the writer', () => {
  test('makes the same bytes every time', () => {
    expect(encodeModel(layer)).toEqual(encodeModel(structuredClone(layer)));
    expect(
      Buffer.from(
        encodeModel({ ...layer, nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }], constants: {} }),
      ).toString('hex'),
    ).toBe(
      [
        '08081203647075',
        '3a41',
        '0a0c0a0178120179220452656c75',
        '12056d6f64656c',
        '5a140a0178120f0a0d080112090a0312014e0a020803',
        '62140a0179120f0a0d080112090a0312014e0a020802',
        '42040a001011',
      ].join(''),
    );
  });

  test('refuses numbers that do not fill the tensor', () => {
    expect(() => tensor('i8', [2, 2], [1, 2, 3])).toThrow(new RangeError('3 numbers do not fill 2 × 2'));
  });

  test('writes every type as its bytes', () => {
    const bytes = (type: Parameters<typeof tensor>[0], value: number): string =>
      Buffer.from(tensor(type, [1], [value]).data).toString('hex');
    expect([
      bytes('u8', 200),
      bytes('i8', -1),
      bytes('u16', 258),
      bytes('i16', -2),
      bytes('u32', 1),
      bytes('i32', -1),
    ]).toEqual([...['c8', 'ff', '0201', 'feff', '01000000', 'ffffffff']]);
    expect([bytes('u64', 3), bytes('i64', -2), bytes('f32', 1), bytes('f64', -2)]).toEqual([
      ...['0300000000000000', 'feffffffffffffff', '0000803f', '00000000000000c0'],
    ]);
  });
});

describe('the reader', () => {
  test('reads what the writer wrote', () => {
    const model = readModel(encodeModel(layer));
    expect(model.nodes).toMatchObject([{ op: 'Gemm', domain: '', inputs: ['x', 'w', 'b'], outputs: ['y'] }]);
    expect(model.inputs).toEqual([{ name: 'x', code: 1, type: 'f32', dims: ['N', 3] }]);
    expect(model.outputs).toEqual([{ name: 'y', code: 1, type: 'f32', dims: ['N', 2] }]);
    expect([...model.constants]).toEqual([
      ['w', { code: 1, dims: [3, 2] }],
      ['b', { code: 1, dims: [2] }],
    ]);
  });

  test('ends with its own error wherever a model is cut off, and wherever a bit of it is turned', () => {
    const bytes = encodeModel(layer);
    for (let length = 0; length < bytes.length; length++) expect(typeof read(bytes.subarray(0, length))).toBe('string');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const turned = bytes.slice();
      turned[bit >> 3]! ^= 1 << (bit & 7);
      expect(typeof read(turned)).toBe('string');
    }
  });

  const raw = (write: (file: ProtoWriter) => void): Uint8Array => {
    const file = new ProtoWriter();
    write(file);
    return file.finish();
  };
  const withTensor = (write: (constant: ProtoWriter) => void): Uint8Array =>
    raw((file) =>
      file.message(7, (body) => body.message(5, write)).message(8, (set) => set.text(1, '').integer(2, 17)),
    );
  const withNode = (write: (node: ProtoWriter) => void): Uint8Array =>
    raw((file) =>
      file.message(7, (body) => body.message(1, write)).message(8, (set) => set.text(1, '').integer(2, 17)),
    );

  test.each<[what: string, bytes: Uint8Array, said: string]>([
    ['no graph', raw((file) => file.integer(1, 8)), 'it has 0 graphs instead of one'],
    ['two graphs', raw((file) => file.message(7, () => {}).message(7, () => {})), 'it has 2 graphs instead of one'],
    [
      'no version',
      raw((file) => file.message(7, () => {})),
      'it does not say which version of the standard operators it uses',
    ],
    [
      'a version of the future',
      raw((file) => file.message(7, () => {}).message(8, (set) => set.text(1, '').integer(2, 27))),
      'it uses version 27 of the operators ai.onnx, the newest known is 26',
    ],
    ['functions', raw((file) => file.message(25, () => {})), 'it defines functions of its own, which are not taken'],
    ['training', raw((file) => file.message(20, () => {})), 'it says how it is trained, which is not taken'],
    [
      'a side below nothing',
      withTensor((constant) => constant.integers(1, [-1]).text(8, 'c')),
      'it has a tensor with a side of -1',
    ],
    [
      'too large a tensor',
      withTensor((constant) => constant.integers(1, [65_536, 32_768]).text(8, 'c')),
      'it has a tensor of 65536 × 32768',
    ],
    [
      'nine sides',
      withTensor((c) => c.integers(1, Array<number>(9).fill(1)).text(8, 'c')),
      'it has a list of more than 8 numbers',
    ],
    [
      'data elsewhere, by its place alone',
      withTensor((constant) => constant.text(8, 'c').integer(14, 1)),
      'its constant "c" is in another file: all data must be in the model',
    ],
    [
      'data elsewhere in an attribute',
      withNode((node) => node.message(5, (a) => a.text(1, 'value').message(5, (c) => c.message(13, () => {})))),
      'its constant "" is in another file: all data must be in the model',
    ],
    [
      'a long name',
      withNode((node) => node.text(4, 'x'.repeat(1_025))),
      'it has a name of 1025 bytes, the most is 1024',
    ],
    [
      'too many attributes',
      withNode((node) => {
        for (let i = 0; i <= ONNX_LIMITS.attributes; i++) node.message(5, (attribute) => attribute.text(1, String(i)));
      }),
      'its operator  has too many attributes',
    ],
    ['a group', Uint8Array.of(0x0b), 'it has a kind of field that is not used any more'],
    ['field 0', Uint8Array.of(0x00, 0x00), 'it has a field number that does not exist'],
    ['an endless number', new Uint8Array(12).fill(0x88), 'it has a number of more than 64 bits'],
  ])('refuses %s', (_, bytes, said) => {
    expect(read(bytes)).toBe(said);
  });

  test('gives up on more parts than a model may have, and takes as many', () => {
    const parts = (count: number): Uint8Array => new Uint8Array(2 * count).map((_, i) => (i % 2 === 0 ? 0x28 : 1));
    expect(read(parts(ONNX_LIMITS.fields))).toBe('it has 0 graphs instead of one');
    expect(read(parts(ONNX_LIMITS.fields + 1))).toBe('it has more parts than a model may have');
  });

  test('says whether anything in a model has a fraction', () => {
    const whole: Model = {
      inputs: [{ name: 'x', type: 'u8', dims: ['N', 2] }],
      outputs: [{ name: 'y', type: 'i32', dims: ['N', 2] }],
      constants: { w: tensor('i8', [2, 2], [1, 2, 3, 4]) },
      nodes: [{ op: 'MatMulInteger', inputs: ['x', 'w'], outputs: ['y'] }],
    };
    const cast = (to: number): ModelNode => ({
      op: 'Cast',
      inputs: ['x'],
      outputs: ['z'],
      attributes: { to: { int: to } },
    });
    const floats = (over: Partial<Model>): boolean => usesFloats(readModel(encodeModel({ ...whole, ...over })));
    expect([
      floats({}),
      floats({ nodes: [...whole.nodes, cast(6)] }),
      floats({ nodes: [...whole.nodes, cast(1)] }),
    ]).toEqual([...[false, false, true]]);
    expect(usesFloats(readModel(encodeModel(layer)))).toBe(true);
  });
});

describe('shapes and work', () => {
  const shapesOf = (model: OnnxModel, x: number[]): Record<string, Shape> =>
    Object.fromEntries(walkShapes(model, new Map([['x', x]]), () => {}).shapes);

  test('follow a convolution, a pool, a reshape by what the input is, and a product', () => {
    const model = graph(
      [
        {
          op: 'Conv',
          inputs: ['x', 'k'],
          outputs: ['a'],
          attributes: { pads: { ints: [1, 1, 1, 1] }, strides: { ints: [2, 2] } },
        },
        {
          op: 'MaxPool',
          inputs: ['a'],
          outputs: ['b'],
          attributes: { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } },
        },
        { op: 'Shape', inputs: ['b'], outputs: ['s'] },
        { op: 'Gather', inputs: ['s', 'first'], outputs: ['n'] },
        { op: 'Concat', inputs: ['n', 'rest'], outputs: ['t'], attributes: { axis: { int: 0 } } },
        { op: 'Reshape', inputs: ['b', 't'], outputs: ['c'] },
        { op: 'MatMul', inputs: ['c', 'w'], outputs: ['d'] },
      ],
      ['N', 3, 16, 16],
      {
        k: tensor('f32', [4, 3, 3, 3], new Array<number>(108).fill(0)),
        first: tensor('i64', [1], [0]),
        rest: tensor('i64', [1], [-1]),
        w: tensor('f32', [64, 5], new Array<number>(320).fill(0)),
      },
    );
    expect(shapesOf(model, [2, 3, 16, 16])).toMatchObject({ a: [2, 4, 8, 8], b: [2, 4, 4, 4], c: [2, 64], d: [2, 5] });
    // Convolution 2 · 27 · 512, pool 4 · 128, shapes 128 + 4 + 2, reshape 128, product 2 · 64 · 10.
    expect(operationsOf(model, new Map([['x', [2, 3, 16, 16]]]))).toBe(27_648 + 512 + 128 + 4 + 2 + 128 + 1_280);
  });

  test('take what the model states where they do not follow', () => {
    const model = readModel(
      encodeModel({
        ...layer,
        nodes: [{ op: 'TopK', inputs: ['x', 'k'], outputs: ['y', 'i'] }],
        constants: { k: tensor('i64', [1], [2]) },
      }),
    );
    expect(shapesOf(model, [7, 3])).toMatchObject({ y: [7, 2], i: undefined });
  });

  test('refuse a tensor that is too large', () => {
    const model = graph([{ op: 'ConstantOfShape', inputs: ['s'], outputs: ['y'] }], ['N', 2], {
      s: tensor('i64', [2], [100_000, 100_000]),
    });
    expect(() => operationsOf(model, new Map([['x', [1, 2]]]))).toThrow(
      new OnnxError('it has a tensor of 100000 × 100000'),
    );
  });

  test('are units: one operation a byte of the model, two a multiplication, for each batch', () => {
    const model = readModel(encodeModel(layer));
    const inputs = [{ name: 'x', shape: [3] }];
    // 12 operations an item.
    expect(unitsOf(model, { batch: 10, inputs }, 0, 83_333)).toBe(1);
    expect(unitsOf(model, { batch: 10, inputs }, 4, 83_333)).toBe(1);
    expect(unitsOf(model, { batch: 10, inputs }, 5, 83_333)).toBe(2);
    expect(unitsOf(model, { batch: 83_334, inputs }, 0, 83_334)).toBe(2);
  });
});
