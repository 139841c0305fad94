/** What a spec of the video runtime says: how a part of a clip is encoded anew, or how encoded parts become one file. docs/jobs.md has the format. */
import * as z from 'zod';

import type { Comparator, PerceptualComparator } from '../compare/comparator.ts';
import type { Problem } from '../problems.ts';
import { shareOf } from './onnx.ts';

/** Formats of pictures in time that are made. The file around them is always MP4. */
export const VIDEO_CODECS = ['h264', 'vp9', 'av1'] as const;
/** One of {@link VIDEO_CODECS}. */
export type VideoCodec = (typeof VIDEO_CODECS)[number];

/** The coarsest `quality` of each codec; 1 is the finest. It is the encoder's constant rate factor. */
export const COARSEST: Readonly<Record<VideoCodec, number>> = { h264: 51, vp9: 63, av1: 63 };
/** Longest sides, in pixels, and the highest rate and number of frames. */
export const VIDEO_LIMITS = { width: 4096, height: 2304, fps: 120, frames: 1_000_000 } as const;
/** Operations that a pixel of a frame counts as: about what one core of an ordinary machine needs. */
const OPERATIONS: Readonly<Record<VideoCodec, number>> = { h264: 100, vp9: 200, av1: 700 };
const OPERATIONS_PER_UNIT = 1_000_000;
/** Frames that are put together for the price of a unit: nothing is computed, only copied. */
const JOINED_PER_UNIT = 100;

const whole = (least: number, most: number) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);
const even = (most: number) => whole(16, most).multipleOf(2, 'must be even');
const name = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be the name of an input');

const shape = {
  codec: z.enum(VIDEO_CODECS),
  /** Pixels across and down: what is made has this size, whatever the clip has. */
  width: even(VIDEO_LIMITS.width),
  height: even(VIDEO_LIMITS.height),
  /** Frames a second. */
  fps: whole(1, VIDEO_LIMITS.fps),
  /** Frames of the whole result. Frame n is what the clip shows at n / fps seconds. */
  frames: whole(1, VIDEO_LIMITS.frames),
};

const transcodeSchema = z
  .strictObject({
    step: z.literal('transcode'),
    /** The input that is the clip. */
    source: name,
    ...shape,
    /** 1 is the finest; see {@link COARSEST}. */
    quality: whole(1, 63),
  })
  .check(({ value: { codec, quality }, issues }) => {
    if (quality <= COARSEST[codec]) return;
    const message = `must be at most ${COARSEST[codec]} for ${codec}`;
    issues.push({ code: 'custom', path: ['quality'], message, input: quality });
  });

const joinSchema = z.strictObject({
  step: z.literal('join'),
  /** `after.name`: the results of the job before are the parts, in order. */
  parts: name,
  ...shape,
});

/** Schema of `settings` of the runtime `video`. */
export const videoSettingsSchema = z.discriminatedUnion(
  'step',
  [transcodeSchema, joinSchema],
  'must be "transcode" or "join"',
);

/** Settings of the video runtime. */
export type VideoSettings = z.output<typeof videoSettingsSchema>;

/** What the rules below look at; a whole spec has it. */
interface RuledSpec {
  readonly settings?: unknown;
  readonly inputs: readonly { readonly name: string }[];
  readonly after?: { readonly name: string };
  readonly shards: number;
  readonly comparator: Comparator;
  readonly output: { readonly mediaType: string };
}

/** What is wrong between the settings and the rest of a spec. Settings must fit their schema. */
export function videoProblems({ settings, inputs, after, shards, comparator, output }: RuledSpec): Problem[] {
  const wish = settings as VideoSettings;
  const problems: Problem[] = [];
  const report = (path: string, sentence: string): void => void problems.push({ path, sentence });
  if (wish.step === 'transcode') {
    if (!inputs.some((input) => input.name === wish.source))
      report('settings.source', `names no input: ${wish.source}`);
    if (wish.frames < shards) report('settings.frames', `must be at least one for each of the ${shards} shards`);
  } else {
    if (after?.name !== wish.parts) report('settings.parts', 'must be the name in after: the parts are its results');
    if (shards !== 1) report('shards', 'must be 1: the parts become one file');
  }
  if (output.mediaType !== 'video/mp4') report('output.mediaType', 'must be video/mp4');
  if (comparator.kind === 'exact') return problems;
  const image = comparator.kind === 'perceptual' ? comparator.image : undefined;
  if (image?.kind !== 'rgba8' || image.width !== wish.width || image.height !== wish.height) {
    report(
      'comparator',
      `must be exact, or perceptual with images of rgba8, ${wish.width} × ${wish.height}: the decoded frames`,
    );
  }
  return problems;
}

/** Units of one shard: they follow from the settings alone. */
export function videoUnits(settings: VideoSettings, shard: number, shards: number): number {
  const { width, height, codec, frames } = settings;
  if (settings.step === 'join') return Math.ceil(frames / JOINED_PER_UNIT);
  const { count } = shareOf(frames, shard, shards);
  return Math.max(1, Math.ceil((count * width * height * OPERATIONS[codec]) / OPERATIONS_PER_UNIT));
}

/**
 * When two encodings of one clip are the same work: the same encoder of another version, or on another processor, decides a little
 * differently, and what it shows looks the same. Each frame is compared. A coarser quality, another frame or another size is refused.
 */
export function videoComparator({ width, height }: Pick<VideoSettings, 'width' | 'height'>): PerceptualComparator {
  return {
    kind: 'perceptual',
    image: { kind: 'rgba8', width, height },
    minSsimPpm: 980_000,
    maxMeanErrorPpm: 8_000,
    pixelErrorPpm: 100_000,
    outliersPpm: 15_000,
  };
}
