/** What a spec of the render runtime says: which part of which frame a shard renders, and how. docs/jobs.md has the format. */
import * as z from 'zod';

import type { Comparator } from '../compare/comparator.ts';
import type { Problem } from '../problems.ts';

/** Largest values of {@link RenderSettings}. */
export const RENDER_LIMITS = { side: 16_384, samples: 65_536, frame: 1_000_000, frames: 100_000, bounces: 64 } as const;
/** Operations that a sample of a pixel counts as. */
const OPERATIONS = 5_000;
const OPERATIONS_PER_UNIT = 1_000_000;

const whole = (least: number, most: number) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);

/** Schema of `settings` of the runtime `render`. What may be absent has the default that its line names. */
export const renderSettingsSchema = z.strictObject({
  /** The whole picture, in pixels. */
  width: whole(1, RENDER_LIMITS.side),
  height: whole(1, RENDER_LIMITS.side),
  /** A tile, in pixels; those at the right and at the bottom may be smaller. */
  tileWidth: whole(1, RENDER_LIMITS.side),
  tileHeight: whole(1, RENDER_LIMITS.side),
  /** Paths of each pixel. */
  samples: whole(1, RENDER_LIMITS.samples),
  /** How often a path may turn. Default: as the scene says. */
  bounces: z.exactOptional(whole(0, RENDER_LIMITS.bounces)),
  /** Chooses the paths. */
  seed: whole(0, 2 ** 31 - 1),
  /** The first frame. Default 1. */
  frame: z.exactOptional(whole(0, RENDER_LIMITS.frame)),
  /** Frames, one after the other. Default 1. */
  frames: z.exactOptional(whole(1, RENDER_LIMITS.frames)),
});

/** Settings of the render runtime. */
export type RenderSettings = z.output<typeof renderSettingsSchema>;

interface RuledSpec {
  readonly settings?: unknown;
  readonly shards: number;
  readonly comparator: Comparator;
  readonly output: { readonly mediaType: string };
}

const across = ({ width, tileWidth }: RenderSettings): number => Math.ceil(width / tileWidth);
const tilesOf = (settings: RenderSettings): number =>
  across(settings) * Math.ceil(settings.height / settings.tileHeight);

/** What is wrong between the settings and the rest of a spec. Settings must fit their schema. */
export function renderProblems({ settings, shards, comparator, output }: RuledSpec): Problem[] {
  const wish = settings as RenderSettings;
  const problems: Problem[] = [];
  const needed = tilesOf(wish) * (wish.frames ?? 1);
  if (shards !== needed)
    problems.push({ path: 'shards', sentence: `must be ${needed}: one for each tile of each frame, not ${shards}` });
  if (output.mediaType !== 'image/png') problems.push({ path: 'output.mediaType', sentence: 'must be image/png' });
  if (comparator.kind !== 'perceptual' || comparator.image.kind !== 'png')
    problems.push({
      path: 'comparator',
      sentence: 'must be perceptual with images of png: the renderer’s last digits differ from run to run',
    });
  return problems;
}

/** The part of a picture that one shard renders, in pixels from the left and from the top. */
export interface Tile {
  readonly frame: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Which tile of which frame a shard is: all tiles of the first frame, row by row, then those of the next. */
export function tileOf(settings: RenderSettings, shard: number): Tile {
  const tiles = tilesOf(settings);
  const tile = shard % tiles;
  const [x, y] = [
    (tile % across(settings)) * settings.tileWidth,
    Math.floor(tile / across(settings)) * settings.tileHeight,
  ];
  return {
    frame: (settings.frame ?? 1) + Math.floor(shard / tiles),
    ...{ x, y },
    width: Math.min(settings.tileWidth, settings.width - x),
    height: Math.min(settings.tileHeight, settings.height - y),
  };
}

/** Units of one shard: they follow from the settings alone. */
export function renderUnits(settings: RenderSettings, shard: number): number {
  const { width, height } = tileOf(settings, shard);
  return Math.max(1, Math.ceil((width * height * settings.samples * OPERATIONS) / OPERATIONS_PER_UNIT));
}
