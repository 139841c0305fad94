import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { chmod } from 'node:fs/promises';
import type { CompareOptions } from '@dpu/sdk/compare/source';
import { containerSettingsSchema, type ContainerSettings } from '@dpu/sdk/runtimes/container';
import type { Needs, StatedNeeds } from '../../resources/needs.ts';
import { compareShards, type ComparedSpec, type ShardComparison, type ShardOutputs } from '../compareShards.ts';
import { aborted } from '../converse.ts';
import {
  ShardError,
  type Runtime,
  type RunOptions,
  type RuntimeProbe,
  type ShardOutput,
  type ShardRequest,
} from '../runtime.ts';
import { Setup } from '../setup.ts';
import { makeWorkplace } from '../tool/workplace.ts';
import { checkRequest, refuse } from '../wasm/request.ts';
import { CANARY_FILES, canaryImage, canaryProblem, canaryRequest, GPU_FILES, readSight, type Sight } from './canary.ts';
import { Engine, engineSockets, type Ran } from './engine.ts';
import { DEFAULTS, type GpuRequest } from './options.ts';

export interface ContainerRuntimeOptions {
  /** Socket of the engine; the first that is found when absent. */
  readonly socket?: string | undefined;
  /** Folder of this node alone for inputs; the system's folder for temporary files when absent. */
  readonly folder?: string;
}

