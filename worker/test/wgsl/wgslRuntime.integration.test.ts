import type { WgslSettings } from '@dpu/sdk/runtimes/wgsl';
import { afterAll, describe, expect, test } from 'vitest';
import { converse } from '../../src/runtimes/converse.ts';
import type { ShardRequest } from '../../src/runtimes/runtime.ts';
import { Answer } from '../../src/runtimes/answer.ts';
import { WgslRuntime } from '../../src/runtimes/wgsl/wgslRuntime.ts';
import { ISOLATIONS, type Isolation } from '../../src/sandbox/isolation.ts';
import { kernelDriver, startAsKernels } from '../escapes/run.ts';
import { failure } from '../wasm/shardRequest.ts';
import { diffusion, FRACTAL, matmul, oneBuffer, request } from './kernels.ts';
import { scramble, spread, turnsOf } from './reference.ts';

const MIB = 1024 * 1024;
/** Kernels that try to exhaust the machine, one after the other; the variable RUNS sets more. */
const BOMBS = Number(process.env['RUNS'] ?? 10);

const made = new WgslRuntime();
const probed = await made.probe();
if (!probed.available) console.warn(`No GPU kernel is tested on this machine. ${probed.detail}`);
afterAll(() => made.close());
const onGpu = test.skipIf(!probed.available);

const words = (bytes: Uint8Array): Uint32Array => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
const bytesOf = (array: Int32Array | Uint32Array): Uint8Array => new Uint8Array(array.buffer);
const run = async (asked: ShardRequest): Promise<Uint32Array> => words(Uint8Array.from((await made.run(asked)).output));

onGpu('says how far it is between the dispatches that it hands over at once', async () => {
  const heard: number[] = [];
  const once = oneBuffer('data[id.x] += 1u;');
  const one = once.settings as WgslSettings;
  const settings = { ...one, passes: one.passes.map((pass) => ({ ...pass, repeat: 3_000 })) };
  await made.run(request({ ...once, settings }), { onProgress: (share) => heard.push(share) });
  expect(heard.length).toBeGreaterThan(1);
  expect(heard).toEqual([...new Set(heard)].sort((a, b) => a - b));
  expect(heard.at(-1)).toBeLessThanOrEqual(1);
});

onGpu('the probe says what the adapter is, and whether it is one in software', async () => {
  const { description, software } = await made.adapter();
  expect(probed).toMatchObject({ available: true, software });
  expect(probed.detail).toMatch(
    software ? `${description}, a software adapter: kernels run on the processor; ` : `${description}, a GPU; `,
  );
});

test('a machine without a driver says so', async () => {
  const none = new WgslRuntime({ driver: '/nowhere/icd.json' });
  expect(await none.probe()).toMatchObject({
    available: false,
    isolation: 'none',
    detail: expect.stringMatching(
      /^GPU kernels cannot be run here: no driver works\. \/nowhere\/icd\.json cannot be read/,
    ),
  });
});

