import { join } from 'node:path';

import type { NodeConfig } from '../config.ts';
import type { ControlGroups } from '../sandbox/groups.ts';
import { ContainerRuntime } from './container/containerRuntime.ts';
import { OnnxRuntime } from './onnx/onnxRuntime.ts';
import { RenderRuntime } from './render/renderRuntime.ts';
import type { Runtime } from './runtime.ts';
import { TrainRuntime } from './train/trainRuntime.ts';
import { VideoRuntime } from './video/videoRuntime.ts';
import { WasmRuntime } from './wasm/wasmRuntime.ts';
import { WgslRuntime } from './wgsl/wgslRuntime.ts';

/** Every runtime that this software has, set up for one node; `groups`: where shards get their control groups from. Which of them work on this machine their probes find out. */
export function allRuntimes(config: NodeConfig, groups?: ControlGroups): readonly Runtime[] {
  const { isolation, warmProcesses, dataDir, gpuDriver, containerEngine, slots, cores } = config;
  const options = {
    ...(isolation === undefined ? {} : { isolation }),
    ...(groups === undefined ? {} : { groups }),
    folder: join(dataDir, 'sandbox'),
  };
  const gpu = { ...options, ...(gpuDriver === undefined ? {} : { driver: gpuDriver }) };
  const kernels = gpuDriver === 'none' ? undefined : new WgslRuntime(gpu);
  return [
    // A training shard takes far longer than the start of its process, so none is kept ready for it.
    new WasmRuntime({ ...options, warm: warmProcesses }),
    new TrainRuntime({ ...options, ...(kernels && { kernels }) }),
    new OnnxRuntime(gpu),
    new VideoRuntime(options),
    new RenderRuntime({ ...options, threads: coresOfASlot({ slots, cores }) }),
    ...(containerEngine === 'none' ? [] : [new ContainerRuntime({ folder: options.folder, socket: containerEngine })]),
    ...(kernels ? [kernels] : []),
  ];
}

/** Cores that one shard may keep busy when all slots work: what a program gets that can use several. */
export function coresOfASlot({ slots, cores }: Pick<NodeConfig, 'slots' | 'cores'>): number {
  return Math.max(1, Math.floor(cores / slots));
}
