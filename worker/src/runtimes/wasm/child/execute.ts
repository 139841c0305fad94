import { Files } from './files.ts';
import { instrument } from './instrument.ts';
import {
  DEPTH_EXPORT,
  FAULT,
  FAULT_EXPORT,
  FUEL_EXPORT,
  LOG_BYTES,
  MAX_PAGES,
  MAX_UNITS,
  OPERATIONS_PER_UNIT,
  PAGE_BYTES,
} from './limits.ts';
import { parse } from './parse.ts';
import type { ChildTimes, Outcome } from './protocol.ts';
import { RandomStream } from './random.ts';
import { ModuleRejected } from './rejection.ts';
import { validate, WASI_MODULE } from './validate.ts';
import { createWasi, ProcessExit } from './wasi.ts';

export interface ExecuteRequest {
  readonly module: Uint8Array<ArrayBuffer>;
  readonly args: readonly string[];
  readonly shard: number;
  readonly shards: number;
  readonly inputs: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly seed: Uint8Array;
  readonly memoryBytes: number;
  readonly units: bigint;
  readonly outputBytes: number;
  /** Whether the module was rewritten already, with the same `memoryBytes`. */
  readonly isPrepared?: boolean;
}

export interface Sinks {
  readonly output: (bytes: Uint8Array) => void;
  readonly log: (bytes: Uint8Array) => void;
  /** Takes the rewritten module, before anything of it runs. */
  readonly prepared?: (bytes: Uint8Array) => void;
}

/** Why a run ended early, decided where the cause is known. */
class Stop extends Error {
  readonly outcome: Exclude<Outcome, { ok: true }>;

  constructor(outcome: Exclude<Outcome, { ok: true }>) {
    super(outcome.message);
    this.outcome = outcome;
  }
}

type Reason = Exclude<Outcome, { ok: true }>['reason'];
const jobStop = (reason: Reason, message: string): Stop => new Stop({ ok: false, reason, fault: 'job', message });
const machineStop = (reason: Reason, message: string): Stop =>
  new Stop({ ok: false, reason, fault: 'machine', message });

interface Meter {
  readonly fuel: WebAssembly.Global<'i64'>;
  readonly depth: WebAssembly.Global<'i32'>;
  readonly fault: WebAssembly.Global<'i32'>;
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function outOfUnits(units: bigint): Stop {
  return jobStop('out-of-units', `the shard needs more than the ${units} units its spec allows`);
}

/** Parses, checks and rewrites the module. Everything that can be wrong with a module is found here. */
function prepare(request: ExecuteRequest): Uint8Array<ArrayBuffer> {
  const maxPages = Math.min(MAX_PAGES, Math.floor(request.memoryBytes / PAGE_BYTES));
  const module = parse(request.module);
  validate(module);
  // V8 checks the types of the module as it came: the rewriting relies on a valid one.
  if (!WebAssembly.validate(request.module)) throw new ModuleRejected('the module is not valid WebAssembly');
  const minimum = module.memory?.min ?? 0;
  if (minimum > maxPages) {
    throw jobStop('out-of-memory', `the module starts with ${minimum} pages of memory, its spec allows ${maxPages}`);
  }
  return instrument(module, { maxPages });
}

/** Turns what a run threw into an outcome; the meters say more than the exception. */
function explain(error: unknown, meter: Meter | undefined, request: ExecuteRequest): Stop | undefined {
  if (error instanceof Stop) return error;
  if (error instanceof ProcessExit) {
    if (error.code === 0) return undefined;
    return jobStop('exit-code', `the module ended with exit code ${error.code}`);
  }
  if (meter !== undefined && meter.fuel.value < 0n) return outOfUnits(request.units);
  if (meter?.fault.value === FAULT.refusedByMachine) {
    return machineStop('out-of-memory', 'this machine could not give the shard the memory its spec allows');
  }
  if (meter !== undefined && meter.depth.value < 0) {
    return jobStop('trap', "the module's calls nest too deep");
  }
  if (error instanceof WebAssembly.RuntimeError) {
    const refused = meter?.fault.value === FAULT.refusedByLimit;
    return refused
      ? jobStop('out-of-memory', `the module trapped after it was refused memory over its limit: ${error.message}`)
      : jobStop('trap', `the module trapped: ${error.message}`);
  }
  if (error instanceof RangeError && error.message.includes('memory')) {
    return machineStop('out-of-memory', `this machine could not make the shard's memory: ${error.message}`);
  }
  return machineStop('sandbox', `the runtime failed: ${text(error)}`);
}

class Run {
  readonly #request: ExecuteRequest;
  readonly #sinks: Sinks;
  #meter: Meter | undefined;
  #written = 0;
  #logged = 0;

