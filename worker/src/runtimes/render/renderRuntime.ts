import { readFile } from 'node:fs/promises';
import type { CompareOptions } from '@dpu/sdk/compare/source';
import type { StatedNeeds } from '../../resources/needs.ts';
import { FOLDER, type ProgramSpec } from '../../sandbox/isolation.ts';
import { compareShards, type ComparedSpec, type ShardComparison, type ShardOutputs } from '../compareShards.ts';
import {
  ShardError,
  type Runtime,
  type RunOptions,
  type RuntimeProbe,
  type ShardOutput,
  type ShardRequest,
} from '../runtime.ts';
import { NativeSandbox, type NativeOptions } from '../tool/nativeSandbox.ts';
import { checkEnding, runTool } from '../tool/runTool.ts';
import { makeWorkplace, type Workplace } from '../tool/workplace.ts';
import { findBlender } from './blender.ts';
import { prepareRender } from './request.ts';
import { SELF_TEST, selfTestProblem } from './selfTest.ts';

const MIB = 1024 * 1024;
/** What Blender, its Python and its threads map before they see a scene. */
const BASE_DATA_BYTES = 1024 * MIB;
const STACK_BYTES = 16 * MIB;
/** Room for Blender's own small files; it is memory, and gone with the process. */
const SCRATCH_BYTES = 64 * MIB;
const MOST_THREADS = 64;
const SCRIPT = new URL('./child/render.py', import.meta.url);
const RESULT = 'result.png';
/** Exit code of our script for a scene that cannot be rendered. */
const FAILED = 3;
/** Width and height stand here in every PNG, big endian. */
const PNG_WIDTH_AT = 16;

/** No window, no settings and no add-ons of anybody, and no code that a file brings. */
const WORDS = [
  ...['--background', '--factory-startup', '--disable-autoexec', '-noaudio', '--python-exit-code', '4'],
  ...['--python', `${FOLDER}/render.py`, '--', FOLDER],
];

export interface RenderRuntimeOptions extends NativeOptions {
  /** Threads of one Blender, 1 by default, 64 at most: as many cores as one shard may keep busy. */
  readonly threads?: number;
}

/** Renders tiles of scenes by Blender's Cycles, each shard in a process of its own. */
export class RenderRuntime implements Runtime {
  readonly name = 'render';
  readonly #native: NativeSandbox;
  readonly #threads: number;

  constructor({ threads = 1, ...options }: RenderRuntimeOptions = {}) {
    this.#threads = Math.min(MOST_THREADS, threads);
    this.#native = new NativeSandbox('Pictures', options, async () => findBlender());
  }

  async probe(signal?: AbortSignal): Promise<RuntimeProbe> {
    return this.#native.probe(async () => {
      const { output } = await this.run(SELF_TEST, signal === undefined ? {} : { signal });
      const problem = selfTestProblem(output);
      return problem === undefined ? undefined : `the self-test failed: ${problem}`;
    });
  }

  /** What the kernel lets Blender take and its small files, and a core for each of its threads. */
  needs({ limits: { memoryBytes } }: Pick<ShardRequest, 'limits'>): StatedNeeds {
    return { cores: this.#threads, memoryBytes: BASE_DATA_BYTES + SCRATCH_BYTES + memoryBytes };
  }

  async run(request: ShardRequest, { signal, onLog, onProgress }: RunOptions = {}): Promise<ShardOutput> {
    const { files, tile, units } = prepareRender(request, this.#threads);
    const { limits } = request;
    const started = performance.now();
    const withScript = new Map(files).set('render.py', await readFile(SCRIPT));
    const place = await makeWorkplace(withScript, [RESULT], this.#native.folder);
    try {
      const spec = await this.#spec(place, request);
      const ending = await runTool(await this.#native.sandbox(), spec, {
        seconds: limits.seconds,
        signal,
        onStdout: (piece) => {
          const share = sampledShare(piece.toString('latin1'));
          if (share !== undefined) onProgress?.(share);
        },
      });
      if (ending.said !== '') onLog?.(ending.said);
      if (ending.code !== 0 && (await place.size(RESULT)) >= limits.outputBytes)
        checkEnding({ signal: 'SIGXFSZ', said: ending.said }, limits, reasonOf);
      // Another code than our script's is Blender's or Python's own: it did not come as far as the scene.
      if (ending.code !== undefined && ending.code !== 0 && ending.code !== FAILED)
        throw new ShardError('sandbox', 'machine', `Blender ended with code ${ending.code}.`, { log: ending.said });
      checkEnding(ending, limits, reasonOf);
      const output = await place.read(RESULT);
      if (!isPicture(output, tile))
        throw new ShardError('trap', 'job', 'The shard failed: Blender made no picture of the tile’s size.');
      return { output, units, log: ending.said, wallMs: performance.now() - started };
    } finally {
      await place.remove();
    }
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
    return this.#native.close();
  }

  async #spec({ folder }: Workplace, { limits }: ShardRequest): Promise<ProgramSpec> {
    return {
      folder,
      writable: [RESULT],
      scratchBytes: SCRATCH_BYTES,
      limits: {
        dataBytes: BASE_DATA_BYTES + limits.memoryBytes,
        stackBytes: STACK_BYTES,
        cpuSeconds: Math.ceil(limits.seconds * (this.#threads + 1)) + 5,
        fileBytes: limits.outputBytes,
      },
      program: { ...(await this.#native.program()), args: WORDS },
    };
  }
}

/** How far Cycles says that it is, `Sample 3/16`, last in a piece of what it prints; undefined where it does not say. */
export function sampledShare(printed: string): number | undefined {
  const [, done, all] = [...printed.matchAll(/\bSample (\d{1,9})\/(\d{1,9})\b/g)].at(-1) ?? [];
  const share = Number(done) / Number(all);
  return share <= 1 ? share : undefined;
}

/** What our script said last, or Blender. */
function reasonOf(said: string): string {
  const lines = said.trim().split('\n');
  const own = lines.findLast((line) => line.startsWith('render failed: '))?.slice('render failed: '.length);
  const line = own ?? lines.at(-1) ?? '';
  return line === '' ? 'Blender gave no reason' : line.replace(/\.$/, '').slice(0, 300);
}

function isPicture(bytes: Uint8Array, { width, height }: { width: number; height: number }): boolean {
  if (bytes.length < PNG_WIDTH_AT + 8) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(PNG_WIDTH_AT) === width && view.getUint32(PNG_WIDTH_AT + 4) === height;
}
