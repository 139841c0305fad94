import { CID } from 'multiformats/cid';
import { describe, expect, test } from 'vitest';

import { problemsOf } from '../problems.ts';
import { decodeSpec, encodeSpec, SpecError, type JobSpecInput } from '../spec.ts';
import {
  argumentWord,
  pictureBytes,
  wgslMemory,
  wgslOutputBytes,
  wgslSettingsSchema,
  wgslUnits,
  type WgslSettings,
} from './wgsl.ts';

const FILE = CID.parse('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku');

/** Two buffers of 4 KiB and one pass of 1,024 invocations. */
function settings(over: Partial<WgslSettings> = {}): WgslSettings {
  return {
    buffers: [
      { name: 'a', bytes: 4096 },
      { name: 'b', bytes: 4096 },
    ],
    passes: [pass()],
    output: { buffers: ['b'] },
    ...over,
  };
}

function pass(over: Partial<WgslSettings['passes'][number]> = {}): WgslSettings['passes'][number] {
  return {
    entry: 'main',
    size: [64, 1, 1],
    groups: [16, 1, 1],
    bind: [
      { binding: 1, buffer: 'a', access: 'read' },
      { binding: 2, buffer: 'b', access: 'read_write' },
    ],
    ...over,
  };
}

function problems(value: unknown): string[] {
  const parsed = wgslSettingsSchema.safeParse(value, { reportInput: true });
  return parsed.success ? [] : problemsOf(parsed.error).map(({ path, sentence }) => `${path} ${sentence}`);
}

describe('settings', () => {
  test('that are right pass as they are', () => {
    const whole = settings({
      passes: [pass({ repeat: 3, swap: [['a', 'b']] }), pass()],
      rounds: 4,
      buffers: [
        { name: 'a', bytes: 4096, input: { name: 'tiles/shard', offset: 4, stride: 8 } },
        { name: 'b', bytes: 4096 },
      ],
    });
    expect(problems(whole)).toEqual([]);
    expect(wgslSettingsSchema.parse(whole)).toEqual(whole);
  });

  test.each<[string, unknown, string]>([
    ['no buffer', settings({ buffers: [] }), 'buffers must have a buffer'],
    ['a fraction', settings({ rounds: 1.5 }), 'rounds must be a whole number'],
    ['an odd size', settings({ buffers: [{ name: 'a', bytes: 6 }] }), 'buffers[0].bytes must be a multiple of 4'],
    [
      'a huge buffer',
      settings({ buffers: [{ name: 'a', bytes: 134_217_732 }] }),
      'buffers[0].bytes must be at most 134217728',
    ],
    [
      'a name twice',
      settings({
        buffers: [
          { name: 'a', bytes: 4 },
          { name: 'b', bytes: 4 },
          { name: 'a', bytes: 4 },
        ],
      }),
      'buffers[2].name is there twice: a',
    ],
    [
      'an unknown buffer',
      settings({ passes: [pass({ bind: [{ binding: 1, buffer: 'c', access: 'read' }] })] }),
      'passes[0].bind[0].buffer is no buffer: c',
    ],
    [
      'the uniform’s binding',
      settings({ passes: [pass({ bind: [{ binding: 0, buffer: 'a', access: 'read' }] })] }),
      'passes[0].bind[0].binding must be at least 1',
    ],
    [
      'a buffer bound twice',
      settings({
        passes: [
          pass({
            bind: [
              { binding: 1, buffer: 'a', access: 'read' },
              { binding: 2, buffer: 'a', access: 'read_write' },
            ],
          }),
        ],
      }),
      'passes[0].bind[1] binds the buffer a twice',
    ],
    [
      'a binding twice',
      settings({
        passes: [
          pass({
            bind: [
              { binding: 1, buffer: 'a', access: 'read' },
              { binding: 1, buffer: 'b', access: 'read' },
            ],
          }),
        ],
      }),
      'passes[0].bind[1] binds 1 twice',
    ],
    [
      'a swap of unequal buffers',
      settings({
        buffers: [
          { name: 'a', bytes: 4 },
          { name: 'b', bytes: 8 },
        ],
        passes: [pass({ swap: [['a', 'b']] })],
      }),
      'passes[0].swap[0] swaps buffers of different sizes',
    ],
    [
      'a workgroup of 257',
      settings({ passes: [pass({ size: [257, 1, 1] })] }),
      'passes[0].size[0] must be at most 256',
    ],
    [
      'a workgroup of 1,024',
      settings({ passes: [pass({ size: [32, 32, 1] })] }),
      'passes[0].size is 1024 invocations, a workgroup has at most 256',
    ],
    [
      'a dispatch of one group too many',
      settings({
        passes: [
          pass({ size: [256, 1, 1], groups: [1, 1, 65_535] }),
          pass({ size: [256, 1, 1], groups: [1, 3, 65_535] }),
        ],
      }),
      'passes[1].groups makes 50330880 invocations, a dispatch has at most 16777216: split it',
    ],
    [
      'too many dispatches',
      settings({ passes: [pass({ repeat: 256 }), pass()], rounds: 256 }),
      'passes are 65792 dispatches, a shard has at most 65536',
    ],
    ['an output of nothing', settings({ output: { buffers: ['z'] } }), 'output.buffers[0] is no buffer: z'],
    [
      'a picture of another size',
      settings({ output: { buffers: ['b'], picture: { width: 32, height: 33 } } }),
      'output.picture needs a buffer of 4224 bytes, b has 4096',
    ],
    [
      'a picture of two buffers',
      settings({ output: { buffers: ['a', 'b'], picture: { width: 32, height: 32 } } }),
      'output.buffers must be one buffer, as the output is a picture',
    ],
    ['an unknown field', { ...settings(), speed: 1 }, ' has an unknown field: speed'],
  ])('%s is refused', (_what, value, sentence) => {
    // What a wrong field breaks elsewhere comes after it.
    expect(problems(value)[0]).toBe(sentence);
  });

  test('65,536 dispatches are the most that pass', () => {
    expect(problems(settings({ passes: [pass({ repeat: 256 })], rounds: 256 }))).toEqual([]);
  });
});

