import { WgslRuntime } from '../../worker/src/runtimes/wgsl/wgslRuntime.ts';
import type { ShardRequest } from '../../worker/src/runtimes/runtime.ts';
import { matmul, oneBuffer, request } from '../../worker/test/wgsl/kernels.ts';
import { scramble } from '../../worker/test/wgsl/reference.ts';
import { judge, report, type BenchResult } from '../../script/bench/lib/report.ts';

/**
 * What a kernel brings on this machine's adapter, against the same in plain JavaScript on one core. Both take turns, results are
 * compared, and numbers are medians. Of the shard only the time inside the process counts: compiled, dispatched and read
 * back; a line of its own says what a process costs. `--json` prints JSON, `--quick` does less work.
 */

const quick = process.argv.includes('--quick');
const RUNS = quick ? 3 : 5;
const LANES = 262_144;
const HASHES = quick ? 32 : 256;
const SIDE = quick ? 256 : 512;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const words = (bytes: Uint8Array): Uint32Array => new Uint32Array(Uint8Array.from(bytes).buffer);

const hash: ShardRequest = request(
  oneBuffer(
    `var x = id.x; for (var i = 0u; i < job.args[0].x; i += 1u) {
      let s = x * 747796405u + 2891336453u; let w = ((s >> ((s >> 28u) + 4u)) ^ s) * 277803737u; x = (w >> 22u) ^ w;
    } data[id.x] = x;`,
    { words: LANES },
  ),
  { args: [String(HASHES)] },
);
const numbers = Int32Array.from({ length: 2 * SIDE * SIDE }, (_, i) => scramble(i) | 0);
const product: ShardRequest = request(matmul(SIDE), {
  args: [String(SIDE)],
  inputs: [{ name: 'matrices', bytes: new Uint8Array(numbers.buffer) }],
});

function plainHash(): Uint32Array {
  return Uint32Array.from({ length: LANES }, (_, lane) => {
    let x = lane;
    for (let i = 0; i < HASHES; i += 1) x = scramble(x);
    return x;
  });
}

function plainProduct(): Uint32Array {
  const result = new Int32Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y += 1) {
    for (let k = 0; k < SIDE; k += 1) {
      const factor = numbers[y * SIDE + k]!;
      for (let x = 0; x < SIDE; x += 1) {
        result[y * SIDE + x]! += Math.imul(factor, numbers[SIDE * SIDE + k * SIDE + x]!);
      }
    }
  }
  return new Uint32Array(result.buffer);
}

const runtime = new WgslRuntime();
async function against(
  name: string,
  shard: ShardRequest,
  plain: () => Uint32Array,
  work: number,
): Promise<BenchResult[]> {
  const [inside, whole, bare] = [[] as number[], [] as number[], [] as number[]];
  for (let i = 0; i < RUNS; i += 1) {
    const started = performance.now();
    const expected = plain();
    bare.push(performance.now() - started);
    const { output, childMs, wallMs } = await runtime.run(shard);
    inside.push(childMs!.compile + childMs!.run);
    whole.push(wallMs);
    if (!Buffer.from(words(output).buffer).equals(Buffer.from(expected.buffer))) throw new Error(`${name}: wrong`);
  }
  const rate = (ms: number): number => work / ms / 1_000;
  const baseline = rate(median(bare));
  return [
    judge({ name, value: rate(median(inside)), unit: 'million/s', baseline }),
    judge({ name: `${name}, with the process`, value: rate(median(whole)), unit: 'million/s', baseline }),
  ];
}

try {
  const probe = await runtime.probe();
  if (!probe.available) {
    report(probe.detail, []);
  } else {
    report(probe.detail, [
      ...(await against('hashes', hash, plainHash, LANES * HASHES)),
      ...(await against('products of a matrix product', product, plainProduct, SIDE ** 3)),
    ]);
  }
} finally {
  await runtime.close();
}
