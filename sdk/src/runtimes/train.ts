/** What a spec of the train runtime says beyond what every job says: nothing for a module in wasm, passes for a kernel. docs/jobs.md, "The train job". */
import * as z from 'zod';

import type { Problem } from '../problems.ts';
import { wgslProblems, wgslSettingsSchema, type WgslSettings } from './wgsl.ts';

/** Schema of `settings` of the runtime `train`: absent for a module in wasm, those of a kernel where the module is one in WGSL. */
export const trainSettingsSchema = z.union([z.undefined(), wgslSettingsSchema]);

/** Settings of a training. */
export type TrainSettings = WgslSettings | undefined;

/** Where a spec contradicts its own settings, which are valid. */
export function trainProblems(spec: Parameters<typeof wgslProblems>[0]): Problem[] {
  return spec.settings === undefined ? [] : wgslProblems(spec);
}
