/** Shards per minute through the node's own books, by the number of its slots. */
import { judge, type BenchResult } from '../../../script/bench/lib/report.ts';
import { needsOf } from '../../../worker/src/resources/needs.ts';
import { Resources } from '../../../worker/src/resources/resources.ts';
import type { ShardRequest } from '../../../worker/src/runtimes/runtime.ts';
import type { WasmRuntime } from '../../../worker/src/runtimes/wasm/wasmRuntime.ts';

const SLOTS = [1, 2, 4] as const;

/** Runs `count` shards with one, two and four slots; the baseline is one slot. */
export async function bySlots(runtime: WasmRuntime, request: ShardRequest, count: number): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const slots of SLOTS) {
    const needs = needsOf(request.limits.memoryBytes);
    const resources = new Resources(
      { capacity: { slots, cores: slots, memoryBytes: slots * needs.memoryBytes, vramBytes: 0 } },
      { nowSeconds: () => performance.now() / 1_000 },
    );
    const hold = resources.hold(count, { needs, deadline: Infinity, seconds: 1 });
    const signal = new AbortController().signal;
    const from = performance.now();
    await Promise.all(Array.from({ length: count }, () => hold.run(() => runtime.run(request), signal)));
    const value = (count / (performance.now() - from)) * 60_000;
    const [one] = results;
    results.push(
      judge({
        ...{
          name: `128 x 128 tiles of 4 samples, ${slots} ${slots === 1 ? 'slot' : 'slots'}`,
          value,
          unit: 'shards/min',
        },
        ...(one ? { baseline: one.value } : {}),
      }),
    );
  }
  return results;
}
