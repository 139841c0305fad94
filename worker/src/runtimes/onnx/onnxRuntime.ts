import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CompareOptions } from '@dpu/sdk/compare/source';
import type { OnnxSettings } from '@dpu/sdk/runtimes/onnx';
import type { Needs, StatedNeeds } from '../../resources/needs.ts';
import { detectIsolation } from '../../sandbox/detect.ts';
import type { ChildSpec, IsolationReport, SandboxWish } from '../../sandbox/isolation.ts';
import { Sandbox, type SandboxChild } from '../../sandbox/sandbox.ts';
import { stageProgram, type Stage } from '../../sandbox/stage.ts';
import { compareShards, type ComparedSpec, type ShardComparison, type ShardOutputs } from '../compareShards.ts';
import { aborted, converse, sentence } from '../converse.ts';
import {
  ShardError,
  type Runtime,
  type RunOptions,
  type RuntimeProbe,
  type ShardLimits,
  type ShardOutput,
  type ShardRequest,
} from '../runtime.ts';
import { Setup } from '../setup.ts';
import { Answer } from '../answer.ts';
import { cardNeeds } from '../gpu/needs.ts';
import { findGraphics, graphicsChild, type Graphics } from './graphics.ts';
import { findOnnxLibrary, type OnnxLibrary } from './library.ts';
import { prepareModel } from './request.ts';
import { CARD_SELF_TEST, CARD_SELF_TEST_OUTPUT, SELF_TEST, SELF_TEST_OUTPUT } from './selfTest.ts';

/** Without a forced class only namespaces with a system call list will do: native code minds no permission of Node's. */
export interface OnnxRuntimeOptions extends SandboxWish {
  /** The Node binary for children; the running one by default. */
  readonly node?: string;
  /** The manifest of the only Vulkan driver that models may use, or `none`; all that are installed when absent. */
  readonly driver?: string;
}

const CHILD = fileURLToPath(new URL('./child/main.ts', import.meta.url));
const MIB = 1024 * 1024;
/** What Node and ONNX Runtime take with the smallest model: 580 MiB, of which 512 are room that V8 keeps for code. */
const BASE_DATA_BYTES = 640 * MIB;
/** What such a process holds of it before it has a model: the rest is room that V8 keeps for code. */
const HELD_BYTES = 192 * MIB;
const STACK_BYTES = 16 * MIB;
const NODE_FLAGS = ['--no-warnings', '--disallow-code-generation-from-strings'];

interface Ready {
  readonly sandbox: Sandbox;
  readonly stage: Stage;
  readonly report: IsolationReport;
  readonly library: OnnxLibrary;
}

/** How a process that runs a model is started: also by tests, with another program in its place. */
export function modelChild(
  { folder, entry }: Pick<Stage, 'folder' | 'entry'>,
  library: OnnxLibrary,
  { memoryBytes, seconds }: Pick<ShardLimits, 'memoryBytes' | 'seconds'>,
): ChildSpec {
  return {
    folder,
    entry,
    nodeFlags: NODE_FLAGS,
    limits: {
      dataBytes: BASE_DATA_BYTES + memoryBytes,
      stackBytes: STACK_BYTES,
      cpuSeconds: Math.ceil(seconds * 4) + 5,
    },
    permission: true,
    addons: true,
    ...library,
  };
}

