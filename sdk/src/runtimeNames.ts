/** Runtimes by name and number, apart from `terms.ts` so that pages that only name them load nothing else. */

/** Runtime names and their ids on chain. */
export const RUNTIMES = { wasm: 1, wgsl: 2, onnx: 3, render: 4, video: 5, train: 6, container: 7 } as const;

/** Name of a runtime. */
export type RuntimeName = keyof typeof RUNTIMES;

/** All runtimes, by their ids. */
export const RUNTIME_NAMES = Object.keys(RUNTIMES) as RuntimeName[];

/** Name of runtime `id`, or undefined when this version does not know it. */
export function runtimeName(id: number): RuntimeName | undefined {
  return RUNTIME_NAMES.find((name) => RUNTIMES[name] === id);
}

/** The set of runtimes as a node's registration says it: bit `id` for each. */
export function runtimeBits(names: Iterable<RuntimeName>): number {
  let bits = 0;
  for (const name of names) bits |= 1 << RUNTIMES[name];
  return bits;
}
