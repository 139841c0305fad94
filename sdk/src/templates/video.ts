/** The video job: parts of a clip are encoded side by side, then joined to one file. */
import { z } from 'zod';

import type { Comparator } from '../compare/comparator.ts';
import { problemsOf } from '../problems.ts';
import { shareOf } from '../runtimes/onnx.ts';
import {
  COARSEST,
  VIDEO_CODECS,
  VIDEO_LIMITS,
  videoComparator,
  videoUnits,
  type VideoSettings,
} from '../runtimes/video.ts';
import type { JobSpecInput } from '../spec.ts';
import { secondsOf } from './clipLength.ts';
import { drawClip } from './drawnClip.ts';
import { fileProblems } from './ownFiles.ts';
import { TemplateError, type PreparedJobs, type Template, type TemplateFile } from './types.ts';

const MIB = 1024 * 1024;
const MAX_SECONDS = 24 * 60 * 60;
const MAX_MEMORY = 4 * 1024 * MIB;
const MAX_OUTPUT = 2 * 1024 * MIB;
const MAX_SHARDS = 4_096;
/** What is drawn without a clip. */
const DRAWN = { width: 320, height: 180, fps: 24, frames: 96 } as const;
/** The input's name. */
const SOURCE = 'clip';

const whole = (least: number, most: number) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);
const even = (most: number) => whole(16, most).multipleOf(2, 'must be even');

const optionsSchema = z
  .strictObject({
    codec: z.enum(VIDEO_CODECS).default('h264').describe('Format: h264 plays everywhere, av1 is smallest and slowest'),
    width: even(VIDEO_LIMITS.width).default(320).describe('Width of the result, in pixels'),
    height: even(VIDEO_LIMITS.height).default(180).describe('Height of the result, in pixels'),
    fps: whole(1, VIDEO_LIMITS.fps).default(24).describe('Frames a second of the result'),
    quality: whole(1, 63).default(23).describe('Constant rate factor: 1 is the finest; h264 has 51 at most, others 63'),
    milliseconds: whole(0, 24 * 3_600_000)
      .default(0)
      .describe('How much of the clip; 0 takes as much as it says it has'),
    shards: whole(1, MAX_SHARDS).default(4).describe('Parts that are encoded side by side'),
    exact: z
      .boolean()
      .default(false)
      .describe('Whether nodes must agree byte for byte: only when all have the same build'),
  })
  .check(({ value: { codec, quality }, issues }) => {
    if (quality <= COARSEST[codec]) return;
    const message = `must be at most ${COARSEST[codec]} for ${codec}`;
    issues.push({ code: 'custom', path: ['quality'], message, input: quality });
  });

/** Options of the video job. */
export type VideoOptions = z.output<typeof optionsSchema>;

const files: readonly TemplateFile[] = [
  {
    name: SOURCE,
    description: 'A clip: MP4, MOV, Matroska, WebM, AVI, MPEG-TS or Y4M. Without one ours is drawn. Sound is left out.',
    accept: ['.mp4', '.m4v', '.mov', '.mkv', '.webm', '.avi', '.ts', '.y4m'],
    maxBytes: 512 * MIB,
  },
];

/** Encodes a clip anew in parts, and joins the parts. */
export const video: Template = {
  id: 'video',
  title: 'Transcode a video',
  description: 'Encodes parts of a clip side by side and joins them to one MP4 file.',
  options: optionsSchema,
  files,

  async prepare(given, provided, context): Promise<PreparedJobs> {
    const parsed = optionsSchema.safeParse(given ?? {});
    const problems = [...(parsed.success ? [] : problemsOf(parsed.error)), ...fileProblems(files, provided)];
    if (!parsed.success || problems.length > 0) throw new TemplateError(video.id, problems);
    const options = parsed.data;
    const clip = provided.get(SOURCE) ?? drawClip(DRAWN);
    const frames = framesOf(clip, options);
    const { cid } = await context.addFile(clip);
    const source = { name: SOURCE, cid, size: clip.length };
    return { jobs: [transcodeSpec(options, frames, source), joinSpec(options, frames)] };
  },
};

/** @throws TemplateError */
function framesOf(clip: Uint8Array, { milliseconds, fps, shards }: VideoOptions): number {
  const refuse = (path: string, sentence: string): never => {
    throw new TemplateError(video.id, [{ path, sentence }]);
  };
  const said = secondsOf(clip);
  const seconds = milliseconds > 0 ? milliseconds / 1000 : said;
  if (seconds === undefined)
    return refuse('milliseconds', 'is needed: this kind of file does not say plainly how long it is');
  if (said !== undefined && seconds > said + 1 / fps)
    return refuse('milliseconds', `is more than the ${Math.floor(said * 1000)} that the clip has`);
  const frames = Math.floor(seconds * fps + 1e-6);
  if (frames < shards) return refuse('shards', `is more than the ${frames} frames that there are`);
  if (frames > VIDEO_LIMITS.frames)
    return refuse('milliseconds', `makes ${frames} frames, the most is ${VIDEO_LIMITS.frames}`);
  return frames;
}

function common(
  { width, height, exact }: VideoOptions,
  settings: VideoSettings,
): Pick<JobSpecInput, 'runtime' | 'settings' | 'args' | 'comparator'> {
  const comparator: Comparator = exact ? { kind: 'exact' } : videoComparator({ width, height });
  return { runtime: 'video', settings: settings as unknown as Record<string, unknown>, args: [], comparator };
}

/** Caps that stop runaways. A result is never longer than its frames without any compression. */
function limitsOf(settings: VideoSettings, shards: number, frames: number): JobSpecInput['limits'] {
  const { width, height } = settings;
  const units = videoUnits(settings, 0, shards) + 1;
  return {
    memoryBytes: Math.min(MAX_MEMORY, 256 * MIB + 250 * width * height),
    units,
    outputBytes: Math.min(MAX_OUTPUT, MIB + Math.max(4, 1.5 * frames) * width * height),
    seconds: Math.min(MAX_SECONDS, Math.ceil(60 + units / 50)),
  };
}

function transcodeSpec(options: VideoOptions, frames: number, source: JobSpecInput['inputs'][number]): JobSpecInput {
  const { codec, width, height, fps, quality, shards } = options;
  const settings: VideoSettings = { step: 'transcode', source: SOURCE, codec, width, height, fps, frames, quality };
  const most = shareOf(frames, shards - 1, shards).count;
  return {
    version: 1,
    name: `Transcode to ${codec}, ${width} × ${height}`,
    ...common(options, settings),
    inputs: [source],
    shards,
    output: { name: 'part.mp4', mediaType: 'video/mp4' },
    limits: limitsOf(settings, shards, most),
    view: { kind: 'file' },
  };
}

function joinSpec(options: VideoOptions, frames: number): JobSpecInput {
  const { codec, width, height, fps } = options;
  const settings: VideoSettings = { step: 'join', parts: 'parts', codec, width, height, fps, frames };
  return {
    version: 1,
    name: `Join the parts, ${width} × ${height}`,
    ...common(options, settings),
    inputs: [],
    after: { name: 'parts' },
    shards: 1,
    output: { name: 'video.mp4', mediaType: 'video/mp4' },
    limits: limitsOf(settings, 1, frames),
    view: { kind: 'file' },
  };
}
