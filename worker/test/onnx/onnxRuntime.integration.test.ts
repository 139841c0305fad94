import type { ProtoWriter } from '@dpu/sdk/onnx/protoWriter';
import { encodeModel, tensor } from '@dpu/sdk/onnx/writeModel';
import { afterAll, describe, expect, test } from 'vitest';

import { OnnxRuntime } from '../../src/runtimes/onnx/onnxRuntime.ts';
import { encodeModelHeader } from '../../src/runtimes/onnx/request.ts';
import { ShardError, type ShardRequest } from '../../src/runtimes/runtime.ts';
import { detectIsolation } from '../../src/sandbox/detect.ts';
import { floatModel, graphFile, LAYER, numbers, requestFor, small, value, WEIGHTS, wholeModel } from './models.ts';

const MIB = 1024 * 1024;
const strong = await detectIsolation({ only: 'bubblewrap' }).then(
  ({ seccomp }) => seccomp,
  () => false,
);
const runtime = new OnnxRuntime();
afterAll(() => runtime.close());

/** The failure of a shard as `reason (fault): message`, or `ok`. */
async function failure(running: Promise<unknown>): Promise<string> {
  try {
    await running;
  } catch (error) {
    if (error instanceof ShardError) return `${error.reason} (${error.fault}): ${error.message}`;
    throw error;
  }
  return 'ok';
}

const whole = (over: Parameters<typeof requestFor>[1] = {}): ShardRequest =>
  requestFor(wholeModel, { ...over, settings: { outputs: [{ name: 'y', type: 'i32' }], ...over.settings } });

/** What the model of whole numbers makes of rows of four. */
function wholeAnswer(rows: Uint8Array): number[] {
  const answer: number[] = [];
  for (let at = 0; at < rows.length; at += 4) {
    const hidden = [0, 1, 2].map((j) =>
      Math.max(
        0,
        [0, 1, 2, 3].reduce((sum, i) => sum + rows[at + i]! * WEIGHTS.first[i * 3 + j]!, 0),
      ),
    );
    for (const k of [0, 1]) answer.push(hidden.reduce((sum, value, j) => sum + value * WEIGHTS.second[j * 2 + k]!, 0));
  }
  return answer;
}

const i32 = (bytes: Uint8Array): number[] => [...new Int32Array(Uint8Array.from(bytes).buffer)];
const f32 = (bytes: Uint8Array): number[] => [...new Float32Array(Uint8Array.from(bytes).buffer)];

