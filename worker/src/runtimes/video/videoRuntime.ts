import { availableParallelism } from 'node:os';
import type { CompareOptions } from '@dpu/sdk/compare/source';
import type { Comparison } from '@dpu/sdk/compare/outcome';
import { VIDEO_CODECS, videoSettingsSchema, type VideoSettings } from '@dpu/sdk/runtimes/video';
import type { StatedNeeds } from '../../resources/needs.ts';
import { readAllBytes } from '../tool/bytes.ts';
import { findTool, librariesOf } from '../tool/findTool.ts';
import { NativeSandbox, type NativeOptions } from '../tool/nativeSandbox.ts';
import { checkEnding, runTool, startTool, type ToolEnding } from '../tool/runTool.ts';
import { makeWorkplace, type Workplace } from '../tool/workplace.ts';
import type { ProgramSpec } from '../../sandbox/isolation.ts';
import { compareShards, type ComparedSpec, type ShardComparison, type ShardOutputs } from '../compareShards.ts';
import {
  ShardError,
  type Runtime,
  type RunOptions,
  type RuntimeProbe,
  type ShardLimits,
  type ShardOutput,
  type ShardRequest,
} from '../runtime.ts';
import { compareFrames, isSimilarLength, UnreadableClip } from './compareVideos.ts';
import { prepareVideo } from './request.ts';
import { SELF_TEST_SHAPE, selfTestClip, selfTestJoin, selfTestPart, selfTestProblem } from './selfTest.ts';
import { framesWords, PLACE, type FrameShape } from './words.ts';

const MIB = 1024 * 1024;
/** What ffmpeg and its libraries take before they see a clip. */
const BASE_DATA_BYTES = 256 * MIB;
const STACK_BYTES = 8 * MIB;
/** Memory for decoding what is compared: several of the largest pictures. */
const COMPARE_BYTES = 1024 * MIB;
const COMPARE_SECONDS = 600;
/** What a library says at every start, because the sandbox lets no memory be locked. */
const CHATTER = /^Warning: using insecure memory!\n/gm;

/** Encodes parts of clips and joins them by ffmpeg, each shard in a process of its own. */
export class VideoRuntime implements Runtime {
  readonly name = 'video';
  readonly #native: NativeSandbox;

