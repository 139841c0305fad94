import { createHash } from 'node:crypto';
import type { CompareOptions } from '@dpu/sdk/compare/source';
import type { Needs, StatedNeeds } from '../../resources/needs.ts';
import { compareShards, type ComparedSpec, type ShardComparison, type ShardOutputs } from '../compareShards.ts';
import {
  ShardError,
  type Runtime,
  type RunOptions,
  type RuntimeProbe,
  type ShardOutput,
  type ShardRequest,
} from '../runtime.ts';
import { Setup } from '../setup.ts';
import { WasmRuntime, type WasmRuntimeOptions } from '../wasm/wasmRuntime.ts';
import { KERNEL_SELF_TEST, KERNEL_SELF_TEST_OUTPUT_SHA256 } from './kernelSelfTest.ts';
import { TRAIN_SELF_TEST } from './selfTest.ts';

/** What runs kernels: the wgsl runtime. Whoever made it closes it. */
export type KernelEngine = Required<Pick<Runtime, 'run' | 'needs' | 'probe'>>;

/** Options of the train runtime. */
export interface TrainRuntimeOptions extends Omit<WasmRuntimeOptions, 'name' | 'selfTest'> {
  /** Trains by kernels; without it such shards are declined. */
  readonly kernels?: KernelEngine;
}

/**
 * Runs shards of trainings by two engines, each of which gives the same bits everywhere: modules in wasm, and kernels of whole numbers
 * on a GPU, which shards have whose spec has settings. It has a name of its own, so that nodes, prices and audits can tell
 * training from other work.
 */
export class TrainRuntime implements Runtime {
  readonly name = 'train';
  readonly #engine: KernelEngine | undefined;
  readonly #modules: WasmRuntime;
  readonly #kernels: Setup<{ readonly engine: KernelEngine; readonly detail: string }>;

  constructor({ kernels, ...options }: TrainRuntimeOptions = {}) {
    this.#engine = kernels;
    this.#modules = new WasmRuntime({ ...options, name: 'train', selfTest: TRAIN_SELF_TEST });
    this.#kernels = new Setup('Trainings cannot be run on a GPU here', {
      make: (signal) => testKernels(kernels, signal),
      dispose: async () => {},
    });
  }

  /** Available wherever modules are; says whether kernels are too. */
  async probe(signal?: AbortSignal): Promise<RuntimeProbe> {
    const probe = await this.#modules.probe(signal);
    if (!probe.available) return probe;
    const kernels = await this.#kernels.get(signal).then(
      ({ detail }) => `kernels on ${detail}`,
      (error: unknown) => messageOf(error),
    );
    return { ...probe, detail: `${probe.detail}; ${kernels}` };
  }

  needs(shard: Pick<ShardRequest, 'limits' | 'settings'>, capacity: Needs): StatedNeeds {
    return shard.settings === undefined ? {} : (this.#engine?.needs(shard, capacity) ?? {});
  }

  async run(request: ShardRequest, options: RunOptions = {}): Promise<ShardOutput> {
    if (request.settings === undefined) return this.#modules.run(request, options);
    const { engine } = await this.#kernels.get(options.signal).catch((error: unknown) => {
      // Said so that the node declines what is for a GPU, instead of trying it again.
      throw new ShardError('device-lost', 'machine', messageOf(error), {}, error);
    });
    return engine.run(request, options);
  }

  compare(
    spec: ComparedSpec,
    own: ShardOutputs,
    shown: ShardOutputs,
    options: CompareOptions = {},
  ): Promise<ShardComparison> {
    return compareShards(spec, own, shown, options);
  }

  async close(): Promise<void> {
    await this.#kernels.close();
    await this.#modules.close();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Lets an engine compute what trainings are made of. Rejects with what is wrong. */
async function testKernels(
  engine: KernelEngine | undefined,
  signal: AbortSignal | undefined,
): Promise<{ readonly engine: KernelEngine; readonly detail: string }> {
  if (engine === undefined) throw new Error('this node runs no kernels');
  const probe = await engine.probe(signal);
  if (!probe.available) throw new Error(probe.detail);
  const { output } = await engine.run(KERNEL_SELF_TEST, signal === undefined ? {} : { signal });
  const hash = createHash('sha256').update(output).digest('hex');
  if (hash !== KERNEL_SELF_TEST_OUTPUT_SHA256) throw new Error(`the self-test computed ${hash}, which is wrong`);
  return { engine, detail: probe.detail };
}
