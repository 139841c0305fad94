import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** One GPU as its driver describes it now. What the driver does not tell is undefined. */
export interface GpuReading {
  uuid: string;
  name: string;
  vramBytes: number;
  vramUsedBytes: number;
  /** Time in which a kernel ran, percent, over the driver's last moment. */
  busyPercent: number | undefined;
  temperatureC: number | undefined;
  powerWatts: number | undefined;
  /** What the driver lets it draw at most. */
  powerLimitWatts: number | undefined;
  /** Processes that compute on it. */
  pids: number[];
}

/** Asks a driver about its GPUs. Never throws: no tool or no GPU is an empty list. */
export type GpuSource = (signal?: AbortSignal) => Promise<GpuReading[]>;

const MIB = 1024 * 1024;
const GPU_QUERY =
  '--query-gpu=uuid,name,memory.total,memory.used,utilization.gpu,temperature.gpu,power.draw,power.limit';
const APP_QUERY = '--query-compute-apps=gpu_uuid,pid';
const FORMAT = '--format=csv,noheader,nounits';
/** The tool takes a second or two when the driver sleeps. */
const PATIENCE_MS = 5_000;

/** `[N/A]`, `[Not Supported]` and the like are what the driver does not tell. */
function amount(text: string | undefined): number | undefined {
  const value = Number(text);
  return text === undefined || text === '' || !Number.isFinite(value) ? undefined : value;
}

const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.includes(','))
    .map((line) => line.split(',').map((cell) => cell.trim()));

/** Reads the two tables of `nvidia-smi`. Rows without an amount of memory are no GPU and are left out. */
export function parseNvidia(gpus: string, apps: string): GpuReading[] {
  const users = Map.groupBy(rows(apps), ([uuid]) => uuid ?? '');
  return rows(gpus).flatMap(([uuid = '', name = '', total, used, busy, temperature, power, limit]) => {
    const vram = amount(total);
    if (vram === undefined) return [];
    return [
      {
        uuid,
        name,
        vramBytes: vram * MIB,
        vramUsedBytes: (amount(used) ?? 0) * MIB,
        busyPercent: amount(busy),
        temperatureC: amount(temperature),
        powerWatts: amount(power),
        powerLimitWatts: amount(limit),
        pids: (users.get(uuid) ?? []).flatMap(([, pid]) => amount(pid) ?? []),
      },
    ];
  });
}

/** NVIDIA's GPUs, by its own tool. `path` names it where it is not found by itself. */
export function nvidiaGpus(path = 'nvidia-smi'): GpuSource {
  const ask = promisify(execFile);
  let missing = false;
  return async (signal) => {
    if (missing) return [];
    const options = { timeout: PATIENCE_MS, ...(signal ? { signal } : {}) };
    try {
      const gpus = await ask(path, [GPU_QUERY, FORMAT], options);
      const apps = await ask(path, [APP_QUERY, FORMAT], options).catch(() => ({ stdout: '' }));
      return parseNvidia(gpus.stdout, apps.stdout);
    } catch (error) {
      missing = (error as { code?: unknown }).code === 'ENOENT';
      return [];
    }
  };
}
