import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { CompareOptions } from '@dpu/sdk/compare/source';
import type { RuntimeName } from '@dpu/sdk/terms';
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
  type ShardOutput,
  type ShardRequest,
} from '../runtime.ts';
import { Setup } from '../setup.ts';
import { Answer } from '../answer.ts';
import { PreparedModules } from './preparedModules.ts';
import { checkRequest, requestHeader } from './request.ts';
import { WASM_SELF_TEST, type SelfTest } from './selfTest.ts';

export interface WasmRuntimeOptions extends SandboxWish {
  /** The spec's `runtime` that it executes, `wasm` by default: other kinds of work may run on the same machine. */
  readonly name?: RuntimeName;
  /** What the probe runs; a self-test of the whole machine by default. */
  readonly selfTest?: SelfTest;
  /** The Node binary for children; the running one by default. */
  readonly node?: string;
  /** Idle children kept ready, 0 by default; docs/sandbox.md has what it brings. */
  readonly warm?: number;
  /** Flags for the child's V8 besides the fixed ones; for tests of determinism only. */
  readonly v8Flags?: readonly string[];
}

const CHILD = fileURLToPath(new URL('./child/main.ts', import.meta.url));
const MIB = 1024 * 1024;
/** What Node, its compiler threads and the rewriting of the largest module need beside the shard's own memory. */
const BASE_DATA_BYTES = 1024 * MIB;
const STACK_BYTES = 64 * MIB;
/** Node's own limit, KiB: below the kernel's, so that a deep stack is an exception and not a crash. */
const V8_STACK_KIB = 48 * 1024;

/** Loops in wasm never leave V8's baseline code, so the optimising compiler has to come first. */
const V8_FLAGS = ['--no-liftoff'];
const FIXED_FLAGS = ['--no-warnings', '--disallow-code-generation-from-strings', `--stack-size=${V8_STACK_KIB}`];

interface Ready {
  readonly sandbox: Sandbox;
  readonly stage: Stage;
  readonly report: IsolationReport;
}

/** Runs wasm modules, each shard in a process of its own. */
export class WasmRuntime implements Runtime {
  readonly name: RuntimeName;
  readonly #options: WasmRuntimeOptions;
  readonly #prepared = new PreparedModules();
  readonly #setup = new Setup<Ready>('Shards cannot be run here', {
    make: () => this.#detect(),
    dispose: async ({ sandbox, stage }) => {
      await sandbox.close();
      await stage.remove();
    },
  });

  constructor(options: WasmRuntimeOptions = {}) {
    this.name = options.name ?? 'wasm';
    this.#options = options;
  }

  /** How children are kept from the machine; found out once. */
  async isolation(): Promise<IsolationReport> {
    return (await this.#setup.get()).report;
  }

  async probe(signal?: AbortSignal): Promise<RuntimeProbe> {
    try {
      const { report } = await this.#setup.get();
      const expected = this.#options.selfTest ?? WASM_SELF_TEST;
      const { output, units } = await this.run(expected.request, signal === undefined ? {} : { signal });
      const hash = createHash('sha256').update(output).digest('hex');
      if (hash !== expected.outputSha256 || units !== expected.units) {
        const detail = `the self-test computed ${hash} with ${units} units, which is wrong; do not run jobs here`;
        return { available: false, isolation: 'none', detail };
      }
      return { available: true, isolation: report.isolation, detail: report.detail };
    } catch (error) {
      return { available: false, isolation: 'none', detail: error instanceof Error ? error.message : String(error) };
    }
  }

  async run(request: ShardRequest, { signal, ...told }: RunOptions = {}): Promise<ShardOutput> {
    checkRequest(request);
    const prepared = this.#prepared.find(request);
    const isPrepared = prepared !== undefined;
    const module = prepared ?? request.module;
    const header = requestHeader(request, { module, isPrepared });
    if (signal?.aborted) throw aborted();
    const ready = await this.#setup.get();
    const started = performance.now();
    const child = this.#start(ready, request);
    const answer = new Answer(request.limits.outputBytes, told, !isPrepared);
    await converse(child, [header, module, ...request.inputs.map(({ bytes }) => bytes)], answer, {
      seconds: request.limits.seconds,
      ...(signal === undefined ? {} : { signal }),
    });
    const outcome = answer.outcome!;
    if (!outcome.ok)
      throw new ShardError(outcome.reason, outcome.fault, sentence(outcome.message), { log: answer.log });
    if (answer.prepared !== undefined) this.#prepared.keep(request, answer.prepared);
    return {
      output: answer.output,
      units: outcome.units,
      log: answer.log,
      wallMs: performance.now() - started,
      childMs: outcome.ms,
    };
  }

  /** Any comparator will do: results are equal byte for byte, but a job may be looser for the sake of other runtimes. */
  compare(
    spec: ComparedSpec,
    own: ShardOutputs,
    shown: ShardOutputs,
    options: CompareOptions = {},
  ): Promise<ShardComparison> {
    return compareShards(spec, own, shown, options);
  }

  #start(ready: Ready, request: ShardRequest): SandboxChild {
    try {
      return ready.sandbox.start(this.#spec(ready, request));
    } catch (error) {
      const problem = `The shard's process could not be started: ${String(error)}`;
      throw new ShardError('sandbox', 'machine', problem, {}, error);
    }
  }

  close(): Promise<void> {
    return this.#setup.close();
  }

  async #detect(): Promise<Ready> {
    const { isolation, node, warm, folder, groups } = this.#options;
    const binary = node === undefined ? {} : { node };
    const report = await detectIsolation({
      ...(isolation === undefined ? {} : { only: isolation }),
      ...(folder === undefined ? {} : { folder }),
      ...(groups === undefined ? {} : { groups }),
      ...binary,
    });
    const stage = await stageProgram(CHILD, folder);
    const sandbox = new Sandbox({ ...report, ...binary, ...(warm === undefined ? {} : { warm }) });
    return { report, stage, sandbox };
  }

  #spec({ stage }: Ready, { limits, inputs, module }: ShardRequest): ChildSpec {
    const bulk = module.length + inputs.reduce((sum, { bytes }) => sum + bytes.length, 0);
    // Rounded, so that shards of one job share idle children although their inputs differ a little.
    const dataBytes = BASE_DATA_BYTES + limits.memoryBytes + Math.ceil((2 * bulk) / (64 * MIB)) * 64 * MIB;
    return {
      folder: stage.folder,
      entry: stage.entry,
      nodeFlags: [...FIXED_FLAGS, ...(this.#options.v8Flags ?? V8_FLAGS)],
      limits: { dataBytes, stackBytes: STACK_BYTES, cpuSeconds: Math.ceil(limits.seconds * 4) + 5 },
      permission: true,
    };
  }
}