describe('what a shard costs', () => {
  test.each([
    [1, 1],
    [999, 1],
    [1000, 1],
    [1001, 2],
  ])('%d invocations are %d units', (invocations, units) => {
    expect(wgslUnits({ ...settings(), passes: [pass({ size: [1, 1, 1], groups: [invocations, 1, 1] })] })).toBe(units);
  });

  test('units count every dispatch and are rounded once', () => {
    const passes = [pass({ repeat: 3 }), pass({ groups: [1, 2, 1] })];
    // (3 × 1,024 + 128) × 5 = 16,000
    expect(wgslUnits(settings({ passes, rounds: 5 }))).toBe(16);
  });

  test('memory is the buffers, the uniform and what carries the output away', () => {
    expect(wgslMemory(settings())).toBe(8192 + 304 + 4_194_304);
  });

  test('the output is the named buffers, or a picture that is stored and not packed', () => {
    expect(wgslOutputBytes(settings({ output: { buffers: ['b', 'a', 'b'] } }))).toBe(12_288);
    expect(wgslOutputBytes(settings({ output: { buffers: ['b'], picture: { width: 32, height: 32 } } }))).toBe(3172);
    expect(pictureBytes({ width: 32, height: 32 })).toBe(57 + 2 + 97 * 32 + 5 + 4);
  });
});

test.each<[string, number | undefined]>([
  ['0', 0],
  ['-1', 0xffffffff],
  ['4294967295', 0xffffffff],
  ['4294967296', undefined],
  ['-2147483648', 0x80000000],
  ['-2147483649', undefined],
  ['1.5', undefined],
  ['', undefined],
  ['0x10', undefined],
])('the argument %j is the word %s', (text, word) => {
  expect(argumentWord(text)).toBe(word);
});

describe('a spec', () => {
  const spec = (over: Partial<JobSpecInput> = {}): JobSpecInput => ({
    version: 1,
    name: 'kernel',
    runtime: 'wgsl',
    settings: settings() as unknown as Record<string, unknown>,
    module: FILE,
    args: ['7', '-7'],
    inputs: [],
    shards: 2,
    output: { name: 'out.bin', mediaType: 'application/octet-stream' },
    limits: { memoryBytes: 4_202_800, units: 2, outputBytes: 4096, seconds: 10 },
    comparator: { kind: 'exact' },
    ...over,
  });

  const refusal = (over: Partial<JobSpecInput>): string => {
    try {
      encodeSpec(spec(over));
    } catch (error) {
      if (error instanceof SpecError)
        return error.problems.map(({ path, sentence }) => `${path} ${sentence}`).join('; ');
      throw error;
    }
    return 'none';
  };

  test('survives its block', () => {
    expect(decodeSpec(encodeSpec(spec()).bytes)).toMatchObject({ settings: settings(), args: ['7', '-7'] });
  });

  test.each<[string, Partial<JobSpecInput>, string]>([
    [
      'caps below what its settings need',
      { limits: { memoryBytes: 4_202_799, units: 1, outputBytes: 4095, seconds: 1 } },
      'limits.memoryBytes must be at least 4202800, which the settings need; ' +
        'limits.units must be at least 2, which the settings need; ' +
        'limits.outputBytes must be at least 4096, which the settings need',
    ],
    [
      'an argument of words',
      { args: ['1', 'fast'] },
      'args[1] must be a whole number of 32 bits: a kernel reads no text',
    ],
    [
      'an input that is not there',
      {
        settings: {
          ...settings(),
          buffers: [
            { name: 'a', bytes: 4096, input: { name: 'in' } },
            { name: 'b', bytes: 4096, input: { name: 'old/0' } },
          ],
        },
      },
      'settings.buffers[0].input is no input: in; settings.buffers[1].input is no input: old/0',
    ],
    [
      'a picture of another media type',
      {
        settings: { ...settings(), output: { buffers: ['b'], picture: { width: 32, height: 32 } } },
      },
      'output.mediaType must be image/png, as the settings make a picture',
    ],
  ])('with %s is refused', (_what, over, sentence) => {
    expect(refusal(over)).toBe(sentence);
  });

  test('takes results of an earlier job when it comes after one', () => {
    const buffers = [
      { name: 'a', bytes: 4096, input: { name: 'old/shard' } },
      { name: 'b', bytes: 4096 },
    ];
    expect(refusal({ settings: { ...settings(), buffers }, after: { name: 'old' } })).toBe('none');
  });
});
