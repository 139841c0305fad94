/** The render job: a path tracer draws the tiles of an image, a second job puts them together. */
import type { CID } from 'multiformats/cid';
import { z } from 'zod';

import { problemsOf, type Problem } from '../problems.ts';
import type { JobSpecInput } from '../spec.ts';
import { TemplateError, type PreparedJobs, type Template, type TemplateContext, type TemplateFile } from './types.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** Largest side of an image that the modules accept, in pixels. */
const MAX_SIDE = 8192;
/** Most tiles: each is a transaction's share of work to lease, deliver and check. */
const MAX_TILES = 16_384;
/** Longest execution that the contract allows, in seconds. */
const MAX_SECONDS = 24 * 60 * 60;

const whole = (least: number, most: number) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);

const side = (value: number, description: string) =>
  whole(1, MAX_SIDE).default(value).describe(`${description}, in pixels`);

const optionsSchema = z
  .strictObject({
    width: side(1280, 'Width of the image'),
    height: side(720, 'Height of the image'),
    tileWidth: side(160, 'Width of a tile; one tile is one shard'),
    tileHeight: side(90, 'Height of a tile'),
    samples: whole(1, 4096).default(48).describe('Paths per pixel: twice as many make a calmer image'),
    bounces: whole(0, 32).default(5).describe('How often light may bounce between surfaces'),
    seed: whole(0, 0xffffffff).default(1).describe('Chooses the noise; the same seed gives the same image'),
    ground: z.boolean().default(true).describe('Whether the scene stands on an endless floor'),
  })
  .check(({ value, issues }) => {
    const tiles = tilesOf(value);
    if (tiles <= MAX_TILES) return;
    const message = `makes ${tiles} tiles, the most is ${MAX_TILES}: choose larger tiles`;
    issues.push({ code: 'custom', path: ['tileWidth'], message, input: value });
  });

/** Options of the render job. Sizes are pixels. */
export type RenderOptions = z.output<typeof optionsSchema>;

const files: readonly TemplateFile[] = [
  {
    name: 'scene.obj',
    description: 'A triangle mesh in Wavefront OBJ format. Without one a built-in scene is rendered.',
    accept: ['.obj'],
    maxBytes: 64 * MIB,
  },
  {
    name: 'scene.mtl',
    description: 'The materials of the mesh. Without it the mesh gets a pleasing set of its own.',
    accept: ['.mtl'],
    maxBytes: 4 * MIB,
  },
];

/** Renders a 3D scene by path tracing: one shard per tile, then one shard that assembles the tiles. */
export const render: Template = {
  id: 'render',
  title: 'Render a 3D scene',
  description: 'Path-traces an OBJ scene in tiles and assembles them into one PNG image.',
  options: optionsSchema,
  files,

  async prepare(given, provided, context): Promise<PreparedJobs> {
    const parsed = optionsSchema.safeParse(given ?? {});
    const problems = [...(parsed.success ? [] : problemsOf(parsed.error)), ...fileProblems(provided)];
    if (!parsed.success || problems.length > 0) throw new TemplateError(render.id, problems);
    const options = parsed.data;

    const inputs = await storeInputs(provided, context);
    const [tracer, assembler] = [
      await context.addFile(await context.asset('pathtracer.wasm')),
      await context.addFile(await context.asset('assemble.wasm')),
    ];
    return { jobs: [mapSpec(options, tracer.cid, inputs), reduceSpec(options, assembler.cid)] };
  },
};

/** An image cut into tiles, in pixels. */
interface Grid {
  width: number;
  height: number;
  tileWidth: number;
  tileHeight: number;
}

/** How many tiles the image has, those cut off at its edges included. */
export function tilesOf({ width, height, tileWidth, tileHeight }: Grid): number {
  return Math.ceil(width / tileWidth) * Math.ceil(height / tileHeight);
}