describe.skipIf(!strong)('a model', () => {
  test('passes the self-test in namespaces', async () => {
    expect(await runtime.probe()).toMatchObject({ available: true, isolation: 'bubblewrap' });
  });

  test('of whole numbers is exact at every level of optimisation, with any batch and number of threads', async () => {
    const expected = wholeAnswer(whole().inputs[0]!.bytes);
    for (const settings of [
      { optimization: 'disabled', batch: 1 },
      { optimization: 'basic', batch: 8 },
      { optimization: 'extended', batch: 5, threads: 2 },
      { optimization: 'all', batch: 100 },
    ] as const) {
      const { output, units } = await runtime.run(whole({ settings }));
      expect([i32(output), units]).toEqual([expected, 1]);
    }
  });

  test('says after each batch how far it is', async () => {
    const heard: number[] = [];
    const { items } = whole().settings as { items: number };
    const settings = { batch: Math.ceil(items / 2) };
    await runtime.run(whole({ settings }), { onProgress: (share) => heard.push(share) });
    expect(heard).toEqual([Math.floor((settings.batch * 1_000) / items) / 1_000, 1]);
  });

  test('is computed share by share, and all shares are the whole', async () => {
    const shares: number[] = [];
    for (const shard of [0, 1, 2]) shares.push(...i32((await runtime.run(whole({ shard, shards: 3 }))).output));
    expect(shares).toEqual(wholeAnswer(whole().inputs[0]!.bytes));
  });

  test('of fractions is near to what the formula says', async () => {
    const items = numbers(40, (v) => v * 2 - 1);
    const { output } = await runtime.run(
      requestFor(floatModel, {
        settings: {
          items: 5,
          inputs: [{ name: 'x', type: 'f32', shape: [8], file: 'x.bin' }],
          outputs: [{ name: 'y', type: 'f32' }],
        },
        inputs: [{ name: 'x.bin', bytes: new Uint8Array(Float32Array.from(items).buffer) }],
      }),
    );
    const expected = [0, 1, 2, 3, 4].flatMap((row) => {
      const sums = [0, 1, 2, 3].map((j) =>
        Math.max(
          0,
          LAYER.bias[j]! +
            [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, i) => sum + items[row * 8 + i]! * LAYER.weights[i * 4 + j]!, 0),
        ),
      );
      const powers = sums.map(Math.exp);
      const all = powers.reduce((a, b) => a + b);
      return powers.map((power) => power / all);
    });
    const worst = Math.max(...f32(output).map((found, i) => Math.abs(found - expected[i]!)));
    expect([output.length, worst < 1e-6]).toEqual([80, true]);
  });

  test('writes its outputs in the order of the spec, each for all items', async () => {
    const model = small(
      [
        { op: 'Identity', inputs: ['x'], outputs: ['y'] },
        { op: 'Max', inputs: ['x', 'c'], outputs: ['z'] },
      ],
      {
        constants: { c: tensor('u8', [1], [100]) },
        outputs: ['y', 'z'].map((name) => ({ name, type: 'u8' as const, dims: ['N', 4] })),
      },
    );
    const outputs = [
      { name: 'z', type: 'u8' as const },
      { name: 'y', type: 'u8' as const },
    ];
    const request = requestFor(model, { settings: { outputs } });
    const x = [...request.inputs[0]!.bytes];
    expect([...(await runtime.run(request)).output]).toEqual([...x.map((v) => Math.max(v, 100)), ...x]);
  });

  test('is optimised as the spec says', async () => {
    // From `basic` on the scale goes into the weights before anything runs, which rounds in another place.
    const model = encodeModel({
      inputs: [{ name: 'x', type: 'f32', dims: ['N', 3, 8, 8] }],
      outputs: [{ name: 'y', type: 'f32', dims: ['N', 4, 6, 6] }],
      constants: {
        w: tensor(
          'f32',
          [4, 3, 3, 3],
          numbers(108, (v) => v - 0.5),
        ),
        ...Object.fromEntries(
          ['scale', 'shift', 'mean', 'variance'].map((name, i) => [
            name,
            tensor('f32', [4], numbers(4 + i, (v) => v + 0.3).slice(i)),
          ]),
        ),
      },
      nodes: [
        { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'] },
        { op: 'BatchNormalization', inputs: ['c', 'scale', 'shift', 'mean', 'variance'], outputs: ['y'] },
      ],
    });
    const run = async (optimization: 'disabled' | 'basic'): Promise<number[]> => {
      const settings = {
        ...{ optimization, items: 4 },
        inputs: [{ name: 'x', type: 'f32' as const, shape: [3, 8, 8], file: 'x.bin' }],
        outputs: [{ name: 'y', type: 'f32' as const }],
      };
      const bytes = new Uint8Array(Float32Array.from(numbers(768, (v) => v)).buffer);
      return f32((await runtime.run(requestFor(model, { settings, inputs: [{ name: 'x.bin', bytes }] }))).output);
    };
    const [disabled, again, basic] = [await run('disabled'), await run('disabled'), await run('basic')];
    expect(again).toEqual(disabled);
    const differences = disabled.map((value, i) => Math.abs(value - basic[i]!));
    expect([differences.some((each) => each > 0), Math.max(...differences) < 1e-4]).toEqual([true, true]);
  });

  test('ends by its own time, or because the node says so, and the next one runs', async () => {
    const slow = encodeModel({
      inputs: [{ name: 'x', type: 'u8', dims: ['N', 4] }],
      outputs: [{ name: 'y', type: 'f32', dims: ['N', 2048] }],
      constants: {
        w: tensor(
          'f32',
          [4, 2048],
          numbers(8192, (v) => v),
        ),
      },
      nodes: [
        { op: 'Cast', inputs: ['x'], outputs: ['f'], attributes: { to: { int: 1 } } },
        { op: 'MatMul', inputs: ['f', 'w'], outputs: ['a0'] },
        { op: 'Transpose', inputs: ['a0'], outputs: ['t'] },
        { op: 'MatMul', inputs: ['t', 'a0'], outputs: ['m0'] },
        ...Array.from({ length: 60 }, (_, i) => ({ op: 'MatMul', inputs: [`m${i}`, 'm0'], outputs: [`m${i + 1}`] })),
        { op: 'MatMul', inputs: ['a0', 'm60'], outputs: ['y'] },
      ],
    });
    const settings = { outputs: [{ name: 'y', type: 'f32' as const }], batch: 8 };
    const limits = { units: 10_000_000, seconds: 0.5 };
    expect(await failure(runtime.run(requestFor(slow, { settings, limits })))).toBe(
      'timeout (machine): The shard was not done after the 0.5 seconds its spec allows.',
    );
    const stop = new AbortController();
    const running = failure(
      runtime.run(requestFor(slow, { settings, limits: { ...limits, seconds: 20 } }), { signal: stop.signal }),
    );
    stop.abort();
    expect(await running).toBe('killed (machine): The shard was ended because the node asked for it.');
    expect(i32((await runtime.run(whole())).output)).toEqual(wholeAnswer(whole().inputs[0]!.bytes));
  });
});

