/** What a spec says beyond the fields that every runtime has. A runtime that needs more brings a schema in a file of its own here. */
import type * as z from 'zod';

import type { Problem } from '../problems.ts';
import type { JobSpec } from '../spec.ts';
import type { RuntimeName } from '../terms.ts';
import { containerProblems, containerSettingsSchema } from './container.ts';
import { onnxProblems, onnxSettingsSchema } from './onnx.ts';
import { renderProblems, renderSettingsSchema } from './render.ts';
import { trainProblems, trainSettingsSchema } from './train.ts';
import { videoProblems, videoSettingsSchema } from './video.ts';
import { wgslProblems, wgslSettingsSchema } from './wgsl.ts';

/**
 * Schema of `spec.settings` by runtime. A runtime that is not here takes no settings. Values are what canonical dag-cbor can
 * hold in one way only: text, whole numbers, booleans, lists and maps of those. The schemas check and do not transform.
 */
export const SETTINGS: Readonly<Partial<Record<RuntimeName, z.ZodType>>> = {
  container: containerSettingsSchema,
  onnx: onnxSettingsSchema,
  render: renderSettingsSchema,
  train: trainSettingsSchema,
  video: videoSettingsSchema,
  wgsl: wgslSettingsSchema,
};

/** What settings that are valid ask of the rest of the spec, by runtime: every place where the two contradict each other. Paths are of the spec. */
export const FITTING: Readonly<Partial<Record<RuntimeName, (spec: JobSpec) => readonly Problem[]>>> = {
  container: containerProblems,
  onnx: onnxProblems,
  render: renderProblems,
  train: trainProblems,
  video: videoProblems,
  wgsl: wgslProblems,
};

/**
 * Whether a spec of a runtime has a `module`. `absent`: its settings are all the code there is. `free`: its settings say which code it is by a
 * digest, and nodes may have that already. A runtime that is not here needs one, unless `moduleFile` names another file.
 */
export const MODULES: Readonly<Partial<Record<RuntimeName, 'absent' | 'free'>>> = {
  container: 'free',
  video: 'absent',
};
