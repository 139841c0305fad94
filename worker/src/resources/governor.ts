import type { Log } from '../log.ts';
import type { Machine, MachineReading } from './machine.ts';
import { hoursAt, type Window } from './schedule.ts';

/** When this machine takes new work. What is undefined is no rule. */
export interface GovernorOptions {
  /** Take work only while nobody else uses the machine. */
  onlyWhenIdle: boolean;
  /** Cores that others may keep busy before that counts as use, and percent of a GPU. */
  idleCores: number;
  idleGpuPercent: number;
  /** Seconds of quiet before work is taken again. */
  idleSeconds: number;
  maxCpuTemperatureC?: number | undefined;
  maxGpuTemperatureC?: number | undefined;
  maxGpuPowerWatts?: number | undefined;
  /** Local hours; none is always. */
  windows: readonly Window[];
}

/** Why no new work is taken now. */
export interface Halt {
  code: 'notIdle' | 'hot' | 'power' | 'hours';
  detail: Record<string, string | number>;
}

/** What the governor works with. */
export interface GovernorDeps {
  machine: Machine;
  /** Unix seconds of the local clock: hours and quiet are the operator's, not the chain's. */
  nowSeconds: () => number;
  log: Log;
}

/** A limit that was reached is kept until the machine is this much below it, so that it does not swing. */
const COOLER_C = 5;
const COOLER_POWER = 0.95;

/** What of the machine's state lives from one reading to the next. */
export interface GovernorState {
  /** When others were last seen to use the machine, unix seconds. */
  busyAt: number | undefined;
  hot: boolean;
  power: boolean;
}

/** What the rules say about a reading. Pure. */
export function judgeMachine(
  reading: MachineReading,
  state: GovernorState,
  options: GovernorOptions,
  now: number,
): { halt: Halt | undefined; state: GovernorState } {
  const { othersCores = 0, othersGpuPercent, cpuTemperatureC = 0, gpus } = reading;
  const busy = options.onlyWhenIdle && (othersCores > options.idleCores || othersGpuPercent > options.idleGpuPercent);
  const busyAt = busy ? now : state.busyAt;
  const gpuTemperature = Math.max(0, ...gpus.map(({ temperatureC = 0 }) => temperatureC));
  const watts = Math.max(0, ...gpus.map(({ powerWatts = 0 }) => powerWatts));
  const over = (value: number, most: number | undefined, was: boolean, back: number): boolean =>
    most !== undefined && value > (was ? back : most);
  const cpuHot = over(
    cpuTemperatureC,
    options.maxCpuTemperatureC,
    state.hot,
    (options.maxCpuTemperatureC ?? 0) - COOLER_C,
  );
  const gpuHot = over(
    gpuTemperature,
    options.maxGpuTemperatureC,
    state.hot,
    (options.maxGpuTemperatureC ?? 0) - COOLER_C,
  );
  const power = over(watts, options.maxGpuPowerWatts, state.power, (options.maxGpuPowerWatts ?? 0) * COOLER_POWER);
  const next = { busyAt, hot: cpuHot || gpuHot, power };
  return { halt: haltOf(next), state: next };

  function haltOf({ hot }: GovernorState): Halt | undefined {
    if (hot) {
      return {
        code: 'hot',
        detail: cpuHot
          ? { part: 'cpu', celsius: cpuTemperatureC, most: options.maxCpuTemperatureC ?? 0 }
          : { part: 'gpu', celsius: gpuTemperature, most: options.maxGpuTemperatureC ?? 0 },
      };
    }
    if (power) return { code: 'power', detail: { watts, most: options.maxGpuPowerWatts ?? 0 } };
    if (busyAt !== undefined && now - busyAt < options.idleSeconds) {
      const cores = Math.round(othersCores * 10) / 10;
      return { code: 'notIdle', detail: { cores, gpuPercent: othersGpuPercent, quietFor: now - busyAt } };
    }
    return undefined;
  }
}

/** Watches the machine and the clock, and says whether new work may be taken. What is promised is finished whatever it says. */
export class Governor {
  readonly #options: GovernorOptions;
  readonly #deps: GovernorDeps;
  #state: GovernorState = { busyAt: undefined, hot: false, power: false };
  #halt: Halt | undefined;
  #reading: MachineReading | undefined;
  #said: Halt['code'] | undefined;

  constructor(options: GovernorOptions, deps: GovernorDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The newest reading. */
  get reading(): MachineReading | undefined {
    return this.#reading;
  }

  /** Why no new work is taken; undefined when it may be. */
  get halt(): Halt | undefined {
    const hours = hoursAt(this.#options.windows, this.#deps.nowSeconds());
    if (hours.open) return this.#halt;
    return { code: 'hours', detail: hours.changesAt === undefined ? {} : { opensAt: hours.changesAt } };
  }

  /** Seconds until the operator's hours close; Infinity when they do not. */
  get secondsLeft(): number {
    const now = this.#deps.nowSeconds();
    const { open, changesAt } = hoursAt(this.#options.windows, now);
    return open && changesAt !== undefined ? changesAt - now : Infinity;
  }

  /** Reads the machine once. */
  async tick(signal: AbortSignal): Promise<void> {
    const { machine, nowSeconds, log } = this.#deps;
    this.#reading = await machine.read(signal);
    const { halt, state } = judgeMachine(this.#reading, this.#state, this.#options, nowSeconds());
    this.#state = state;
    this.#halt = halt;
    const now = this.halt;
    if (now?.code === this.#said) return;
    this.#said = now?.code;
    if (now) log.info('New work is not taken for now', { reason: now.code, ...now.detail });
    else log.info('New work is taken again');
  }
}