/** The header that the process gets for a model of `x` (u8, 4 a row) to `y`. */
const header = (model: Uint8Array): Uint8Array =>
  encodeModelHeader({
    ...{ model: model.length, provider: 'cpu', optimization: 'all', threads: 1, count: 1, batch: 1, outputBytes: MIB },
    inputs: [{ name: 'x', type: 'uint8', shape: [4], itemBytes: 4 }],
    outputs: [{ name: 'y', type: 'uint8' }],
  });

/** `y = x` for ever: a Loop of 2^63 - 1 trips around an Identity. */
const loop = graphFile((graph) => {
  const identity = (message: ProtoWriter, from: string, to: string): ProtoWriter =>
    message.message(1, (node) => node.text(1, from).text(2, to).text(4, 'Identity'));
  graph.message(1, (node) =>
    node
      .text(1, 'trips')
      .text(1, 'go')
      .text(1, 'x')
      .text(2, 'y')
      .text(4, 'Loop')
      .message(5, (attribute) =>
        attribute
          .text(1, 'body')
          .message(6, (body) => {
            identity(body, 'goes', 'on');
            identity(body, 'before', 'after');
            body.text(2, 'body');
            body.message(11, (v) => value(v, 'trip', 7, []));
            body.message(11, (v) => value(v, 'goes', 9, []));
            body.message(11, (v) => value(v, 'before', 2, [1, 4]));
            body.message(12, (v) => value(v, 'on', 9, []));
            body.message(12, (v) => value(v, 'after', 2, [1, 4]));
          })
          .integer(20, 5),
      ),
  );
  graph.text(2, 'g');
  const long = new Uint8Array(8).fill(255);
  long[7] = 0x7f;
  graph.message(5, (constant) => constant.integer(2, 7).text(8, 'trips').bytes(9, long));
  graph.message(5, (constant) => constant.integer(2, 9).text(8, 'go').bytes(9, Uint8Array.of(1)));
  graph.message(11, (v) => value(v, 'x', 2, [1, 4]));
  graph.message(12, (v) => value(v, 'y', 2, [1, 4]));
});

const identity = small([{ op: 'Identity', inputs: ['x'], outputs: ['y'] }]);

