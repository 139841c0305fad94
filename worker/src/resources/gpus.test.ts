import { expect, test } from 'vitest';

import { nvidiaGpus, parseNvidia } from './gpus.ts';

const MIB = 1024 * 1024;

test('reads what the tool tells, and leaves open what it does not', () => {
  const gpus = [
    'GPU-aa, NVIDIA H200, 143771, 1024, 37, 41, 118.52, 700.00',
    'GPU-bb, NVIDIA GeForce RTX 3060, 12288, 300, [N/A], [Not Supported], [N/A], [N/A]',
    'GPU-cc, broken, [N/A], [N/A], 0, 30, 1, 2',
    '',
  ].join('\n');
  expect(parseNvidia(gpus, 'GPU-aa, 100\nGPU-aa, 200\nGPU-zz, 300\n')).toEqual([
    {
      ...{ uuid: 'GPU-aa', name: 'NVIDIA H200', vramBytes: 143_771 * MIB, vramUsedBytes: 1_024 * MIB },
      ...{ busyPercent: 37, temperatureC: 41, powerWatts: 118.52, powerLimitWatts: 700, pids: [100, 200] },
    },
    {
      ...{ uuid: 'GPU-bb', name: 'NVIDIA GeForce RTX 3060', vramBytes: 12_288 * MIB, vramUsedBytes: 300 * MIB },
      ...{
        busyPercent: undefined,
        temperatureC: undefined,
        powerWatts: undefined,
        powerLimitWatts: undefined,
        pids: [],
      },
    },
  ]);
});

test.each([
  ['no tool', '/nowhere/nvidia-smi'],
  ['a tool that fails', 'false'],
])('%s is no GPU', async (_what, path) => {
  const source = nvidiaGpus(path);
  expect([await source(), await source()]).toEqual([[], []]);
});
