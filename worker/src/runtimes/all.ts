import { join } from 'node:path';

import type { NodeConfig } from '../config.ts';
import { OnnxRuntime } from './onnx/onnxRuntime.ts';
import type { Runtime } from './runtime.ts';
import { trainRuntime } from './train/trainRuntime.ts';
import { WasmRuntime } from './wasm/wasmRuntime.ts';

/** Every runtime that this software has, set up for one node. Which of them work on this machine their probes find out. */
export function allRuntimes({ isolation, warmProcesses, dataDir }: NodeConfig): readonly Runtime[] {
  const options = { ...(isolation === undefined ? {} : { isolation }), folder: join(dataDir, 'sandbox') };
  // A training shard takes far longer than the start of its process, so none is kept ready for it.
  return [new WasmRuntime({ ...options, warm: warmProcesses }), trainRuntime(options), new OnnxRuntime(options)];
}
