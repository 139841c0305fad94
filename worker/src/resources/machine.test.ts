import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { roomy } from '../testing/machine.ts';
import type { GpuReading } from './gpus.ts';
import { coresOfOthers, machineOf, roomNow, type MachineSources } from './machine.ts';
import { parseCpuLine, parseStat, readCpuTimes } from './processTimes.ts';

const gpu = (over: Partial<GpuReading> = {}): GpuReading => ({
  ...{ uuid: 'GPU-a', name: 'a', vramBytes: 1_000, vramUsedBytes: 100, busyPercent: 50 },
  ...{ temperatureC: 40, powerWatts: 100, powerLimitWatts: 300, pids: [] },
  ...over,
});

/** Fields of `/proc/<pid>/stat` as far as they are read: the name, the parent, and four times. */
const stat = (name: string, parent: number, ticks: readonly number[]): string =>
  `1 (${name}) S ${parent} 1 1 0 -1 4194304 1 2 3 4 ${ticks.join(' ')} 20 0 1 0 100 1000 10`;

test('reads processes whose names are unkind', () => {
  expect(parseStat(stat('a) S 99 (b', 7, [1, 2, 3, 4]))).toEqual({ parent: 7, ticks: 10 });
  expect(parseStat('nonsense')).toBeUndefined();
});

test('waiting for disks is idle, guests are not counted twice', () => {
  expect(parseCpuLine('cpu  10 1 5 100 20 1 1 2 9 9\ncpu0 1 1 1 1 1 1 1 1 0 0')).toEqual({ total: 140, busy: 20 });
  expect(parseCpuLine('intr 5')).toBeUndefined();
});

test('counts this process and all below it, children that ended included', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dpu-proc-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const process = (pid: number, parent: number, ticks: readonly number[]): void => {
    mkdirSync(join(folder, String(pid)));
    writeFileSync(join(folder, String(pid), 'stat'), stat('x', parent, ticks));
  };
  writeFileSync(join(folder, 'stat'), 'cpu  100 0 0 300 0 0 0 0 0 0\n');
  process(10, 1, [1, 1, 5, 0]);
  process(11, 10, [2, 0, 0, 0]);
  process(12, 11, [3, 0, 0, 0]);
  process(13, 1, [90, 0, 0, 0]);
  mkdirSync(join(folder, '14'));
  const read = readCpuTimes(10, folder);
  expect(read?.times).toEqual({ busy: 100, total: 400, own: 12 });
  expect([...(read?.own ?? [])]).toEqual([10, 11, 12]);
  expect(readCpuTimes(10, join(folder, 'none'))).toBeUndefined();
});

test('what others use is what is busy and not ours', () => {
  expect(coresOfOthers({ busy: 0, total: 0, own: 0 }, { busy: 60, total: 100, own: 10 }, 4)).toBe(2);
  expect(coresOfOthers({ busy: 0, total: 0, own: 0 }, { busy: 60, total: 100, own: 70 }, 4), 'rounding').toBe(0);
});

const sources = (over: Partial<MachineSources> = {}): MachineSources => ({
  cores: () => 4,
  times: () => undefined,
  memoryAvailable: () => 5_000,
  cpuTemperature: async () => undefined,
  gpus: async () => [],
  ...over,
});

test('needs two readings to tell what others use, and time between them', async () => {
  const times = [
    { busy: 0, total: 0, own: 0 },
    { busy: 5, total: 9, own: 0 },
    { busy: 10, total: 20, own: 0 },
  ];
  const machine = machineOf(sources({ times: () => ({ times: times.shift()!, own: new Set([1]) }) }));
  const seen = [await machine.read(), await machine.read(), await machine.read()];
  expect(seen.map(({ othersCores }) => othersCores)).toEqual([undefined, undefined, 2]);
});

test.each([
  ['nobody computes on it, so a desktop may draw', [], 50],
  ['only we compute on it', [1], 0],
  ['others compute on it too', [1, 2], 50],
])('a GPU is used by others: %s', async (_what, pids, percent) => {
  const times = () => ({ times: { busy: 0, total: 0, own: 0 }, own: new Set([1]) });
  const machine = machineOf(sources({ times, gpus: async () => [gpu({ pids })] }));
  expect((await machine.read()).othersGpuPercent).toBe(percent);
});

test('what is really there bounds what may be promised', () => {
  const books = {
    free: roomy(2, { memoryBytes: 4_000, vramBytes: 800 }),
    promised: roomy(2, { memoryBytes: 3_000, vramBytes: 200 }),
    used: roomy(1, { memoryBytes: 1_000, vramBytes: 200 }),
  };
  const reading = { memoryAvailableBytes: 5_000, gpus: [gpu()] };
  // 2,000 of the promised memory is not taken yet, so 3,000 of the 5,000 are left.
  expect(roomNow(books, reading)).toMatchObject({ slots: 2, memoryBytes: 3_000, vramBytes: 800 });
  const full = { memoryAvailableBytes: 1_000, gpus: [gpu({ vramUsedBytes: 700 })] };
  expect(roomNow(books, full)).toMatchObject({ memoryBytes: 0, vramBytes: 300 });
  expect(roomNow(books, undefined)).toEqual(books.free);
});