describe('kernels of whole numbers agree with plain JavaScript bit by bit', () => {
  onGpu('a chain of hashes on 16,384 lanes', async () => {
    const kernel = oneBuffer(
      `var x = id.x ^ job.args[0].y; for (var i = 0u; i < job.args[0].x; i += 1u) {
        let s = x * 747796405u + 2891336453u; let w = ((s >> ((s >> 28u) + 4u)) ^ s) * 277803737u; x = (w >> 22u) ^ w;
      } data[id.x] = x;`,
      { words: 16_384 },
    );
    const found = await run(request(kernel, { args: ['64', '12345'] }));
    const expected = Uint32Array.from({ length: 16_384 }, (_, lane) => {
      let x = (lane ^ 12_345) >>> 0;
      for (let i = 0; i < 64; i += 1) x = scramble(x);
      return x;
    });
    expect(found).toEqual(expected);
  });

  onGpu('a product of matrices by workgroups that share memory', async () => {
    const size = 64;
    const numbers = Int32Array.from({ length: 2 * size * size }, (_, i) => scramble(i) | 0);
    const inputs = [{ name: 'matrices', bytes: bytesOf(numbers) }];
    const found = await run(request(matmul(size), { args: [String(size)], inputs }));
    const expected = Uint32Array.from({ length: size * size }, (_, i) => {
      let sum = 0;
      for (let k = 0; k < size; k += 1) {
        sum += Math.imul(numbers[Math.floor(i / size) * size + k]!, numbers[size * size + k * size + (i % size)]!);
        sum |= 0;
      }
      return sum;
    });
    expect(found).toEqual(expected);
  });

  onGpu('a hundred steps in fixed point on two buffers that change places', async () => {
    let cells = Int32Array.from({ length: 256 }, (_, i) => (scramble(i) & 0xffffff) - 0x800000);
    const inputs = [{ name: 'cells', bytes: bytesOf(cells) }];
    const found = await run(request(diffusion(256, 100), { args: ['11111'], inputs }));
    for (let step = 0; step < 100; step += 1) cells = Int32Array.from(spread(cells, 11_111, step));
    expect(found).toEqual(words(bytesOf(cells)));
  });

  onGpu('the turns of the template’s fractal', async () => {
    const [side, sample, left, top] = [32, 200_000, -50_307_469, 9_072_994];
    const source = FRACTAL.toString().replace(
      'sums[at] += vec4<u32>(colour * colour, 0u)',
      'sums[at] = vec4<u32>(turns)',
    );
    const bind = [{ binding: 1, buffer: 'sums', access: 'read_write' as const }];
    const both = [...bind, { binding: 2, buffer: 'pixels', access: 'read_write' as const }];
    const settings: WgslSettings = {
      buffers: [
        { name: 'sums', bytes: 16 * side * side },
        { name: 'pixels', bytes: 4 * side * side },
      ],
      passes: [{ entry: 'sample_tile', size: [8, 8, 1], groups: [4, 4, 1], bind: both }],
      output: { buffers: ['sums'] },
    };
    const args = [1, side, side, left, top, sample, 1, 300].map(String);
    const found = await run(request({ module: Buffer.from(source), settings }, { args }));
    const expected = Array.from({ length: side * side }, (_, i) =>
      turnsOf(left + (i % side) * sample, top - Math.floor(i / side) * sample, 300),
    );
    expect(Array.from({ length: side * side }, (_, i) => found[4 * i])).toEqual(expected);
    expect(new Set(expected).size, 'points that leave at many different turns').toBeGreaterThan(20);
  });

  onGpu('shard, shards, round, step, seed and arguments arrive where the ABI says', async () => {
    const kernel = oneBuffer(`if id.x == 0u {
      let at = 2u * (job.round * 2u + job.step);
      data[at] = job.round; data[at + 1u] = job.step;
      data[16] = job.shard; data[17] = job.shards; data[18] = job.seed[0].x; data[19] = job.seed[1].w;
      data[20] = job.args[0].x; data[21] = job.args[15].w;
    }`);
    const settings = kernel.settings as WgslSettings;
    const repeated = { ...settings, passes: [{ ...settings.passes[0]!, repeat: 2 }], rounds: 3 };
    const args = ['-1', ...Array.from({ length: 62 }, () => '0'), '4294967295'];
    const seed = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
    const found = await run(request({ ...kernel, settings: repeated }, { args, seed, shard: 4, shards: 9 }));
    expect([...found.subarray(0, 12)]).toEqual([0, 0, 0, 1, 1, 0, 1, 1, 2, 0, 2, 1]);
    expect([...found.subarray(16, 22)]).toEqual([4, 9, 0x04030201, 0x201f1e1d, 0xffffffff, 0xffffffff]);
  });
});

