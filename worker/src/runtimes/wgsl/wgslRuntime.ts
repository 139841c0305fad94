import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { CompareOptions } from '@dpu/sdk/compare/source';
import type { Needs, StatedNeeds } from '../../resources/needs.ts';
import { detectIsolation } from '../../sandbox/detect.ts';
import type { ChildProgram, ChildSpec, IsolationReport, SandboxWish } from '../../sandbox/isolation.ts';
import { Sandbox, type SandboxChild } from '../../sandbox/sandbox.ts';
import { stageProgram, type Stage } from '../../sandbox/stage.ts';
import { compareShards, type ComparedSpec, type ShardComparison, type ShardOutputs } from '../compareShards.ts';
import { aborted, converse } from '../converse.ts';
import {
  ShardError,
  type Runtime,
  type RunOptions,
  type RuntimeProbe,
  type ShardOutput,
  type ShardRequest,
} from '../runtime.ts';
import { Setup } from '../setup.ts';
import { Answer } from '../answer.ts';
import type { AdapterFacts } from './child/job.ts';
import { denoProgram, findDeno } from './deno.ts';
import { findDrivers, type Driver } from '../gpu/drivers.ts';
import { cardNeeds } from '../gpu/needs.ts';
import { checkRequest, type CheckedRequest } from './request.ts';
import { SELF_TEST, SELF_TEST_OUTPUT_SHA256 } from './selfTest.ts';

export interface WgslRuntimeOptions extends SandboxWish {
  /** The manifest of the only Vulkan driver that may be used; all that are installed when absent. */
  readonly driver?: string;
  /** Idle children kept ready, 0 by default. */
  readonly warm?: number;
}

const CHILD = fileURLToPath(new URL('./child/main.ts', import.meta.url));
const MIB = 1024 * 1024;
/** What JavaScript may hold beside the buffers: a module, a header, one picture. */
const HEAP_BYTES = 256 * MIB;
/** What Deno, the compiler and a driver map beside the shard's own memory; drivers of hardware map far more than they use. */
const BASE_DATA_BYTES = { software: 2048 * MIB, hardware: 65_536 * MIB } as const;
const STACK_BYTES = 8 * MIB;
/** Machine code of one kernel, which SwiftShader keeps in a file without a name where it may. */
const CODE_BYTES = 256 * MIB;

/** A driver that gave the right answer here, and how its children are kept from the machine. */
interface Ready {
  readonly sandbox: Sandbox;
  readonly stage: Stage;
  readonly report: IsolationReport;
  readonly driver: Driver;
  readonly program: ChildProgram;
  readonly adapter: AdapterFacts;
}

type Place = Pick<Ready, 'sandbox' | 'stage' | 'driver' | 'program'>;

