import { WasmRuntime, type WasmRuntimeOptions } from '../wasm/wasmRuntime.ts';
import { TRAIN_SELF_TEST } from './selfTest.ts';

/**
 * Runs shards of trainings: the machine of the wasm runtime, which gives the same bits everywhere, under a name of its own. So
 * nodes, prices and audits can tell training from other work, and the self-test is one of training.
 */
export function trainRuntime(options: Omit<WasmRuntimeOptions, 'name' | 'selfTest'> = {}): WasmRuntime {
  return new WasmRuntime({ ...options, name: 'train', selfTest: TRAIN_SELF_TEST });
}
