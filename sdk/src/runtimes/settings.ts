/** What a spec says beyond the fields that every runtime has. A runtime that needs more brings a schema in a file of its own here. */
import type * as z from 'zod';

import type { Problem } from '../problems.ts';
import type { RuntimeName } from '../terms.ts';
import { onnxProblems, onnxSettingsSchema } from './onnx.ts';

/**
 * Schema of `spec.settings` by runtime. A runtime that is not here takes no settings. Values are what canonical dag-cbor can
 * hold in one way only: text, whole numbers, booleans, lists and maps of those. The schemas check and do not transform.
 */
export const SETTINGS: Readonly<Partial<Record<RuntimeName, z.ZodType>>> = {
  onnx: onnxSettingsSchema,
};

/** A spec as the rules between its parts may look at it. */
export type RuledSpec = Parameters<typeof onnxProblems>[0];

/** Rules between a runtime's settings and the rest of a spec, asked once the settings fit their schema. Paths are below `settings`. */
export const SETTINGS_RULES: Readonly<Partial<Record<RuntimeName, (spec: RuledSpec) => readonly Problem[]>>> = {
  onnx: onnxProblems,
};
