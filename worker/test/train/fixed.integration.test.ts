import type { JobSpecInput } from '@dpu/sdk/spec';
import { train } from '@dpu/sdk/templates/train';
import { afterAll, describe, expect, test } from 'vitest';

import type { ShardOutput, ShardRequest } from '../../src/runtimes/runtime.ts';
import { KERNEL_SELF_TEST } from '../../src/runtimes/train/kernelSelfTest.ts';
import { TrainRuntime } from '../../src/runtimes/train/trainRuntime.ts';
import { WgslRuntime } from '../../src/runtimes/wgsl/wgslRuntime.ts';
import { failure } from '../wasm/shardRequest.ts';
import { prepareChain, rowsOf } from './chain.ts';

/** Uneven parts, a last batch that is not full, and a step that one shard has and the others have not. */
const OPTIONS = { rounds: 2, shards: 3, hidden: 8, epochs: 2, batch: 127, rate: 300 };

const kernels = new WgslRuntime();
const runtime = new TrainRuntime({ kernels });
const probe = await kernels.probe();
if (!probe.available) console.warn(`No training on a GPU is tested on this machine. ${probe.detail}`);
const onGpu = describe.skipIf(!probe.available);
afterAll(async () => {
  await runtime.close();
  await kernels.close();
});

const bytesOf = (outputs: readonly ShardOutput[][]): string[][] =>
  outputs.map((job) => job.map(({ output }) => Buffer.from(output).toString('base64')));
/** Head of a file of weights. */
const headOf = ({ output }: ShardOutput): number[] => [
  ...new Uint32Array(Uint8Array.from(output.subarray(0, 32)).buffer),
];

onGpu('a training in whole numbers', () => {
  test('gives the same bits on a GPU as on a processor, round after round, and learns', async () => {
    const [gpu, cpu] = [
      await prepareChain(train, { ...OPTIONS, device: 'gpu' }, [runtime]),
      await prepareChain(train, { ...OPTIONS, numbers: 'fixed' }, [runtime]),
    ];
    const settings = ({ jobs }: { jobs: readonly JobSpecInput[] }): boolean[] => jobs.map((job) => 'settings' in job);
    expect([settings(gpu), settings(cpu)]).toEqual([
      [true, false, true, false],
      [false, false, false, false],
    ]);
    const [onGpu, onCpu] = [await gpu.run(), await cpu.run()];
    expect(bytesOf(onGpu)).toEqual(bytesOf(onCpu));
    expect(headOf(onGpu[0]![0]!).slice(0, 6)).toEqual([0x57555044, 2, 256, 8, 10, 0]);
    expect(headOf(onGpu[2]![0]!)[5]).toBe(1);
    // The three learnt from different images.
    expect(new Set(bytesOf(onGpu)[0]).size).toBe(3);
    const rows = rowsOf(onGpu.at(-1)![1]!.output);
    expect(rows[1]!['test loss']).toBeLessThan(rows[0]!['test loss']!);
    expect(rows[1]!['accuracy']).toBeGreaterThan(0.8);
    for (const [i, { limits }] of gpu.jobs.entries())
      for (const { units } of onGpu[i]!) expect(units).toBeLessThanOrEqual(limits.units);
  });

  test('is declined before a claim where the node has no kernels, and refused like any kernel', async () => {
    const without = new TrainRuntime();
    expect(await without.probe()).toMatchObject({
      available: true,
      detail: expect.stringMatching(/; Trainings cannot be run on a GPU here: this node runs no kernels$/) as string,
    });
    expect(await failure(without.run(KERNEL_SELF_TEST))).toBe(
      'device-lost (machine): Trainings cannot be run on a GPU here: this node runs no kernels',
    );
    await without.close();
    const broken: ShardRequest = { ...KERNEL_SELF_TEST, module: new TextEncoder().encode('fn nothing() {}') };
    expect(await failure(runtime.run(broken))).toMatch(/^module-rejected \(job\): /);
  });

  test('is not offered by an engine whose answer is wrong', async () => {
    const liar = new TrainRuntime({
      kernels: {
        probe: () => kernels.probe(),
        needs: () => ({}),
        run: async (request) => {
          const made = await kernels.run(request);
          made.output[0]! ^= 1;
          return made;
        },
      },
    });
    expect(await failure(liar.run(KERNEL_SELF_TEST))).toMatch(
      /^device-lost \(machine\): Trainings cannot be run on a GPU here: the self-test computed [0-9a-f]{64}, which is wrong$/,
    );
    await liar.close();
  });
});
