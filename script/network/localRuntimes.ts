import type { RuntimeName } from '@dpu/sdk/terms';

/** Runtimes that the nodes of a local network are registered for: those that work on every machine, and what this one has. */
export function localRuntimes(): readonly RuntimeName[] {
  return ['wasm', 'train', 'onnx'];
}