describe.skipIf(!strong)('what a stranger sends', () => {
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'its model is not taken: it has 0 graphs instead of one'],
    ['garbage', new TextEncoder().encode('MZ no model'), 'its model is not taken: it'],
    ['half a model', wholeModel.subarray(0, 120), 'its model is not taken: it ends in the middle of something'],
    [
      'the other format',
      Uint8Array.from([8, 0, 0, 0, 0x4f, 0x52, 0x54, 0x4d]),
      'its model is not taken: it is in the ORT',
    ],
    ['a loop of 2^63 turns', loop, 'its model is not taken: it has a graph inside of a graph'],
    [
      'an operator that nobody has',
      small([{ op: 'Nonsense', inputs: ['x'], outputs: ['y'] }]),
      'ONNX Runtime refuses the model',
    ],
    [
      'an operator of its own',
      small([{ op: 'Thing', domain: 'my.domain', inputs: ['x'], outputs: ['y'] }]),
      'its model is not taken: its operator Thing is of "my.domain"',
    ],
    [
      'random numbers',
      small([{ op: 'RandomUniformLike', inputs: ['x'], outputs: ['y'] }]),
      'its model is not taken: it uses the operator RandomUniformLike: it draws random numbers',
    ],
    [
      'an input that nothing makes',
      small([{ op: 'Identity', inputs: ['ghost'], outputs: ['y'] }]),
      'ONNX Runtime refuses the model',
    ],
    [
      'a circle',
      small([
        { op: 'Identity', inputs: ['b'], outputs: ['y'] },
        { op: 'Identity', inputs: ['y'], outputs: ['b'] },
      ]),
      'ONNX Runtime refuses the model',
    ],
  ])('%s is refused', async (_, model, message) => {
    const said = await failure(runtime.run(requestFor(model)));
    expect(said.replace('The shard cannot be run: ', '')).toContain(`module-rejected (job): ${message}`);
  });

  test('data in another file is refused before ONNX Runtime sees the model, and by it too', async () => {
    const outside = graphFile((graph) => {
      graph.message(1, (node) => node.text(1, 'x').text(1, 'w').text(2, 'y').text(4, 'Max'));
      graph.text(2, 'g');
      graph.message(5, (constant) =>
        constant
          .integers(1, [4])
          .integer(2, 2)
          .text(8, 'w')
          .message(13, (entry) => entry.text(1, 'location').text(2, '../../etc/passwd'))
          .integer(14, 1),
      );
      graph.message(11, (v) => value(v, 'x', 2, [1, 4]));
      graph.message(12, (v) => value(v, 'y', 2, [1, 4]));
    });
    const request = requestFor(outside, { settings: { batch: 1 } });
    expect(await failure(runtime.run(request))).toBe(
      'module-rejected (job): The shard cannot be run: its model is not taken: its constant "w" is in another file: all data must be ' +
        'in the model. The spec has to be corrected.',
    );
    const parts = [header(outside), outside, new Uint8Array(4)];
    expect(await failure(runtime.compute(parts, request.limits))).toContain(
      'module-rejected (job): ONNX Runtime refuses the model',
    );
  });

  test('an endless loop that got past the checks is ended by the node', async () => {
    const { limits } = requestFor(identity, { limits: { seconds: 1.5 } });
    expect(await failure(runtime.compute([header(loop), loop, new Uint8Array(4)], limits))).toBe(
      'timeout (machine): The shard was not done after the 1.5 seconds its spec allows.',
    );
  });

  test('a huge tensor is refused by its shape, or by memory when its shape is not known', async () => {
    const shape = (sides: number[]): Parameters<typeof small>[1] => ({
      constants: { s: tensor('i64', [sides.length], sides) },
    });
    const bomb = [
      { op: 'ConstantOfShape', inputs: ['s'], outputs: ['big'] },
      { op: 'ReduceMax', inputs: ['big'], outputs: ['m'], attributes: { keepdims: { int: 0 } } },
      { op: 'Cast', inputs: ['m'], outputs: ['c'], attributes: { to: { int: 2 } } },
      { op: 'Max', inputs: ['x', 'c'], outputs: ['y'] },
    ];
    const giant = small(bomb, shape([200_000, 200_000]));
    expect(await failure(runtime.run(requestFor(giant)))).toBe(
      'module-rejected (job): The shard cannot be run: its model is not taken: it has a tensor of 200000 × 200000. The spec has to be ' +
        'corrected.',
    );
    const large = small(bomb, shape([20_000, 20_000]));
    expect(await failure(runtime.run(requestFor(large, { settings: { optimization: 'disabled' } })))).toBe(
      'out-of-memory (job): The model needs more memory than its spec allows.',
    );
  });

  test('work beyond the limit and output beyond the limit are refused', async () => {
    expect(await failure(runtime.run(whole({ limits: { outputBytes: 63 } })))).toBe(
      'output-limit (job): The shard wrote more than the 63 bytes its spec allows.',
    );
    const wide = small(
      [
        { op: 'Cast', inputs: ['x'], outputs: ['f'], attributes: { to: { int: 1 } } },
        { op: 'MatMul', inputs: ['f', 'w'], outputs: ['y'] },
      ],
      {
        constants: {
          w: tensor(
            'f32',
            [4, 100_000],
            numbers(400_000, (v) => v),
          ),
        },
        outputs: [{ name: 'y', type: 'f32', dims: ['N', 100_000] }],
      },
    );
    const outputs = [{ name: 'y', type: 'f32' as const }];
    expect(await failure(runtime.run(requestFor(wide, { settings: { outputs }, limits: { units: 7 } })))).toBe(
      'out-of-units (job): The shard needs more than the 7 units its spec allows.',
    );
  });
});
