import { expect, test } from 'vitest';

import type { Log } from '../log.ts';
import { silentLog } from '../log.ts';
import { Governor, judgeMachine, type GovernorOptions, type GovernorState } from './governor.ts';
import type { MachineReading } from './machine.ts';
import { parseWindow } from './schedule.ts';

const options: GovernorOptions = {
  ...{ onlyWhenIdle: true, idleCores: 1, idleGpuPercent: 20, idleSeconds: 60 },
  ...{ maxCpuTemperatureC: 85, maxGpuTemperatureC: 80, maxGpuPowerWatts: 200, windows: [] },
};
const quiet: MachineReading = {
  ...{ othersCores: 0, memoryAvailableBytes: 1, cpuTemperatureC: 50, gpus: [], othersGpuPercent: 0 },
};
const card = (temperatureC: number | undefined, powerWatts?: number): MachineReading => ({
  ...quiet,
  gpus: [
    {
      ...{ uuid: 'a', name: 'a', vramBytes: 1, vramUsedBytes: 0, busyPercent: 0, powerLimitWatts: 300, pids: [] },
      ...{ temperatureC, powerWatts },
    },
  ],
});
const calm: GovernorState = { busyAt: undefined, hot: false, power: false };
const codes = (readings: readonly [number, MachineReading][], over: Partial<GovernorOptions> = {}) => {
  let state = calm;
  return readings.map(([now, reading]) => {
    const judged = judgeMachine(reading, state, { ...options, ...over }, now);
    state = judged.state;
    return judged.halt?.code;
  });
};

test.each([
  ['as many cores as allowed', { othersCores: 1 }, undefined],
  ['more cores', { othersCores: 1.01 }, 'notIdle'],
  ['as much of a GPU as allowed', { othersGpuPercent: 20 }, undefined],
  ['more of a GPU', { othersGpuPercent: 21 }, 'notIdle'],
  ['nobody can tell', { othersCores: undefined }, undefined],
])('others use %s', (_what, over, code) => {
  expect(codes([[0, { ...quiet, ...over }]])).toEqual([code]);
  expect(codes([[0, { ...quiet, ...over }]], { onlyWhenIdle: false }), 'and it does not matter').toEqual([undefined]);
});

test('work is taken again after a minute of quiet', () => {
  const busy = { ...quiet, othersCores: 3 };
  expect(
    codes([
      [0, busy],
      [5, quiet],
      [59, quiet],
      [60, quiet],
    ]),
  ).toEqual(['notIdle', 'notIdle', 'notIdle', undefined]);
});

test.each([
  ['processor', (celsius: number) => ({ ...quiet, cpuTemperatureC: celsius }), 85],
  ['GPU', (celsius: number) => card(celsius), 80],
])('a hot %s stops new work until it is five degrees cooler', (_part, at, most) => {
  const readings = [most, most + 1, most - 4, most - 5].map((celsius, index): [number, MachineReading] => [
    index,
    at(celsius),
  ]);
  expect(codes(readings)).toEqual([undefined, 'hot', 'hot', undefined]);
});

test('power is a limit where the driver tells it', () => {
  const watts = [200, 201, 191, 190].map((power, index): [number, MachineReading] => [index, card(40, power)]);
  expect(codes(watts)).toEqual([undefined, 'power', 'power', undefined]);
  expect(codes([[0, card(undefined)]])).toEqual([undefined]);
});

test('without limits nothing stops it', () => {
  const none = { maxCpuTemperatureC: undefined, maxGpuTemperatureC: undefined, maxGpuPowerWatts: undefined };
  expect(codes([[0, { ...card(200, 2_000), cpuTemperatureC: 200 }]], none)).toEqual([undefined]);
});

test('keeps the operator’s hours, and says when it stops and when it goes on', async () => {
  let now = Date.parse('2026-06-01T06:59:50Z') / 1000;
  const said: string[] = [];
  const log: Log = { ...silentLog, info: (message, facts) => said.push(`${message}: ${String(facts?.['reason'])}`) };
  const governor = new Governor(
    { ...options, windows: [parseWindow('22:00-07:00', 'UTC')] },
    { machine: { read: async () => quiet }, nowSeconds: () => now, log },
  );
  const never = new AbortController().signal;
  await governor.tick(never);
  expect([governor.halt, governor.secondsLeft]).toEqual([undefined, 10]);
  now += 10;
  const opensAt = Date.parse('2026-06-01T22:00:00Z') / 1000;
  expect([governor.halt, governor.secondsLeft]).toEqual([{ code: 'hours', detail: { opensAt } }, Infinity]);
  await governor.tick(never);
  now = opensAt;
  await governor.tick(never);
  expect(said).toEqual(['New work is not taken for now: hours', 'New work is taken again: undefined']);
});
