/** The container job: an image that a person brings, or one of our own whose only program draws a fractal, strip by strip. */
import { z } from 'zod';

import { comparatorSchema } from '../compare/comparator.ts';
import { drawFractal, type Fractal } from '../machine/programs.ts';
import { buildImage } from '../machine/imageTar.ts';
import { problemsOf, type Problem } from '../problems.ts';
import { containerSettingsSchema, type ContainerSettings } from '../runtimes/container.ts';
import type { JobSpecInput } from '../spec.ts';
import { fileProblems, readSettings } from './ownFiles.ts';
import { TemplateError, type PreparedJobs, type Template, type TemplateContext, type TemplateFile } from './types.ts';

const MIB = 1024 * 1024;
const MAX_SIDE = 8192;
const MAX_SHARDS = 16_384;
const MAX_SECONDS = 24 * 60 * 60;
/** Coordinates of the program have 28 bits after the point; options count millionths. */
const ONE = 2 ** 28;
const MILLION = 1_000_000;
const TURNS = 200;
/** Head and colours of the bitmap, which the first strip begins with. */
const HEAD_BYTES = 2_048;
/** Operations of one turn of the fractal's loop. */
const OPERATIONS = 20;

const whole = (least: number, most: number) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);

const optionsSchema = z
  .strictObject({
    width: whole(4, MAX_SIDE).multipleOf(4, 'must be a multiple of 4').default(640).describe('Width of the picture'),
    height: whole(1, MAX_SIDE).default(400).describe('Height of the picture, in pixels'),
    shards: whole(1, MAX_SHARDS).default(8).describe('Strips of the picture, each a container'),
    centerX: whole(-2_500_000, 2_500_000).default(-700_000).describe('Where to look, across, in millionths'),
    centerY: whole(-2_500_000, 2_500_000).default(0).describe('Where to look, upwards, in millionths'),
    span: whole(100, 5_000_000).default(3_200_000).describe('How much of the plane the width covers, in millionths'),
  })
  .check(({ value: { height, shards }, issues }) => {
    if (height % shards === 0) return;
    issues.push({ code: 'custom', path: ['shards'], message: `must divide the height ${height}`, input: shards });
  });

type ContainerOptions = z.output<typeof optionsSchema>;

/** What `settings.json` says of an image that somebody brought. */
const ownSchema = z.strictObject({
  name: z.string().min(1, 'must not be empty').max(120, 'must be at most 120 characters').default('Container'),
  shards: whole(1, MAX_SHARDS).default(1),
  args: z.array(z.string()).max(64, 'must be at most 64 words').default([]),
  seconds: whole(1, MAX_SECONDS).default(600),
  memoryBytes: whole(8 * MIB, 4096 * MIB).default(512 * MIB),
  outputBytes: whole(0, 2048 * MIB).default(64 * MIB),
  output: z
    .strictObject({ name: z.string(), mediaType: z.string() })
    .default({ name: 'output.bin', mediaType: 'application/octet-stream' }),
  comparator: comparatorSchema.default({ kind: 'exact' }),
  settings: containerSettingsSchema,
});

const files: readonly TemplateFile[] = [
  {
    name: 'image.tar',
    description: 'An image as docker save or podman save writes it. Without one ours draws a fractal.',
    accept: ['.tar'],
    maxBytes: 1024 * MIB,
  },
  {
    name: 'settings.json',
    description: 'The image’s id, the command and the limits: docs/jobs.md says what they are.',
    accept: ['.json'],
    maxBytes: MIB,
  },
  { name: 'data.bin', description: 'What it finds at /in/data.bin.', accept: ['.bin'], maxBytes: 512 * MIB },
];

/** Runs a program in containers, one for each shard. */
export const container: Template = {
  id: 'container',
  title: 'Run a container',
  description: 'Runs an image of yours without a network, or one of ours that draws a fractal.',
  options: optionsSchema,
  files,

  async prepare(given, provided, context): Promise<PreparedJobs> {
    const parsed = optionsSchema.safeParse(given ?? {});
    const problems = [...(parsed.success ? [] : problemsOf(parsed.error)), ...problemsOfFiles(provided)];
    if (!parsed.success || problems.length > 0) throw new TemplateError(container.id, problems);
    return provided.has('settings.json') ? ownJob(provided, context) : fractalJob(parsed.data, context);
  },
};

function problemsOfFiles(provided: ReadonlyMap<string, Uint8Array>): Problem[] {
  const problems = fileProblems(files, provided);
  for (const name of ['image.tar', 'data.bin']) {
    if (provided.has(name) && !provided.has('settings.json'))
      problems.push({ path: 'settings.json', sentence: `is missing: it says what is done with ${name}` });
  }
  return problems;
}

/** The picture's part of the plane, in the program's numbers. */
export function fractalOf({ width, height, shards, centerX, centerY, span }: ContainerOptions): Fractal {
  const fixed = (millionths: number): number => Math.round((millionths * ONE) / MILLION);
  const step = Math.max(1, Math.round(fixed(span) / width));
  return {
    ...{ width, height, rows: height / shards, step, turns: TURNS },
    left: fixed(centerX) - Math.round((step * width) / 2),
    top: fixed(centerY) + Math.round((step * height) / 2),
  };
}

async function fractalJob(options: ContainerOptions, context: TemplateContext): Promise<PreparedJobs> {
  const { width, height, shards } = options;
  const fractal = fractalOf(options);
  const { tar, id } = buildImage([{ name: 'draw', bytes: drawFractal(fractal), mode: 0o755 }]);
  const { cid } = await context.addFile(tar);
  const units = Math.ceil((width * fractal.rows * TURNS * OPERATIONS) / MILLION);
  const settings: ContainerSettings = { image: id, command: ['/draw', '{shard}'], processes: 8, units };
  const job: JobSpecInput = {
    version: 1,
    name: `Fractal in containers ${width} × ${height}`,
    runtime: 'container',
    settings: settings as unknown as Record<string, unknown>,
    module: cid,
    args: [],
    inputs: [],
    shards,
    output: { name: 'fractal.bmp', mediaType: 'image/bmp' },
    limits: { memoryBytes: 32 * MIB, units, outputBytes: HEAD_BYTES + width * fractal.rows, seconds: 120 },
    comparator: { kind: 'exact' },
    view: { kind: 'file' },
  };
  return { jobs: [job] };
}

async function ownJob(provided: ReadonlyMap<string, Uint8Array>, context: TemplateContext): Promise<PreparedJobs> {
  const { settings, seconds, memoryBytes, outputBytes, ...own } = readSettings(
    container.id,
    ownSchema,
    provided.get('settings.json')!,
  );
  const [image, data] = [provided.get('image.tar'), provided.get('data.bin')];
  const job: JobSpecInput = {
    version: 1,
    ...own,
    runtime: 'container',
    settings: settings as unknown as Record<string, unknown>,
    ...(image ? { module: (await context.addFile(image)).cid } : {}),
    inputs: data ? [{ name: 'data.bin', cid: (await context.addFile(data)).cid, size: data.length }] : [],
    limits: { memoryBytes, units: settings.units, outputBytes, seconds },
    view: { kind: 'file' },
  };
  return { jobs: [job] };
}
