import { readPng } from '@dpu/sdk/compare/png';
import { learn } from '@dpu/sdk/templates/learn';
import { afterAll, expect, test } from 'vitest';

import { OnnxRuntime } from '../../src/runtimes/onnx/onnxRuntime.ts';
import { TrainRuntime } from '../../src/runtimes/train/trainRuntime.ts';
import { WasmRuntime } from '../../src/runtimes/wasm/wasmRuntime.ts';
import { prepareChain, rowsOf } from './chain.ts';

const runtimes = [new TrainRuntime(), new OnnxRuntime(), new WasmRuntime()];
const onnx = await runtimes[1]!.probe();
if (!onnx.available) console.warn(`No model is run on this machine. ${onnx.detail}`);
afterAll(() => Promise.all(runtimes.map((runtime) => runtime.close())));

test.skipIf(!onnx.available)(
  'a model trained by one part of a chain classifies in the next, as well as it was tested',
  async () => {
    const chain = await prepareChain(learn, { rounds: 2, shards: 3, scorers: 2 }, runtimes);
    expect(chain.jobs.map(({ runtime }) => runtime)).toEqual(['train', 'train', 'train', 'train', 'onnx', 'wasm']);
    const outputs = await chain.run();
    // What the last training job found with its own arithmetic, image by image.
    const answers = rowsOf(outputs[3]![3]!.output);
    const [picture, table] = outputs.at(-1)!.map(({ output }) => output) as [Uint8Array, Uint8Array];
    const lines = new TextDecoder().decode(table).trimEnd().split('\n');
    const counted = Array.from({ length: 10 }, (_, label) =>
      Array.from(
        { length: 10 },
        (_, answer) => answers.filter((row) => row['label'] === label && row['answer'] === answer).length,
      ),
    );
    expect(lines.slice(1, 11).map((line) => line.split(',').slice(1).map(Number))).toEqual(counted);
    const right = answers.filter(({ label, answer }) => label === answer).length;
    expect(right).toBeGreaterThan(1_800);
    expect(lines.at(-1)).toBe(`accuracy,${(Math.round(right / 2) / 10).toFixed(1)}%`);
    expect(readPng(picture)).toMatchObject({ width: 670, height: 656 });
    // The caps stop runaways: an honest shard stays below them.
    expect(outputs[4]!.map(({ units }) => units)).toEqual([35, 35]);
    expect(chain.jobs[4]!.limits.units).toBe(36);
  },
);
