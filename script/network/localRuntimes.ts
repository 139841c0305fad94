import type { RuntimeName } from '@dpu/sdk/terms';

import { hasTool } from '../tools.ts';

/** Runtimes that the nodes of a local network are registered for: those that work on every machine, and what this one has. */
export function localRuntimes(): readonly RuntimeName[] {
  const gpu: RuntimeName[] = process.platform === 'linux' && hasTool('vulkan') ? ['wgsl'] : [];
  const video: RuntimeName[] = process.platform === 'linux' && hasTool('ffmpeg') ? ['video'] : [];
  return ['wasm', 'train', 'onnx', ...gpu, ...video];
}
