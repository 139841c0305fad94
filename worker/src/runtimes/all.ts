import { join } from 'node:path';

import type { NodeConfig } from '../config.ts';
import type { Runtime } from './runtime.ts';
import { WasmRuntime } from './wasm/wasmRuntime.ts';
import { WgslRuntime } from './wgsl/wgslRuntime.ts';

/** Every runtime that this software has, set up for one node. Which of them work on this machine their probes find out. */
export function allRuntimes({ isolation, warmProcesses, dataDir, gpuDriver }: NodeConfig): readonly Runtime[] {
  const common = { ...(isolation === undefined ? {} : { isolation }), folder: join(dataDir, 'sandbox') };
  return [
    new WasmRuntime({ ...common, warm: warmProcesses }),
    ...(gpuDriver === 'none'
      ? []
      : [new WgslRuntime({ ...common, ...(gpuDriver === undefined ? {} : { driver: gpuDriver }) })]),
  ];
}
