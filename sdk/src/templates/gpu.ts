/** The GPU job: a kernel in WGSL on every shard. By default ours draws a fractal; a person may bring another. */
import { z } from 'zod';

import { comparatorSchema } from '../compare/comparator.ts';
import { problemsOf, type Problem } from '../problems.ts';
import { wgslMemory, wgslOutputBytes, wgslSettingsSchema, wgslUnits, type WgslSettings } from '../runtimes/wgsl.ts';
import { exactnessProblem, kernelProblems } from '../runtimes/wgslKernel.ts';
import type { JobSpecInput } from '../spec.ts';
import { fileProblems, readSettings } from './ownFiles.ts';
import { reduceSpec, tilesOf } from './render.ts';
import { TemplateError, type PreparedJobs, type Template, type TemplateContext, type TemplateFile } from './types.ts';

const MIB = 1024 * 1024;
const MAX_SIDE = 8192;
const MAX_TILES = 16_384;
/** Longest side of a tile: what one dispatch may cover. */
const MAX_TILE = 2048;
const MAX_SECONDS = 24 * 60 * 60;
/** Coordinates of the kernel have 26 bits after the point; options count millionths. */
const ONE = 2 ** 26;
const MILLION = 1_000_000;
/** Turns of a loop in one dispatch: drivers end, or even cut short without a word, those that go on for long. */
const MAX_ITERATIONS = 20_000;

const whole = (least: number, most: number) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);

const optionsSchema = z
  .strictObject({
    width: whole(1, MAX_SIDE).default(1024).describe('Width of the image, in pixels'),
    height: whole(1, MAX_SIDE).default(576).describe('Height of the image, in pixels'),
    tileWidth: whole(1, MAX_TILE).default(128).describe('Width of a tile, a part of the width; one tile is one shard'),
    tileHeight: whole(1, MAX_TILE).default(72).describe('Height of a tile, a part of the height'),
    centerX: whole(-2_500_000, 2_500_000).default(-743_643).describe('Where to look, across, in millionths'),
    centerY: whole(-2_500_000, 2_500_000).default(131_825).describe('Where to look, upwards, in millionths'),
    span: whole(100, 5_000_000).default(12_000).describe('How much of the plane the width covers, in millionths'),
    iterations: whole(1, MAX_ITERATIONS).default(700).describe('Turns after which a point counts as inside'),
    smoothness: whole(1, 8).default(2).describe('Samples of a pixel in each direction'),
  })
  .check(({ value, issues }) => {
    const report = (path: string, message: string): void => {
      issues.push({ code: 'custom', path: [path], message, input: value });
    };
    // The kernel dispatches whole tiles, and a picture has one size.
    if (value.width % value.tileWidth !== 0) report('tileWidth', `must divide the width ${value.width}`);
    if (value.height % value.tileHeight !== 0) report('tileHeight', `must divide the height ${value.height}`);
    const tiles = tilesOf(value);
    if (tiles > MAX_TILES) report('tileWidth', `makes ${tiles} tiles, the most is ${MAX_TILES}: choose larger tiles`);
  });

type GpuOptions = z.output<typeof optionsSchema>;

/** What `settings.json` says of a kernel that somebody brought. */
const ownSchema = z.strictObject({
  name: z.string().min(1, 'must not be empty').max(120, 'must be at most 120 characters').default('GPU kernel'),
  shards: whole(1, MAX_TILES).default(1),
  /** Whole numbers of 32 bits. */
  args: z
    .array(whole(-(2 ** 31), 2 ** 32 - 1))
    .max(64, 'must be at most 64 numbers')
    .default([]),
  /** Longest time of one shard on a slow machine. */
  seconds: whole(1, MAX_SECONDS).default(600),
  comparator: comparatorSchema.default({ kind: 'exact' }),
  settings: wgslSettingsSchema,
});

const files: readonly TemplateFile[] = [
  {
    name: 'kernel.wgsl',
    description: 'A kernel of your own. Without one a fractal is drawn.',
    accept: ['.wgsl'],
    maxBytes: 256 * 1024,
  },
  {
    name: 'settings.json',
    description: 'Its shards, arguments, buffers and passes: docs/jobs.md says what they are.',
    accept: ['.json'],
    maxBytes: MIB,
  },
  {
    name: 'data.bin',
    description: 'What its buffers may begin with, as the input data.bin.',
    accept: ['.bin'],
    maxBytes: 128 * MIB,
  },
];

/** Runs a WGSL kernel: the fractal's tiles and one shard that assembles them, or the shards of somebody's own. */
export const gpu: Template = {
  id: 'gpu',
  title: 'Run a GPU kernel',
  description: 'Draws a fractal with a WGSL kernel, tile by tile, or runs a kernel of your own.',
  options: optionsSchema,
  files,

  async prepare(given, provided, context): Promise<PreparedJobs> {
    const parsed = optionsSchema.safeParse(given ?? {});
    const problems = [...(parsed.success ? [] : problemsOf(parsed.error)), ...problemsOfFiles(provided)];
    if (!parsed.success || problems.length > 0) throw new TemplateError(gpu.id, problems);
    const kernel = provided.get('kernel.wgsl');
    return kernel ? ownJob(kernel, provided, context) : fractalJob(parsed.data, context);
  },
};

