/** What a spec of the container runtime says: which image is run, and how. docs/jobs.md has the format. */
import * as z from 'zod';

import type { Problem } from '../problems.ts';

const MIB = 1024 * 1024;
/** Caps of a container. */
export const CONTAINER_LIMITS = {
  words: 64,
  environment: 64,
  cpus: 64,
  processes: 4_096,
  scratchBytes: 64 * 1024 * MIB,
  leastMemoryBytes: 8 * MIB,
} as const;

const whole = (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  z.int('must be a whole number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);
const word = z
  .string()
  .max(4_096, 'must be at most 4096 characters')
  .refine((text) => text.isWellFormed() && !text.includes('\0'), 'must be Unicode without a zero character');

/** Schema of `settings` of the runtime `container`. What may be absent has the default that its line names. */
export const containerSettingsSchema = z.strictObject({
  /** The image's id: the digest of its configuration. A name or a tag may mean another image tomorrow, so neither is taken. */
  image: z
    .string()
    .regex(
      /^sha256:[0-9a-f]{64}$/,
      'must be an image id, sha256: and 64 hexadecimal digits; names and tags are not taken',
    ),
  /** The program and its first words; the spec's `args` follow. `{shard}` and `{shards}` in a word of either become numbers. */
  command: z
    .array(word)
    .min(1, 'must name a program')
    .max(CONTAINER_LIMITS.words, `must be at most ${CONTAINER_LIMITS.words} words`),
  /** Variables beside those of the image, `NAME=value`. */
  environment: z.exactOptional(
    z
      .array(word.regex(/^[A-Za-z_][A-Za-z0-9_]*=/, 'must be NAME=value'))
      .max(CONTAINER_LIMITS.environment, `must be at most ${CONTAINER_LIMITS.environment} variables`),
  ),
  /** Processors that it may keep busy. Default 1. */
  cpus: z.exactOptional(whole(1, CONTAINER_LIMITS.cpus)),
  /** Processes and threads. Default 64. */
  processes: z.exactOptional(whole(1, CONTAINER_LIMITS.processes)),
  /** Size of `/tmp`, the only place that can be written; its content is memory and counts as such. Default 16 MiB. */
  scratchBytes: z.exactOptional(whole(65_536, CONTAINER_LIMITS.scratchBytes)),
  /** Whether it needs a graphics card. Default false. */
  gpu: z.exactOptional(z.boolean()),
  /** What one shard counts as. Nobody can count a stranger's instructions in a container, so its author says. */
  units: whole(1),
});

/** Settings of the container runtime. */
export type ContainerSettings = z.output<typeof containerSettingsSchema>;

interface RuledSpec {
  readonly settings?: unknown;
  readonly limits: { readonly units: number; readonly memoryBytes: number };
}

/** What is wrong between the settings and the rest of a spec. Settings must fit their schema. */
export function containerProblems({ settings, limits }: RuledSpec): Problem[] {
  const { units } = settings as ContainerSettings;
  const problems: Problem[] = [];
  if (units > limits.units)
    problems.push({ path: 'settings.units', sentence: `must be at most limits.units, ${limits.units}` });
  if (limits.memoryBytes < CONTAINER_LIMITS.leastMemoryBytes) {
    const sentence = `must be at least ${CONTAINER_LIMITS.leastMemoryBytes}: engines start nothing with less`;
    problems.push({ path: 'limits.memoryBytes', sentence });
  }
  return problems;
}