/** Runs WGSL kernels by WebGPU, each shard in a Deno process of its own. */
export class WgslRuntime implements Runtime {
  readonly name = 'wgsl';
  readonly #options: WgslRuntimeOptions;
  readonly #setup = new Setup<Ready>('GPU kernels cannot be run here', {
    make: (signal) => this.#detect(signal),
    dispose: async ({ sandbox, stage }) => {
      await sandbox.close();
      await stage.remove();
    },
  });
  /** Of the adapter; undefined before the probe. */
  #software: boolean | undefined;

  constructor(options: WgslRuntimeOptions = {}) {
    this.#options = options;
  }

  /** The adapter that kernels run on, as the driver describes it; found out once. */
  async adapter(): Promise<AdapterFacts> {
    return (await this.#setup.get()).adapter;
  }

  async probe(signal?: AbortSignal): Promise<RuntimeProbe> {
    try {
      const { report, adapter } = await this.#setup.get(signal);
      this.#software = adapter.software;
      const kind = adapter.software ? 'a software adapter: kernels run on the processor' : 'a GPU';
      const detail = `${adapter.description}, ${kind}; ${report.detail}`;
      return { available: true, isolation: report.isolation, detail, software: adapter.software };
    } catch (error) {
      return { available: false, isolation: 'none', detail: error instanceof Error ? error.message : String(error) };
    }
  }

  needs({ limits: { memoryBytes } }: Pick<ShardRequest, 'limits'>, capacity: Needs): StatedNeeds {
    return cardNeeds({ memoryBytes, besideBytes: HEAP_BYTES, software: this.#software !== false }, capacity);
  }

  async run(request: ShardRequest, options: RunOptions = {}): Promise<ShardOutput> {
    const checked = checkRequest(request);
    if (options.signal?.aborted) throw aborted();
    return runIn(await this.#setup.get(), request, checked, options);
  }

  /** By the spec's comparator: only its author knows whether the kernel uses floats. */
  compare(
    spec: ComparedSpec,
    own: ShardOutputs,
    shown: ShardOutputs,
    options: CompareOptions = {},
  ): Promise<ShardComparison> {
    return compareShards(spec, own, shown, options);
  }

  close(): Promise<void> {
    return this.#setup.close();
  }

  /** Takes the first driver that computes the self-test right, in the strongest isolation in which it does. */
  async #detect(signal?: AbortSignal): Promise<Ready> {
    const { isolation, driver: only, folder, warm, groups } = this.#options;
    const grouped = groups === undefined ? {} : { groups };
    const binary = findDeno();
    if (binary === undefined)
      throw new Error(`the package deno has no binary for ${process.platform} ${process.arch}.`);
    const { drivers, refused } = findDrivers(only);
    if (drivers.length === 0 && refused.length === 0)
      throw new Error('no Vulkan driver is installed. Install that of your GPU, or chromium for one in software.');
    const report = await detectIsolation({
      ...(isolation === undefined ? {} : { only: isolation }),
      ...(folder === undefined ? {} : { folder }),
      ...grouped,
      ...(signal === undefined ? {} : { signal }),
    });
    const stage = await stageProgram(CHILD, folder);
    for (const driver of drivers) {
      const program = denoProgram(binary, driver, HEAP_BYTES);
      // Drivers of hardware may make calls that the list does not know.
      const lists = report.seccomp && !driver.software ? [true, false] : [report.seccomp];
      for (const seccomp of lists) {
        const sandbox = new Sandbox({
          isolation: report.isolation,
          seccomp,
          ...grouped,
          ...(warm === undefined ? {} : { warm }),
        });
        try {
          const adapter = await selfTest({ sandbox, stage, driver, program }, signal);
          const detail = detailOf({ ...report, seccomp });
          return { sandbox, stage, driver, program, adapter, report: { ...report, seccomp, detail } };
        } catch (error) {
          refused.push(`${driver.manifest}: ${error instanceof Error ? error.message : String(error)}`);
          await sandbox.close();
        }
      }
    }
    await stage.remove();
    throw new Error(`no driver works. ${refused.join(' ')}`);
  }
}

/** The class for the operator: the report speaks of Node, and of a list that this driver may not have come to terms with. */
function detailOf({ detail, seccomp }: IsolationReport): string {
  const listed = seccomp ? detail : detail.replace(' and a system call list', ', no system call list');
  return listed.replace('Node permissions', 'Deno permissions');
}

/** Runs the self-test and says what adapter it ran on. */
async function selfTest(place: Place, signal?: AbortSignal): Promise<AdapterFacts> {
  const checked = checkRequest(SELF_TEST);
  const introduced = { ...checked, job: { ...checked.job, introduce: true } };
  const { output, log } = await runIn(place, SELF_TEST, introduced, signal === undefined ? {} : { signal });
  const hash = createHash('sha256').update(output).digest('hex');
  if (hash !== SELF_TEST_OUTPUT_SHA256) throw new Error(`the self-test computed ${hash}, which is wrong.`);
  return JSON.parse(log) as AdapterFacts;
}

function childSpec({ stage, program, driver }: Place, { limits }: ShardRequest): ChildSpec {
  const base = driver.software ? BASE_DATA_BYTES.software : BASE_DATA_BYTES.hardware;
  return {
    folder: stage.folder,
    entry: stage.entry,
    program,
    limits: {
      // Twice: what a buffer begins with is held once more until the device has it, and a picture is made beside its pixels.
      dataBytes: base + 2 * limits.memoryBytes,
      stackBytes: STACK_BYTES,
      cpuSeconds: Math.ceil(limits.seconds * availableParallelism()) + 5,
      fileBytes: CODE_BYTES,
    },
  };
}

function start(place: Place, request: ShardRequest): SandboxChild {
  try {
    return place.sandbox.start(childSpec(place, request));
  } catch (error) {
    const problem = `The shard's process could not be started: ${String(error)}`;
    throw new ShardError('sandbox', 'machine', problem, {}, error);
  }
}

/** Runs a checked request in a child. */
async function runIn(
  place: Place,
  request: ShardRequest,
  { units, contents, job }: CheckedRequest,
  { signal, ...told }: RunOptions,
): Promise<ShardOutput> {
  const { limits, module } = request;
  const started = performance.now();
  const answer = new Answer(limits.outputBytes, told);
  const json = Buffer.from(JSON.stringify(job));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(json.length);
  await converse(start(place, request), [head, json, module, ...contents], answer, {
    seconds: limits.seconds,
    ...(signal === undefined ? {} : { signal }),
  });
  const outcome = answer.outcome!;
  if (!outcome.ok) throw new ShardError(outcome.reason, outcome.fault, sentence(outcome), { log: answer.log });
  if (!job.dispatch)
    throw new ShardError('out-of-units', 'job', `The shard needs ${units} units, its spec allows ${limits.units}.`);
  return {
    output: answer.output,
    units,
    log: answer.log,
    wallMs: performance.now() - started,
    childMs: outcome.ms,
  };
}

function sentence({ reason, message }: { reason: string; message: string }): string {
  return reason === 'module-rejected'
    ? `The kernel was refused: ${message}`
    : `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}