  constructor(options: NativeOptions = {}) {
    this.#native = new NativeSandbox('Videos', options, async () => {
      const binary = findTool('ffmpeg');
      if (binary === undefined) throw new Error('ffmpeg is not installed: install the package ffmpeg');
      return { binary, files: librariesOf(binary), environment: {} };
    });
  }

  async probe(signal?: AbortSignal): Promise<RuntimeProbe> {
    return this.#native.probe(async () => {
      const clip = selfTestClip();
      const options = signal === undefined ? {} : { signal };
      for (const codec of VIDEO_CODECS) {
        // Joining is the same for all, so one of them shows it.
        const shards = codec === 'h264' ? 2 : 1;
        const parts: Uint8Array[] = [];
        for (let shard = 0; shard < shards; shard += 1)
          parts.push((await this.run(selfTestPart(codec, clip, shard, shards), options)).output);
        const output = shards === 1 ? parts[0]! : (await this.run(selfTestJoin(codec, parts), options)).output;
        const frames = await readAllBytes(this.#frames(output, { codec, ...SELF_TEST_SHAPE }, signal));
        const problem = selfTestProblem(frames);
        if (problem !== undefined) return `the self-test of ${codec} failed: ${problem}`;
      }
      return undefined;
    });
  }

  /** What the kernel lets ffmpeg take. Every step of it has one thread. */
  needs({ limits: { memoryBytes } }: Pick<ShardRequest, 'limits'>): StatedNeeds {
    return { memoryBytes: BASE_DATA_BYTES + memoryBytes };
  }

  async run(request: ShardRequest, { signal, onLog, onProgress }: RunOptions = {}): Promise<ShardOutput> {
    const { files, words, frames, units } = prepareVideo(request);
    const started = performance.now();
    const place = await this.#place(files, [PLACE.result]);
    try {
      const made = new Progress();
      const spec = await this.#spec(place, words, request.limits, [PLACE.result]);
      const ended = await runTool(await this.#native.sandbox(), spec, {
        seconds: request.limits.seconds,
        signal,
        onStdout: (piece) => {
          made.push(piece);
          onProgress?.(Math.min(1, made.frames / frames));
        },
      });
      const ending = { ...ended, said: ended.said.replaceAll(CHATTER, '') };
      if (ending.said !== '') onLog?.(ending.said);
      await judge(ending, place, request.limits);
      if (made.frames !== frames) {
        const problem = `The shard failed: the clip gives ${made.frames} of the ${frames} frames that the settings ask for.`;
        throw new ShardError('trap', 'job', problem, { log: ending.said });
      }
      const output = await place.read(PLACE.result);
      return { output, units, log: ending.said, wallMs: performance.now() - started };
    } finally {
      await place.remove();
    }
  }

  /** Byte for byte where the spec says `exact`; else both are decoded and compared frame by frame. */
  async compare(
    spec: ComparedSpec,
    own: ShardOutputs,
    shown: ShardOutputs,
    options: CompareOptions = {},
  ): Promise<ShardComparison> {
    const found = await compareShards(spec, own, shown, options);
    const { comparator } = spec;
    const settings = videoSettingsSchema.safeParse(spec.settings);
    if (found.same || comparator.kind !== 'perceptual' || comparator.image.kind !== 'rgba8' || !settings.success)
      return found;
    const files = [];
    for (const finding of found.files) {
      if ('missing' in finding || finding.same) files.push(finding);
      else {
        const [left, right] = [
          await readAllBytes(own.get(finding.name)!, options.signal),
          await readAllBytes(shown.get(finding.name)!, options.signal),
        ];
        const comparison = await this.#compareFiles(comparator, settings.data, left, right, options.signal);
        files.push({ name: finding.name, same: comparison.same, comparison });
      }
    }
    return { same: files.every(({ same }) => same), files };
  }

  close(): Promise<void> {
    return this.#native.close();
  }

  async #compareFiles(
    comparator: Parameters<typeof compareFrames>[0],
    settings: VideoSettings,
    left: Uint8Array,
    right: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<Comparison> {
    if (!isSimilarLength(left.length, right.length)) {
      const shorter = left.length < right.length ? 'left' : 'right';
      const bytes = Math.min(left.length, right.length);
      return { same: false, reason: 'different-length', difference: { kind: 'length', shorter, bytes } };
    }
    return compareFrames(
      comparator,
      this.#frames(left, settings, signal),
      this.#frames(right, settings, signal),
      signal,
    );
  }

  /** Decodes a result. Rejects with {@link UnreadableClip} for what is none, with {@link ShardError} for what this machine cannot. */
  async *#frames(
    clip: Uint8Array,
    settings: FrameShape,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const place = await this.#place(new Map([[PLACE.clip, clip]]), []);
    const limits = { memoryBytes: COMPARE_BYTES, outputBytes: 0, seconds: COMPARE_SECONDS };
    const child = startTool(await this.#native.sandbox(), await this.#spec(place, framesWords(settings), limits, []));
    const stop = (): void => child.kill();
    const timer = setTimeout(stop, COMPARE_SECONDS * 1000);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      child.stderr.resume();
      child.stdin.end();
      for await (const piece of child.stdout) yield piece as Uint8Array;
      const { code, signal: by, error } = await child.ended;
      signal?.throwIfAborted();
      if (error !== undefined || by !== null)
        throw new ShardError('sandbox', 'machine', `A clip could not be decoded here: ${error?.message ?? by}.`);
      if (code !== 0) throw new UnreadableClip(`ffmpeg ended with code ${code}`);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      child.kill();
      await child.ended;
      await place.remove();
    }
  }

  #place(files: ReadonlyMap<string, Uint8Array | string>, written: readonly string[]): Promise<Workplace> {
    return makeWorkplace(files, written, this.#native.folder);
  }

  async #spec(
    { folder }: Workplace,
    words: readonly string[],
    { memoryBytes, outputBytes, seconds }: Omit<ShardLimits, 'units'>,
    writable: readonly string[],
  ): Promise<ProgramSpec> {
    return {
      folder,
      writable,
      limits: {
        dataBytes: BASE_DATA_BYTES + memoryBytes,
        stackBytes: STACK_BYTES,
        cpuSeconds: Math.ceil(seconds * availableParallelism()) + 5,
        fileBytes: outputBytes,
      },
      program: { ...(await this.#native.program()), args: words },
    };
  }
}

/** Throws for an ending that is no success. A file that is full ends ffmpeg with an error of its own. */
async function judge(ending: ToolEnding, place: Workplace, limits: ShardLimits): Promise<void> {
  if (ending.code !== 0 && (await place.size(PLACE.result)) >= limits.outputBytes)
    checkEnding({ signal: 'SIGXFSZ', said: ending.said }, limits, lastLine);
  checkEnding(ending, limits, lastLine);
}

/** ffmpeg's last line says what it gave up for; it names no file of ours but by its place inside. */
function lastLine(said: string): string {
  const line = said.trim().split('\n').at(-1) ?? '';
  return line === '' ? 'ffmpeg gave no reason' : line.replace(/\.$/, '').slice(0, 300);
}

/** Reads ffmpeg's progress: `frame=` with the frames so far, many times. */
class Progress {
  #rest = '';
  frames = 0;

  push(piece: Buffer): void {
    const lines = (this.#rest + piece.toString('latin1')).split('\n');
    this.#rest = lines.pop()!.slice(-100);
    for (const line of lines) {
      const frames = /^frame=\s*(\d+)$/.exec(line)?.[1];
      if (frames !== undefined) this.frames = Number(frames);
    }
  }
}