/** Most bytes of an image's archive. */
const MODULE_BYTES = 2 ** 31 - 1;
/** How engines are asked for a graphics card. Some take the words and give none, so a canary looks. */
const GPU_REQUESTS: readonly GpuRequest[] = [
  { Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=all'] },
  { Driver: 'nvidia', Count: -1, Capabilities: [['gpu']] },
];
/** Exit code of a process that was killed. */
const KILLED = 137;

interface Ready {
  readonly engine: Engine;
  readonly detail: string;
  readonly gpu: GpuRequest | undefined;
}

/** Runs shards in containers of an engine that the operator has installed. */
export class ContainerRuntime implements Runtime {
  readonly name = 'container';
  readonly #options: ContainerRuntimeOptions;
  readonly #setup = new Setup<Ready>('Containers cannot be run here', {
    make: () => this.#detect(),
    dispose: ({ engine }) => engine.close(),
  });

  constructor(options: ContainerRuntimeOptions = {}) {
    this.#options = options;
  }

  async probe(): Promise<RuntimeProbe> {
    try {
      const { detail, gpu } = await this.#setup.get();
      const card = gpu === undefined ? 'no graphics card in containers' : 'a graphics card in containers';
      return { available: true, isolation: 'container', detail: `${detail}, ${card}` };
    } catch (error) {
      return { available: false, isolation: 'none', detail: error instanceof Error ? error.message : String(error) };
    }
  }

  /** The engine holds a container to its processors and its memory, to nothing of a graphics card: that it has for itself. */
  needs({ settings }: Pick<ShardRequest, 'settings'>, capacity: Needs): StatedNeeds {
    const parsed = containerSettingsSchema.safeParse(settings);
    if (!parsed.success) return {};
    const { cpus = DEFAULTS.cpus, gpu = false } = parsed.data;
    return { cores: cpus, ...(gpu ? { vramBytes: capacity.vramBytes } : {}) };
  }

  async run(request: ShardRequest, { signal, onLog }: RunOptions = {}): Promise<ShardOutput> {
    const settings = checkContainer(request);
    if (signal?.aborted) throw aborted();
    const { engine, gpu } = await this.#setup.get();
    if (settings.gpu === true && gpu === undefined)
      throw new ShardError('device-lost', 'machine', 'The shard needs a graphics card, and containers here have none.');
    // Before the units: the trial before a claim, which pays for little, finds out whether the image is any good.
    await engine.ensureImage(settings.image, request.module);
    const { units } = settings;
    if (units > Number(request.limits.units)) {
      const problem = `The shard counts as ${units} units, its spec allows ${request.limits.units}.`;
      throw new ShardError('out-of-units', 'job', problem);
    }
    const started = performance.now();
    const ran = await this.#runIn(engine, request, settings, settings.gpu === true ? gpu : undefined, {
      signal,
      onLog,
    });
    judge(ran, request);
    const output = new Uint8Array(ran.output);
    return { output, units, log: ran.log, wallMs: performance.now() - started };
  }

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

  async #runIn(
    engine: Engine,
    request: ShardRequest,
    settings: ContainerSettings,
    gpu: GpuRequest | undefined,
    options: { signal?: AbortSignal | undefined; onLog?: RunOptions['onLog'] },
  ): Promise<Ran> {
    await engine.ensureImage(settings.image, request.module);
    const files = new Map(request.inputs.map(({ name, bytes }) => [name, bytes]));
    const place = await makeWorkplace(files, [], this.#options.folder);
    try {
      // The container's user is not the node's: it must be able to read, and whoever else is on this machine cannot get here.
      await chmod(place.folder, 0o755);
      return await engine.run({ settings, request, folder: place.folder, owner: this.#owner, gpu }, options);
    } finally {
      await place.remove();
    }
  }

  get #owner(): string {
    return this.#options.folder ?? tmpdir();
  }

  async #detect(): Promise<Ready> {
    if (process.arch !== 'x64') throw new Error(`the canary is a program for x64, this is ${process.arch}`);
    const { socket } = this.#options;
    const sockets = socket === undefined ? engineSockets() : [socket];
    if (sockets.length === 0) throw new Error('no engine listens: install Docker, or Podman with its service');
    const refused: string[] = [];
    for (const path of sockets) {
      const engine = await Engine.at(path);
      try {
        const detail = await engine.describe();
        await engine.sweep(this.#owner);
        const problem = canaryProblem(await this.#look(engine));
        if (problem === undefined) return { engine, detail, gpu: await this.#findGpu(engine) };
        refused.push(`${path}: a container that it made is not held: ${problem}`);
      } catch (error) {
        const closed = error instanceof ShardError && error.reason === 'exit-code';
        const why = closed ? 'it makes folders that no layer lists for root alone: use a later version. ' : '';
        refused.push(`${path}: ${why}${error instanceof Error ? error.message : String(error)}`);
      }
      await engine.close();
    }
    throw new Error(refused.join('; '));
  }

  /** What a container sees here. */
  async #look(engine: Engine): Promise<Sight> {
    const request = canaryRequest(canaryImage(), CANARY_FILES);
    return readSight((await this.#runIn(engine, request, checkContainer(request), undefined, {})).output.toString());
  }

  /** How a graphics card is had; undefined where no container really has seen one. */
  async #findGpu(engine: Engine): Promise<GpuRequest | undefined> {
    if (!existsSync(GPU_FILES[0]!)) return undefined;
    const request = canaryRequest(canaryImage(), GPU_FILES, true);
    for (const gpu of GPU_REQUESTS) {
      const ran = await this.#runIn(engine, request, checkContainer(request), gpu, {}).catch(() => undefined);
      if (ran?.code === 0) return gpu;
    }
    return undefined;
  }
}

/** Checks a request. @throws ShardError */
function checkContainer(request: ShardRequest): ContainerSettings {
  checkRequest(request, MODULE_BYTES);
  const parsed = containerSettingsSchema.safeParse(request.settings);
  if (!parsed.success) throw refuse('its settings are not those of the container runtime');
  return parsed.data;
}

function judge({ code, outOfMemory, log }: Ran, { limits }: ShardRequest): void {
  if (code === 0) return;
  if (outOfMemory) {
    const problem = `The shard needs more memory than the ${limits.memoryBytes} bytes its spec allows.`;
    throw new ShardError('out-of-memory', 'job', problem, { log });
  }
  if (code === KILLED)
    throw new ShardError('killed', 'machine', 'The shard was killed, by itself or for want of memory.', { log });
  throw new ShardError('exit-code', 'job', `The shard ended with code ${code}.`, { log });
}
