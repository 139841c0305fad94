/** The Blender job: a scene rendered by Cycles, tile by tile, and one shard that assembles the tiles. */
import { z } from 'zod';

import { RENDER_COMPARATOR } from '../compare/comparator.ts';
import { problemsOf } from '../problems.ts';
import { RENDER_LIMITS, renderUnits, type RenderSettings } from '../runtimes/render.ts';
import type { SceneInput } from '../runtimes/scene.ts';
import type { JobSpecInput } from '../spec.ts';
import { fileProblems } from './ownFiles.ts';
import { reduceSpec, tilesOf } from './render.ts';
import { TemplateError, type PreparedJobs, type Template, type TemplateFile } from './types.ts';

const MIB = 1024 * 1024;
const MAX_SIDE = 8192;
const MAX_TILES = 16_384;
const MAX_SECONDS = 24 * 60 * 60;
const MAX_MEMORY = 4096 * MIB;

const whole = (least: number, most: number) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);

const optionsSchema = z
  .strictObject({
    width: whole(1, MAX_SIDE).default(640).describe('Width of the image, in pixels'),
    height: whole(1, MAX_SIDE).default(360).describe('Height of the image, in pixels'),
    tileWidth: whole(1, MAX_SIDE).default(320).describe('Width of a tile, in pixels; one tile is one shard'),
    tileHeight: whole(1, MAX_SIDE).default(180).describe('Height of a tile, in pixels'),
    samples: whole(1, RENDER_LIMITS.samples).default(48).describe('Paths of each pixel: more is slower and less noisy'),
    bounces: whole(0, RENDER_LIMITS.bounces).default(6).describe('How often a path may turn'),
    frame: whole(0, RENDER_LIMITS.frame).default(1).describe('Which frame of an animation'),
    seed: whole(0, 2 ** 31 - 1)
      .default(1)
      .describe('Chooses the paths'),
  })
  .check(({ value, issues }) => {
    const tiles = tilesOf(value);
    if (tiles <= MAX_TILES) return;
    const message = `makes ${tiles} tiles, the most is ${MAX_TILES}: choose larger tiles`;
    issues.push({ code: 'custom', path: ['tileWidth'], message, input: value });
  });

type BlenderOptions = z.output<typeof optionsSchema>;

const files: readonly TemplateFile[] = [
  {
    name: 'scene.blend',
    description:
      'A scene for Blender with everything packed into it. Its scripts do not run. Without one ours is built.',
    accept: ['.blend'],
    maxBytes: 512 * MIB,
  },
];

/** Renders a scene by Blender in tiles, and assembles them. */
export const blender: Template = {
  id: 'blender',
  title: 'Render with Blender',
  description: 'Renders a .blend file, or a scene of ours, by Cycles in tiles on nodes that have Blender.',
  options: optionsSchema,
  files,

  async prepare(given, provided, context): Promise<PreparedJobs> {
    const parsed = optionsSchema.safeParse(given ?? {});
    const problems = [...(parsed.success ? [] : problemsOf(parsed.error)), ...fileProblems(files, provided)];
    if (!parsed.success || problems.length > 0) throw new TemplateError(blender.id, problems);
    const scene = provided.get('scene.blend') ?? new TextEncoder().encode(JSON.stringify(builtScene()));
    const { cid } = await context.addFile(scene);
    const assembler = await context.addFile(await context.asset('assemble.wasm'));
    return { jobs: [tileSpec(parsed.data, cid, scene.length), reduceSpec(parsed.data, assembler.cid)] };
  },
};

function tileSpec(options: BlenderOptions, module: JobSpecInput['module'], bytes: number): JobSpecInput {
  const { width, height, tileWidth, tileHeight, samples, bounces, frame, seed } = options;
  const settings: RenderSettings = { width, height, tileWidth, tileHeight, samples, bounces, seed, frame };
  const units = renderUnits(settings, 0);
  const pixels = tileWidth * tileHeight;
  return {
    version: 1,
    name: `Blender ${width} × ${height}`,
    runtime: 'render',
    settings: settings as unknown as Record<string, unknown>,
    ...(module === undefined ? {} : { module }),
    args: [],
    inputs: [],
    shards: tilesOf(options),
    output: { name: 'tile.png', mediaType: 'image/png' },
    limits: {
      memoryBytes: Math.min(MAX_MEMORY, 1024 * MIB + 8 * bytes + 64 * pixels),
      units,
      outputBytes: 3 * pixels + MIB,
      seconds: Math.min(MAX_SECONDS, Math.ceil(180 + units / 50)),
    },
    comparator: RENDER_COMPARATOR,
    view: { kind: 'tiles', width, height, tileWidth, tileHeight },
  };
}

/** Rings of balls around a monkey, on a floor, in the light of a low sun. */
export function builtScene(): SceneInput {
  const balls = Array.from({ length: 24 }, (_, i) => {
    const angle = (i * 2 * Math.PI) / 12 + (i >= 12 ? Math.PI / 12 : 0);
    const [far, size] = i < 12 ? [2.6, 0.38] : [3.9, 0.55];
    return {
      shape: 'sphere' as const,
      at: [far * Math.cos(angle), far * Math.sin(angle), size] as [number, number, number],
      scale: [size, size, size] as [number, number, number],
      material: 1 + (i % 4),
      smooth: true,
    };
  });
  return {
    camera: { from: [6.6, -7.4, 4.1], to: [0, 0, 0.7], lens: 42 },
    sky: { colour: [0.35, 0.5, 0.8], strength: 0.7 },
    lights: [
      { kind: 'sun', from: [6, -3, 5], to: [0, 0, 0], power: 3.4, size: 3, colour: [1, 0.86, 0.68] },
      { kind: 'area', from: [-5, -4, 4], to: [0, 0, 1], power: 260, size: 3 },
    ],
    materials: [
      { colour: [0.7, 0.7, 0.72], roughness: 0.35 },
      { colour: [0.85, 0.16, 0.1], roughness: 0.15 },
      { colour: [0.95, 0.72, 0.28], roughness: 0.2, metallic: 1 },
      { colour: [0.1, 0.42, 0.85], roughness: 0.1 },
      { colour: [0.95, 0.98, 1], roughness: 0, transmission: 1 },
      { colour: [0.9, 0.5, 0.2], roughness: 0.3, metallic: 0.9 },
    ],
    objects: [
      { shape: 'plane', at: [0, 0, 0], scale: [60, 60, 1] },
      { shape: 'monkey', at: [0, 0, 1.25], scale: [1.25, 1.25, 1.25], turn: [-28, 0, 42], material: 5, smooth: true },
      { shape: 'torus', at: [0, 0, 0.22], scale: [1.5, 1.5, 1.2], material: 3, smooth: true },
      ...balls,
    ],
  };
}
