import { encodeModel, tensor } from '@dpu/sdk/onnx/writeModel';
import type { OnnxSettings } from '@dpu/sdk/runtimes/onnx';
import { afterAll, describe, expect, test } from 'vitest';

import { singleOutput, type ComparedSpec } from '../../src/runtimes/compareShards.ts';
import { OnnxRuntime } from '../../src/runtimes/onnx/onnxRuntime.ts';
import { ShardError, type ShardRequest } from '../../src/runtimes/runtime.ts';
import { floatModel, numbers, requestFor } from './models.ts';

const runtime = new OnnxRuntime();
const none = new OnnxRuntime({ driver: 'none' });
afterAll(async () => {
  await runtime.close();
  await none.close();
});

const { available, detail } = await runtime.probe();
const hasCard = available && detail.includes('models on WebGPU too');
if (!hasCard) console.warn(`Models on a graphics card are not tested on this machine. ${detail}`);

const f32 = (bytes: Uint8Array): number[] => [...new Float32Array(Uint8Array.from(bytes).buffer)];

/** A shard of fractions for `provider`. */
function fractions(
  provider: OnnxSettings['provider'] & string,
  limits: Partial<ShardRequest['limits']> = {},
): ShardRequest {
  return requestFor(floatModel, {
    settings: {
      ...{ provider, items: 5, batch: 2 },
      inputs: [{ name: 'x', type: 'f32', shape: [8], file: 'x.bin' }],
      outputs: [{ name: 'y', type: 'f32' }],
    },
    inputs: [{ name: 'x.bin', bytes: new Uint8Array(Float32Array.from(numbers(40, (v) => v * 2 - 1)).buffer) }],
    limits,
  });
}

async function failure(running: Promise<unknown>): Promise<string> {
  const error = await running.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ShardError) return `${error.reason} (${error.fault}): ${error.message}`;
  throw error ?? new Error('it did not fail');
}

describe.skipIf(!hasCard)('a model on a graphics card', () => {
  test('makes what the processor makes, within a thousandth, for the same units', async () => {
    const [card, processor] = [await runtime.run(fractions('webgpu')), await runtime.run(fractions('cpu'))];
    const differences = f32(card.output).map((value, i) => Math.abs(value - f32(processor.output)[i]!));
    expect(differences).toHaveLength(20);
    expect(Math.max(...differences)).toBeLessThan(1e-3);
    expect(card.units).toBe(processor.units);
  });

  test('is compared by the spec’s tolerance: a card’s last digits are no lie', async () => {
    const [card, processor] = [await runtime.run(fractions('webgpu')), await runtime.run(fractions('cpu'))];
    const spec = {
      output: { name: 'y.bin', mediaType: 'application/octet-stream' },
      comparator: {
        ...{ kind: 'numeric', type: 'f32', absolutePpb: 1_000_000, relativePpb: 1_000_000, outliersPpm: 0 },
      },
    } as ComparedSpec;
    const { same } = await runtime.compare(spec, singleOutput(spec, card.output), singleOutput(spec, processor.output));
    expect(same).toBe(true);
  });

  test('convolutions run there too', async () => {
    const model = encodeModel({
      inputs: [{ name: 'x', type: 'f32', dims: ['N', 1, 6, 6] }],
      outputs: [{ name: 'y', type: 'f32', dims: ['N', 2, 4, 4] }],
      constants: {
        w: tensor(
          'f32',
          [2, 1, 3, 3],
          numbers(18, (v) => v - 0.5),
        ),
      },
      nodes: [
        { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'] },
        { op: 'Relu', inputs: ['c'], outputs: ['y'] },
      ],
    });
    const made = async (provider: 'cpu' | 'webgpu'): Promise<number[]> => {
      const settings = {
        ...{ provider, items: 3, batch: 3 },
        inputs: [{ name: 'x', type: 'f32' as const, shape: [1, 6, 6], file: 'x.bin' }],
        outputs: [{ name: 'y', type: 'f32' as const }],
      };
      const bytes = new Uint8Array(Float32Array.from(numbers(108, (v) => v)).buffer);
      return f32((await runtime.run(requestFor(model, { settings, inputs: [{ name: 'x.bin', bytes }] }))).output);
    };
    const [card, processor] = [await made('webgpu'), await made('cpu')];
    expect(Math.max(...card.map((value, i) => Math.abs(value - processor[i]!)))).toBeLessThan(1e-3);
  });

  test('ends by its own time, and the next one runs', async () => {
    expect(await failure(runtime.run(fractions('webgpu', { seconds: 0.05 })))).toBe(
      'timeout (machine): The shard was not done after the 0.05 seconds its spec allows.',
    );
    expect((await runtime.run(fractions('webgpu'))).output).toHaveLength(80);
  });

  test('that ONNX Runtime refuses is the job’s fault, as on a processor', async () => {
    const unknown = encodeModel({
      inputs: [{ name: 'x', type: 'f32', dims: ['N', 8] }],
      outputs: [{ name: 'y', type: 'f32', dims: ['N', 8] }],
      constants: {},
      nodes: [{ op: 'NoSuchOperator', inputs: ['x'], outputs: ['y'] }],
    });
    const { settings, inputs } = fractions('webgpu');
    const request = requestFor(unknown, { settings: settings as Partial<OnnxSettings>, inputs });
    expect(await failure(runtime.run(request))).toMatch(/^module-rejected \(job\): /u);
  });
});

describe.skipIf(!available)('without a graphics card', () => {
  test('a model for one is declined, and one for the processor runs', async () => {
    expect((await none.probe()).detail).toMatch(
      /; Models cannot be run on a graphics card here: no Vulkan driver is installed or allowed\.?$/u,
    );
    expect(await failure(none.run(fractions('webgpu')))).toMatch(/^device-lost \(machine\): Models cannot be run/u);
    expect((await none.run(fractions('cpu'))).output).toHaveLength(80);
  });
});