function problemsOfFiles(provided: ReadonlyMap<string, Uint8Array>): Problem[] {
  const problems = fileProblems(files, provided);
  const has = (name: string): boolean => provided.has(name);
  if (has('kernel.wgsl') && !has('settings.json'))
    problems.push({ path: 'settings.json', sentence: 'is missing: it says which buffers the kernel works on' });
  for (const name of ['settings.json', 'data.bin']) {
    if (has(name) && !has('kernel.wgsl'))
      problems.push({ path: name, sentence: 'needs the kernel.wgsl that it is for' });
  }
  return problems;
}

/** A buffer for the sums of each pixel's samples, one for its colours; a dispatch for each sample, one to put them together. */
function fractalSettings({ tileWidth, tileHeight, smoothness }: GpuOptions): WgslSettings {
  const pixels = tileWidth * tileHeight;
  const tile = {
    size: [8, 8, 1] as [number, number, number],
    groups: [Math.ceil(tileWidth / 8), Math.ceil(tileHeight / 8), 1] as [number, number, number],
    bind: [
      { binding: 1, buffer: 'sums', access: 'read_write' as const },
      { binding: 2, buffer: 'pixels', access: 'read_write' as const },
    ],
  };
  return {
    buffers: [
      { name: 'sums', bytes: 16 * pixels },
      { name: 'pixels', bytes: 4 * pixels },
    ],
    passes: [
      { entry: 'sample_tile', ...tile, repeat: smoothness ** 2 },
      { entry: 'resolve', ...tile },
    ],
    output: { buffers: ['pixels'], picture: { width: tileWidth, height: tileHeight } },
  };
}

async function fractalJob(options: GpuOptions, context: TemplateContext): Promise<PreparedJobs> {
  const { width, height, tileWidth, tileHeight, centerX, centerY, span, iterations, smoothness } = options;
  const [kernel, assembler] = [
    await context.addFile(await context.asset('fractal.wgsl')),
    await context.addFile(await context.asset('assemble.wasm')),
  ];
  const settings = fractalSettings(options);
  const fixed = (millionths: number): number => Math.round((millionths * ONE) / MILLION);
  const sample = Math.max(1, Math.round(fixed(span) / (width * smoothness)));
  const args = [
    width / tileWidth,
    tileWidth,
    tileHeight,
    fixed(centerX) - Math.round((sample * smoothness * width) / 2),
    fixed(centerY) + Math.round((sample * smoothness * height) / 2),
    sample,
    smoothness,
    iterations,
  ];
  const turns = tileWidth * tileHeight * smoothness ** 2 * iterations;
  const map: JobSpecInput = {
    version: 1,
    name: `Fractal ${width} × ${height}`,
    ...kernelSpec(settings),
    module: kernel.cid,
    args: args.map(String),
    inputs: [],
    shards: tilesOf(options),
    output: { name: 'tile.png', mediaType: 'image/png' },
    // A driver in software on a busy machine makes some millions of turns a second.
    limits: { ...limitsOf(settings), seconds: Math.min(MAX_SECONDS, Math.ceil(60 + turns / 500_000)) },
    comparator: { kind: 'exact' },
    view: { kind: 'tiles', width, height, tileWidth, tileHeight },
  };
  return { jobs: [map, reduceSpec(options, assembler.cid)] };
}

const kernelSpec = (settings: WgslSettings): Pick<JobSpecInput, 'runtime' | 'settings'> => ({
  runtime: 'wgsl',
  settings: settings as unknown as Record<string, unknown>,
});

/** Caps that are just what the settings need: nothing is left to the kernel. */
const limitsOf = (settings: WgslSettings): Omit<JobSpecInput['limits'], 'seconds'> => ({
  memoryBytes: Math.max(65_536, wgslMemory(settings)),
  units: wgslUnits(settings),
  outputBytes: wgslOutputBytes(settings),
});

async function ownJob(
  kernel: Uint8Array,
  provided: ReadonlyMap<string, Uint8Array>,
  context: TemplateContext,
): Promise<PreparedJobs> {
  const own = readSettings(gpu.id, ownSchema, provided.get('settings.json')!);
  const { settings, comparator } = own;
  const source = new TextDecoder().decode(kernel);
  const inexact = exactnessProblem(source, comparator);
  const problems = [...kernelProblems(source, settings), ...(inexact ? [inexact] : [])];
  if (problems.length > 0) throw new TemplateError(gpu.id, problems);
  const { cid } = await context.addFile(kernel);
  const data = provided.get('data.bin');
  const isPicture = settings.output.picture !== undefined;
  const map: JobSpecInput = {
    version: 1,
    name: own.name,
    ...kernelSpec(settings),
    module: cid,
    args: own.args.map(String),
    inputs: data ? [{ name: 'data.bin', cid: (await context.addFile(data)).cid, size: data.length }] : [],
    shards: own.shards,
    output: isPicture
      ? { name: 'picture.png', mediaType: 'image/png' }
      : { name: 'output.bin', mediaType: 'application/octet-stream' },
    limits: { ...limitsOf(settings), seconds: own.seconds },
    comparator,
    view: { kind: 'file' },
  };
  return { jobs: [map] };
}
