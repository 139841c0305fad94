import type { NodeConfig } from '../config.ts';
import type { Log } from '../log.ts';
import { repeat } from '../repeat.ts';
import { Governor } from './governor.ts';
import { largestGpu, thisMachine, type Machine } from './machine.ts';
import { Resources } from './resources.ts';

/** The settings that say what of this machine may be used, and when. */
export type MachineSettings = Pick<
  NodeConfig,
  | 'slots'
  | 'cores'
  | 'memoryMb'
  | 'onlyWhenIdle'
  | 'idleCpuPercent'
  | 'idleGpuPercent'
  | 'idleSeconds'
  | 'maxCpuTemperature'
  | 'maxGpuTemperature'
  | 'maxGpuPowerWatts'
  | 'schedule'
>;

/** What the machine is opened with. */
export interface OpenMachineDeps {
  log: Log;
  /** Milliseconds of a steady clock. */
  clockMs: () => number;
  /** Unix seconds of the local clock. */
  nowSeconds: () => number;
  /** The machine; this one when absent. */
  machine?: Machine;
}

/** This machine, as far as the node may use it. */
export interface OpenMachine {
  resources: Resources;
  governor: Governor;
  /** Reads the machine until aborted. */
  watch(signal: AbortSignal): Promise<void>;
}

const MIB = 1024 * 1024;
const READ_EVERY_MS = 5_000;

/** Reads the machine once, and sets up what keeps its books and its rules. */
export async function openMachine(
  settings: MachineSettings,
  { log, clockMs, nowSeconds, machine }: OpenMachineDeps,
  signal: AbortSignal,
): Promise<OpenMachine> {
  const { slots, cores, memoryMb, onlyWhenIdle } = settings;
  const governor = new Governor(
    {
      onlyWhenIdle,
      idleCores: (settings.idleCpuPercent / 100) * cores,
      idleGpuPercent: settings.idleGpuPercent,
      idleSeconds: settings.idleSeconds,
      maxCpuTemperatureC: settings.maxCpuTemperature,
      maxGpuTemperatureC: settings.maxGpuTemperature,
      maxGpuPowerWatts: settings.maxGpuPowerWatts,
      windows: settings.schedule,
    },
    {
      machine:
        machine ??
        thisMachine({ withProcesses: onlyWhenIdle, withTemperature: settings.maxCpuTemperature !== undefined }),
      nowSeconds,
      log,
    },
  );
  await governor.tick(signal);
  const vramBytes = largestGpu(governor.reading?.gpus ?? [])?.vramBytes ?? 0;
  const resources = new Resources(
    { capacity: { slots, cores, memoryBytes: memoryMb * MIB, vramBytes } },
    { nowSeconds: () => clockMs() / 1_000 },
  );
  return {
    resources,
    governor,
    watch: (until) =>
      repeat((abort) => governor.tick(abort), {
        everyMs: READ_EVERY_MS,
        signal: until,
        onError: (error) => log.warn('The machine cannot be read', { error }),
      }),
  };
}