/** Runs shards of models by ONNX Runtime, each in a process of its own. */
export class OnnxRuntime implements Runtime {
  readonly name = 'onnx';
  readonly #options: OnnxRuntimeOptions;
  readonly #setup = new Setup<Ready>('Models cannot be run here', {
    make: () => this.#detect(),
    dispose: async ({ sandbox, stage }) => {
      await sandbox.close();
      await stage.remove();
    },
  });

  /** Found out by the probe: a card is no condition for models on the processor. */
  readonly #graphics = new Setup<Graphics>('Models cannot be run on a graphics card here', {
    make: () => this.#detectGraphics(),
    dispose: ({ sandbox }) => sandbox.close(),
  });
  #software = true;

  constructor(options: OnnxRuntimeOptions = {}) {
    this.#options = options;
  }

  async probe(signal?: AbortSignal): Promise<RuntimeProbe> {
    try {
      const { report } = await this.#setup.get();
      const { output } = await this.run(SELF_TEST, signal === undefined ? {} : { signal });
      const expected = new Uint8Array(Int32Array.from(SELF_TEST_OUTPUT).buffer);
      if (Buffer.compare(output, expected) !== 0) {
        const detail = 'the self-test computed something wrong; do not run jobs here';
        return { available: false, isolation: 'none', detail };
      }
      const detail =
        report.isolation === 'bubblewrap'
          ? report.detail
          : `${report.detail}. ONNX Runtime is native code, which Node's permissions do not hold: install bubblewrap`;
      return { available: true, isolation: report.isolation, detail: `${detail}; ${await this.#describeGraphics()}` };
    } catch (error) {
      return { available: false, isolation: 'none', detail: error instanceof Error ? error.message : String(error) };
    }
  }

  needs(
    { limits: { memoryBytes }, settings }: Pick<ShardRequest, 'limits' | 'settings'>,
    capacity: Needs,
  ): StatedNeeds {
    if ((settings as Partial<OnnxSettings> | undefined)?.provider === 'webgpu')
      return cardNeeds({ memoryBytes, besideBytes: 2 * HELD_BYTES, software: this.#software }, capacity);
    return { memoryBytes: memoryBytes + HELD_BYTES };
  }

  async run(request: ShardRequest, options: RunOptions = {}): Promise<ShardOutput> {
    const { parts, units, provider } = prepareModel(request);
    const graphics = provider === 'webgpu' ? await this.#card() : undefined;
    return { ...(await this.compute(parts, request.limits, options, graphics)), units };
  }

  /** Any comparator that the outputs' types allow; the spec's own rules saw to that. */
  compare(
    spec: ComparedSpec,
    own: ShardOutputs,
    shown: ShardOutputs,
    options: CompareOptions = {},
  ): Promise<ShardComparison> {
    return compareShards(spec, own, shown, options);
  }

  /**
   * Hands a request over as it is, unchecked, and reads the answer: `run` without what it does before. For tests of what holds
   * when the checks do not. Throws {@link ShardError}.
   */
  async compute(
    parts: readonly Uint8Array[],
    limits: ShardLimits,
    { signal, ...told }: RunOptions = {},
    graphics?: Graphics,
  ): Promise<Omit<ShardOutput, 'units'>> {
    if (signal?.aborted) throw aborted();
    const ready = await this.#setup.get();
    const started = performance.now();
    const child = this.#start(ready, limits, graphics);
    const answer = new Answer(limits.outputBytes, told);
    await converse(child, parts, answer, {
      seconds: limits.seconds,
      ...(signal === undefined ? {} : { signal }),
    });
    const outcome = answer.outcome!;
    if (!outcome.ok) {
      throw new ShardError(outcome.reason, outcome.fault, sentence(outcome.message), { log: answer.log });
    }
    return { output: answer.output, log: answer.log, wallMs: performance.now() - started, childMs: outcome.ms };
  }

  async close(): Promise<void> {
    await this.#graphics.close();
    await this.#setup.close();
  }

  #start({ sandbox, stage, library }: Ready, limits: ShardLimits, graphics: Graphics | undefined): SandboxChild {
    try {
      if (graphics) return graphics.sandbox.start(graphicsChild(stage, graphics, limits));
      return sandbox.start(modelChild(stage, library, limits));
    } catch (error) {
      const problem = `The shard's process could not be started: ${String(error)}`;
      throw new ShardError('sandbox', 'machine', problem, {}, error);
    }
  }

  /** The card, or what to tell who asked for one: said so that the node declines such work, instead of trying it again. */
  async #card(): Promise<Graphics> {
    try {
      return await this.#graphics.get();
    } catch (error) {
      throw new ShardError('device-lost', 'machine', error instanceof Error ? error.message : String(error), {}, error);
    }
  }

  async #describeGraphics(): Promise<string> {
    try {
      const { driver } = await this.#graphics.get();
      return `models on WebGPU too, ${driver.software ? 'in software' : 'on hardware'} (${basename(driver.manifest)})`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #detectGraphics(): Promise<Graphics> {
    const { report, library } = await this.#setup.get();
    const { node, driver } = this.#options;
    const { parts } = prepareModel(CARD_SELF_TEST);
    const graphics = await findGraphics({
      ...{ report, library, node, driver },
      test: async (candidate) => {
        const { output } = await this.compute(parts, CARD_SELF_TEST.limits, {}, candidate);
        const found = new Float32Array(Uint8Array.from(output).buffer);
        const isRight = (value: number, i: number): boolean => Math.abs(found[i]! - value) < 1e-3;
        if (found.length !== CARD_SELF_TEST_OUTPUT.length || !CARD_SELF_TEST_OUTPUT.every(isRight))
          throw new Error(`the self-test computed ${found.join(' ')}, which is wrong`);
      },
    });
    this.#software = graphics.driver.software;
    return graphics;
  }

  async #detect(): Promise<Ready> {
    const { isolation, node, folder, groups } = this.#options;
    const binary = node === undefined ? {} : { node };
    const report = await detectIsolation({
      only: isolation ?? 'bubblewrap',
      ...(folder === undefined ? {} : { folder }),
      ...(groups === undefined ? {} : { groups }),
      ...binary,
    });
    if (isolation === undefined && !report.seccomp) {
      throw new Error('native code is not run without a system call list, and there is none for this kernel');
    }
    const library = await findOnnxLibrary(node);
    const stage = await stageProgram(CHILD, folder);
    return { report, library, stage, sandbox: new Sandbox({ ...report, ...binary }) };
  }
}