function fileProblems(provided: ReadonlyMap<string, Uint8Array>): Problem[] {
  const problems: Problem[] = [];
  for (const [path, bytes] of provided) {
    const known = files.find(({ name }) => name === path);
    if (known === undefined) {
      problems.push({ path, sentence: `is not used: bring ${files.map(({ name }) => name).join(' or ')}` });
    } else if (bytes.length === 0) {
      problems.push({ path, sentence: 'is empty' });
    } else if (bytes.length > known.maxBytes) {
      problems.push({ path, sentence: `is ${bytes.length} bytes long, the most is ${known.maxBytes}` });
    }
  }
  if (provided.has('scene.mtl') && !provided.has('scene.obj')) {
    problems.push({ path: 'scene.mtl', sentence: 'needs the scene.obj that it belongs to' });
  }
  return problems;
}

/** Stores the scene. Materials of the built-in scene say nothing about a mesh that someone brought. */
async function storeInputs(
  provided: ReadonlyMap<string, Uint8Array>,
  context: TemplateContext,
): Promise<JobSpecInput['inputs']> {
  const scene = provided.has('scene.obj')
    ? provided
    : new Map([
        ['scene.obj', await context.asset('scene.obj')],
        ['scene.mtl', await context.asset('scene.mtl')],
      ]);
  const inputs: JobSpecInput['inputs'] = [];
  for (const [name, bytes] of scene) inputs.push({ name, cid: (await context.addFile(bytes)).cid, size: bytes.length });
  return inputs.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Bytes of an uncompressed image with room for a PNG's headers: no output of the modules is larger. */
function pngBytes(width: number, height: number): number {
  return Math.ceil((width * 3 + 1) * height * 1.01) + 4096;
}

function mapSpec(options: RenderOptions, module: CID | string, inputs: JobSpecInput['inputs']): JobSpecInput {
  const { width, height, tileWidth, tileHeight, samples, bounces, seed, ground } = options;
  const grid = { width, height, tileWidth, tileHeight };
  const sceneBytes = inputs.reduce((sum, { size }) => sum + size, 0);
  const steps = tileWidth * tileHeight * samples * (bounces + 1);
  return {
    version: 1,
    name: `Render ${width} × ${height}`,
    runtime: 'wasm',
    module,
    args: [width, height, tileWidth, tileHeight, samples, bounces, seed].map(String).concat(ground ? 'ground' : 'none'),
    inputs,
    shards: tilesOf(options),
    output: { name: 'tile.png', mediaType: 'image/png' },
    // Several times what the built-in scene takes: the caps stop runaways, they do not measure.
    limits: {
      memoryBytes: Math.min(2 * GIB, 256 * MIB + 16 * sceneBytes + 16 * tileWidth * tileHeight),
      units: Math.ceil(5_000 + sceneBytes / 500 + steps / 20),
      outputBytes: pngBytes(tileWidth, tileHeight),
      seconds: Math.min(MAX_SECONDS, Math.ceil(60 + sceneBytes / MIB + steps / 20_000)),
    },
    comparator: { kind: 'exact' },
    view: { kind: 'tiles', ...grid },
  };
}

/** The job that puts tiles together, whoever made them. */
export function reduceSpec(options: Grid, module: CID | string): JobSpecInput {
  const { width, height, tileWidth, tileHeight } = options;
  const pixels = width * height;
  return {
    version: 1,
    name: `Assemble ${width} × ${height}`,
    runtime: 'wasm',
    module,
    args: [width, height, tileWidth, tileHeight].map(String),
    inputs: [],
    after: { name: 'tiles' },
    shards: 1,
    output: { name: 'image.png', mediaType: 'image/png' },
    limits: {
      memoryBytes: Math.min(2 * GIB, 64 * MIB + 24 * pixels),
      units: Math.ceil(1_000 + pixels / 20),
      outputBytes: pngBytes(width, height),
      seconds: Math.ceil(60 + pixels / 50_000),
    },
    comparator: { kind: 'exact' },
    view: { kind: 'file' },
  };
}