describe('what a kernel may not do', () => {
  onGpu('a runaway shader is ended, and the next shard passes', async () => {
    const runaway = oneBuffer('loop { data[lane] += 1u; if data[63] == 7u && data[62] == 9u { break; } }');
    expect(await failure(made.run(request(runaway, {}, { seconds: 1 })))).toBe(
      'timeout (machine): The shard was not done after the 1 seconds its spec allows.',
    );
    expect((await run(request(oneBuffer('data[id.x] = id.x + 1u;'))))[63]).toBe(64);
  });

  onGpu('reading and writing outside of its buffers reaches nothing', async () => {
    const kernel = oneBuffer(
      `for (var i = 0u; i < 32u; i += 1u) { data[(1u << i) + 63u] = 0xdeadbeefu; behind[id.x + (1u << i) * 64u] = data[0xffffffffu - i]; }
       data[id.x] = select(0u, 1u, secret[id.x] == 5u);`,
      {
        fields: `@group(0) @binding(2) var<storage, read_write> behind: array<u32>;
          @group(0) @binding(3) var<storage, read> secret: array<u32>;`,
      },
    );
    const settings = kernel.settings as WgslSettings;
    const [pass] = settings.passes;
    const guarded: WgslSettings = {
      ...settings,
      buffers: [
        ...settings.buffers,
        { name: 'behind', bytes: 256 },
        { name: 'secret', bytes: 256, input: { name: 'fives' } },
      ],
      passes: [
        {
          ...pass!,
          bind: [
            ...pass!.bind,
            { binding: 2, buffer: 'behind', access: 'read_write' },
            { binding: 3, buffer: 'secret', access: 'read' },
          ],
        },
      ],
      output: { buffers: ['secret'] },
    };
    const inputs = [{ name: 'fives', bytes: bytesOf(new Uint32Array(64).fill(5)) }];
    expect(await run(request({ ...kernel, settings: guarded }, { inputs }))).toEqual(new Uint32Array(64).fill(5));
  });

  const bind = (kernel: Pick<ShardRequest, 'module' | 'settings'>, access: 'read' | 'read_write') => {
    const settings = kernel.settings as WgslSettings;
    const [pass] = settings.passes;
    return { ...kernel, settings: { ...settings, passes: [{ ...pass!, bind: [{ ...pass!.bind[0]!, access }] }] } };
  };

  const refused: [string, ShardRequest, RegExp][] = [
    [
      'a word of another language',
      request(oneBuffer('let x = 1u; x = 2u;')),
      /^module-rejected \(job\): The kernel was refused: .*x/,
    ],
    [
      'floats where there are none',
      request(oneBuffer('var x: u32 = 1.5f;')),
      /^module-rejected \(job\): The kernel was refused: the type of `x` is expected to be `u32`, but got `f32`/,
    ],
    [
      'an extension',
      request({ ...oneBuffer(''), module: Buffer.concat([Buffer.from('enable f16;\n'), oneBuffer('').module]) }),
      /^module-rejected \(job\): The kernel was refused: the `f16` extension is not supported/,
    ],
    [
      'writing to what its settings let it read',
      request(bind(oneBuffer('data[0] = 1u;'), 'read')),
      /^module-rejected \(job\): The kernel was refused: /,
    ],
    [
      'bytes that are no text',
      request({ ...oneBuffer(''), module: Buffer.concat([oneBuffer('').module, Buffer.of(0xff)]) }),
      /^module-rejected \(job\): The kernel was refused: the module is not UTF-8$/,
    ],
    [
      'bad words before they are paid for',
      request(oneBuffer('let x: i32 = 1u;', { words: 65_536 }), {}, { units: 1 }),
      /^module-rejected \(job\): The kernel was refused: /,
    ],
    [
      'more units than its spec allows',
      request(oneBuffer('loop { data[lane] += 1u; }', { words: 65_536 }), {}, { units: 65 }),
      /^out-of-units \(job\): The shard needs 66 units, its spec allows 65\.$/,
    ],
    [
      'a buffer beyond the bound',
      request(oneBuffer('', { words: 32 * MIB + 1 })),
      /^module-rejected \(job\): The shard cannot be run: its settings are not valid: buffers\[0\]\.bytes must be at most 134217728/,
    ],
    [
      'buffers beyond its memory',
      request(oneBuffer(''), {}, { memoryBytes: MIB }),
      /^out-of-memory \(job\): The shard's buffers need 4194864 bytes, its spec allows 1048576\.$/,
    ],
    [
      'more output than its spec allows',
      request(oneBuffer('', { words: 64 }), {}, { outputBytes: 255 }),
      /^output-limit \(job\): The shard's output has 256 bytes, its spec allows 255\.$/,
    ],
  ];
  for (const [what, asked, sentence] of refused) {
    onGpu(`${what} is refused with a reason`, async () => {
      expect(await failure(made.run(asked))).toMatch(sentence);
    });
  }

  onGpu('a shard ends when the node asks for it', async () => {
    const stop = new AbortController();
    const running = failure(made.run(request(oneBuffer('loop { data[lane] += 1u; }')), { signal: stop.signal }));
    stop.abort();
    expect(await running).toBe('killed (machine): The shard was ended because the node asked for it.');
  });

  onGpu(
    `${BOMBS} kernels that eat what they can leave the node as it was`,
    { timeout: 30_000 + 3_000 * BOMBS },
    async () => {
      const many: WgslSettings = {
        buffers: Array.from({ length: 8 }, (_, i) => ({ name: `b${i}`, bytes: 32 * MIB })),
        passes: [
          {
            entry: 'main',
            size: [64, 1, 1],
            groups: [1, 1, 1],
            bind: [{ binding: 1, buffer: 'b0', access: 'read_write' }],
          },
        ],
        output: { buffers: ['b7'] },
      };
      const functions = Array.from({ length: 3_000 }, (_, i) => `fn f${i}(x: u32) -> u32 { return x * ${i}u; }`).join(
        ' ',
      );
      const bombs = [
        // Time, memory of the device, the compiler, a flood of output, threads that wait for each other's words.
        request(oneBuffer('loop { data[lane] += 1u; }'), {}, { seconds: 0.5 }),
        request(
          { ...oneBuffer('data[0] = 1u;'), settings: many },
          {},
          { memoryBytes: 300 * MIB, outputBytes: 40 * MIB },
        ),
        request(oneBuffer('data[0] = f2999(1u);', { fields: functions }), {}, { seconds: 20 }),
        request(oneBuffer('', { words: 2 * MIB }), {}, { seconds: 20 }),
        request(oneBuffer('loop { if data[63u - lane] == lane + 1u { break; } }'), {}, { seconds: 0.5 }),
      ];
      const ends = new Set<string>();
      for (let i = 0; i < BOMBS; i += 1) ends.add((await failure(made.run(bombs[i % bombs.length]!))).split(':')[0]!);
      expect([...ends].sort()).toEqual(['ok', 'timeout (machine)']);
      expect((await run(request(oneBuffer('data[id.x] = id.x;'))))[5]).toBe(5);
      expect(process.memoryUsage().rss).toBeLessThan(1500 * MIB);
    },
  );
});

describe.each(ISOLATIONS)('%s', (isolation: Isolation) => {
  onGpu('a child that floods is ended at the cap', async () => {
    const { child, close } = await startAsKernels(isolation, kernelDriver()!, new URL('./flood.ts', import.meta.url));
    const ending = converse(child, [], new Answer(MIB), { seconds: 20 }).then(
      () => 'ok',
      (error: Error) => error.message,
    );
    expect(await ending).toBe('The shard wrote more than the 1048576 bytes its spec allows.');
    await close();
  });

  onGpu('computes the known answer', async () => {
    const runtime = new WgslRuntime({ isolation });
    expect(await runtime.probe()).toMatchObject({ available: true, isolation });
    await runtime.close();
  });
});