  constructor(request: ExecuteRequest, sinks: Sinks) {
    this.#request = request;
    this.#sinks = sinks;
  }

  /** Set once the module has memory; before that nothing of it has run. */
  get meter(): Meter | undefined {
    return this.#meter;
  }

  start(compiled: WebAssembly.Module): void {
    const { args, shard, shards, inputs, seed, units } = this.#request;
    const wasi = createWasi(
      WebAssembly.Module.imports(compiled).map(({ name }) => name),
      {
        memory: () => memory,
        args: ['module', String(shard), String(shards), ...args],
        files: new Files(inputs),
        random: new RandomStream(seed, shard),
        charge: this.#charge,
        stdout: this.#output,
        stderr: this.#log,
      },
    );
    const { exports } = new WebAssembly.Instance(compiled, { [WASI_MODULE]: wasi });
    const memory = exports['memory'] as WebAssembly.Memory;
    this.#meter = {
      fuel: exports[FUEL_EXPORT] as WebAssembly.Global<'i64'>,
      depth: exports[DEPTH_EXPORT] as WebAssembly.Global<'i32'>,
      fault: exports[FAULT_EXPORT] as WebAssembly.Global<'i32'>,
    };
    this.#meter.fuel.value = units * OPERATIONS_PER_UNIT;
    (exports['_start'] as () => void)();
  }

  readonly #charge = (operations: number): void => {
    const { fuel } = this.#meter!;
    fuel.value -= BigInt(operations);
    if (fuel.value < 0n) throw outOfUnits(this.#request.units);
  };

  readonly #output = (bytes: Uint8Array): void => {
    const { outputBytes } = this.#request;
    this.#written += bytes.length;
    if (this.#written > outputBytes) {
      throw jobStop('output-limit', `the shard wrote more than the ${outputBytes} bytes its spec allows`);
    }
    this.#sinks.output(bytes);
  };

  /** Past the cap the log is dropped without a sign to the module: it must not compute from it. */
  readonly #log = (bytes: Uint8Array): void => {
    const kept = bytes.subarray(0, LOG_BYTES - this.#logged);
    this.#logged += kept.length;
    if (kept.length > 0) this.#sinks.log(kept);
  };
}

/** Runs one shard in this process. Never throws: everything that happens is an outcome. */
export function execute(request: ExecuteRequest, sinks: Sinks): Outcome {
  const run = new Run(request, sinks);
  const at = [performance.now()];
  try {
    if (request.units < 1n || request.units > MAX_UNITS) {
      throw jobStop('module-rejected', `a limit of ${request.units} units is not between 1 and ${MAX_UNITS}`);
    }
    const bytes = request.isPrepared === true ? request.module : prepare(request);
    if (request.isPrepared !== true) sinks.prepared?.(bytes);
    at.push(performance.now());
    const compiled = new WebAssembly.Module(bytes);
    at.push(performance.now());
    try {
      run.start(compiled);
    } catch (error) {
      const stop = explain(error, run.meter, request);
      if (stop !== undefined) throw stop;
    }
    // A short function's own charge may have been the last.
    if (run.meter!.fuel.value < 0n) throw outOfUnits(request.units);
    at.push(performance.now());
  } catch (error) {
    if (error instanceof Stop) return error.outcome;
    if (error instanceof ModuleRejected) {
      return { ok: false, reason: 'module-rejected', fault: 'job', message: error.message };
    }
    return { ok: false, reason: 'sandbox', fault: 'machine', message: `the runtime failed: ${text(error)}` };
  }
  const used = request.units * OPERATIONS_PER_UNIT - run.meter!.fuel.value;
  const units = (used + OPERATIONS_PER_UNIT - 1n) / OPERATIONS_PER_UNIT;
  const [start, instrumented, compiled, end] = at as [number, number, number, number];
  const { user, system } = process.cpuUsage();
  const cpu = (user + system) / 1_000;
  const ms: ChildTimes = {
    instrument: request.isPrepared === true ? 0 : instrumented - start,
    compile: compiled - instrumented,
    run: end - compiled,
    cpu,
  };
  return { ok: true, units: Number(units < 1n ? 1n : units), ms };
}
