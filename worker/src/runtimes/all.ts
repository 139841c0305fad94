import { join } from 'node:path';

import type { NodeConfig } from '../config.ts';
import { OnnxRuntime } from './onnx/onnxRuntime.ts';
import type { Runtime } from './runtime.ts';
import { WasmRuntime } from './wasm/wasmRuntime.ts';

/** Every runtime that this software has, set up for one node. Which of them work on this machine their probes find out. */
export function allRuntimes({ isolation, warmProcesses, dataDir }: NodeConfig): readonly Runtime[] {
  const folder = join(dataDir, 'sandbox');
  const options = { ...(isolation === undefined ? {} : { isolation }), folder };
  return [new WasmRuntime({ ...options, warm: warmProcesses }), new OnnxRuntime(options)];
}
