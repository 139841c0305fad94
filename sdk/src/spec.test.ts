import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { describe, expect, test } from 'vitest';
import { RENDER_COMPARATOR, type Comparator } from './compare/comparator.ts';
import { decodeSpec, encodeSpec, SpecError } from './spec.ts';
import type { JobSpecInput } from './spec.ts';
import { cidToDigest } from './storage/cid.ts';
import { RUNTIME_NAMES } from './terms.ts';

const MODULE = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
const spec: JobSpecInput = {
  version: 1,
  name: 'Render a sphere',
  runtime: 'wasm',
  module: MODULE,
  args: ['--samples', '16'],
  inputs: [{ name: 'scene.json', cid: MODULE, size: 12 }],
  shards: 6,
  output: { name: 'tile.png', mediaType: 'image/png' },
  limits: { memoryBytes: 64 * 1024 * 1024, units: 1_000, outputBytes: 1_000_000, seconds: 60 },
  comparator: { kind: 'exact' },
  view: { kind: 'tiles', width: 250, height: 100, tileWidth: 100, tileHeight: 50 },
};

/** What is wrong, as `path: sentence`. */
function problemsOf(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof SpecError) return error.problems.map(({ path, sentence }) => `${path}: ${sentence}`);
    throw error;
  }
  return [];
}

const RUNTIME_PROBLEM = `runtime: must be ${RUNTIME_NAMES.map((name) => `"${name}"`).join(' or ')}`;

describe('a spec', () => {
  test('becomes one canonical block with a fixed digest', () => {
    const { cid, digest, bytes } = encodeSpec(spec);
    expect(digest).toBe('0x67df998911cb74b3a5db2d96da9a96769f20f5db0e35f1246a7c3c432928ec28');
    expect(cid.toString()).toBe('bafyreidh36myseolosz2lwzns3njvftwt4qplwyogxysi2t4hrbsskhmfa');
    expect(cidToDigest(cid)).toBe(digest);
    expect(decodeSpec(bytes)).toEqual({
      ...spec,
      module: CID.parse(MODULE),
      inputs: [{ name: 'scene.json', cid: CID.parse(MODULE), size: 12 }],
    });
  });

  test('has the same digest however its fields are ordered and its CIDs written', () => {
    const reversed = Object.fromEntries(Object.entries(spec).reverse()) as unknown as JobSpecInput;
    expect(encodeSpec({ ...reversed, module: CID.parse(MODULE) }).digest).toBe(encodeSpec(spec).digest);
    expect(encodeSpec({ ...spec, after: undefined } as unknown as JobSpecInput).digest).toBe(encodeSpec(spec).digest);
  });

  test.each<[comparator: Comparator]>([
    [{ kind: 'numeric', type: 'f64', absolutePpb: 1_000, relativePpb: 9_007, outliersPpm: 1_000 }],
    [{ kind: 'topk', type: 'f32', classes: 1000, k: 5, absolutePpb: 2 ** 53 - 1, outliersPpm: 0 }],
    [RENDER_COMPARATOR],
    [{ ...RENDER_COMPARATOR, image: { kind: 'rgba8', width: 100, height: 50 } }],
  ])('keeps its comparator in its block: %j', (comparator) => {
    const { bytes } = encodeSpec({ ...spec, comparator });
    expect(decodeSpec(bytes).comparator).toEqual(comparator);
  });

  test('has no second form with a fraction for a whole number in its comparator', () => {
    const { bytes } = encodeSpec({ ...spec, comparator: { ...RENDER_COMPARATOR, outliersPpm: 0 } });
    // The key's text and 0x00, which is zero; 0xfb and eight zero bytes are zero as a fraction.
    const at = Buffer.from(bytes).indexOf('outliersPpm\0', 'latin1') + 11;
    const fraction = Uint8Array.from([...bytes.slice(0, at), 0xfb, 0, 0, 0, 0, 0, 0, 0, 0, ...bytes.slice(at + 1)]);
    expect(problemsOf(() => decodeSpec(fraction))).toEqual([': the block is not canonical dag-cbor']);
  });

  const bad: [what: string, over: Record<string, unknown>, problems: string[]][] = [
    ['another version', { version: 2 }, ['version: must be 1']],
    ['an empty name', { name: '' }, ['name: must not be empty']],
    ['a name that is too long', { name: '🙂'.repeat(121) }, ['name: must be at most 120 characters']],
    ['a name that is no Unicode', { name: 'a\ud800' }, ['name: must be valid Unicode']],
    [
      'settings for a runtime that has none',
      { settings: { level: 1 } },
      ['settings: are not for the runtime wasm, which has none'],
    ],
    ['an unknown runtime', { runtime: 'gpu' }, [RUNTIME_PROBLEM]],
    ['a module that is no CID', { module: 'Qm' }, ['module: must be a CID']],
    [
      'a module of CID version 0',
      { module: 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG' },
      ['module: must be a CID of version 1'],
    ],
    [
      'a module that is a dag-cbor block',
      { module: 'bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae' },
      ['module: must be a file: a raw or a dag-pb CID'],
    ],
    ['too many arguments', { args: Array(65).fill('') }, ['args: must be at most 64 arguments']],
    [
      'arguments that are too long',
      { args: ['ü'.repeat(2049)] },
      ['args: must be at most 4096 bytes together, not 4098'],
    ],
    [
      'an argument with a zero',
      { args: ['a\0b'] },
      ['args[0]: must not contain a zero character, which would end it early'],
    ],
    [
      'an input outside its folder',
      { inputs: [{ name: '..', cid: MODULE, size: 1 }] },
      ['inputs[0].name: must not be . or ..'],
    ],
    [
      'an input with a slash',
      { inputs: [{ name: 'a/b', cid: MODULE, size: -1 }] },
      [
        'inputs[0].name: must be 1 to 64 letters, digits, dots, dashes or underscores',
        'inputs[0].size: must be at least 0',
      ],
    ],
    [
      'two inputs of one name',
      { inputs: [1, 2].map((size) => ({ name: 'a', cid: MODULE, size })) },
      ['inputs[1].name: must differ from the other inputs: a is there twice'],
    ],
    [
      'an earlier result named as an input',
      { after: { name: 'scene.json' } },
      ['after.name: is taken by an input: scene.json'],
    ],
    ['no shard', { shards: 0, view: undefined }, ['shards: must be at least 1']],
    ['too many shards', { shards: 16_777_216, view: undefined }, ['shards: must be at most 16777215']],
    ['half a shard', { shards: 1.5 }, ['shards: must be a whole number']],
    [
      'impossible limits',
      { limits: { memoryBytes: 2 ** 32 + 1, units: 0, outputBytes: 1, seconds: 86_401 } },
      [
        'limits.memoryBytes: must be at most 4294967296',
        'limits.units: must be at least 1',
        'limits.seconds: must be at most 86400',
      ],
    ],
    [
      'an unknown comparator',
      { comparator: { kind: 'near' } },
      ['comparator.kind: must be of kind "exact", "numeric", "topk" or "perceptual"'],
    ],
    [
      'a comparator without its best classes',
      { comparator: { kind: 'topk', type: 'f32', classes: 4, k: 4, absolutePpb: 0, outliersPpm: 0 } },
      ['comparator.k: must be less than the number of classes, 4: otherwise any two rows agree'],
    ],
    [
      'a comparator of PNG files for an output that is none',
      { output: { name: 'a', mediaType: 'text/plain' }, comparator: RENDER_COMPARATOR, view: undefined },
      ['comparator: reads PNG, so each output must be image/png'],
    ],
    ['an unknown view', { view: { kind: 'video' } }, ['view.kind: must be of kind "tiles", "file" or "files"']],
    [
      'a view of other files',
      { view: { kind: 'files', files: [spec.output, spec.output] } },
      ['view.files: has 2 files, but the job has 6 shards', 'view.files: names a file twice'],
    ],
    ['a view of other tiles', { shards: 7 }, ['view: has 6 tiles, but the job has 7 shards']],
    [
      'tiles that are no PNG',
      { output: { name: 'a', mediaType: 'text/plain' } },
      ['view: shows tiles, so each output must be image/png'],
    ],
    [
      'an output of no type',
      { output: { name: 'a', mediaType: 'png' }, view: undefined },
      ['output.mediaType: must be a media type such as image/png'],
    ],
    ['a field of its own', { gpu: true }, [': has an unknown field: gpu']],
    ['a missing field', { limits: undefined }, ['limits: is missing']],
    ['several mistakes', { name: 5, runtime: 'gpu' }, ['name: must be text', RUNTIME_PROBLEM]],
  ];
  test.each(bad)('with %s is refused', (_what, over, problems) => {
    expect(problemsOf(() => encodeSpec({ ...spec, ...over } as JobSpecInput))).toEqual(problems);
  });

  test('may be a megabyte and no more', () => {
    const inputs = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `${i}`, cid: MODULE, size: 1 }));
    expect(problemsOf(() => encodeSpec({ ...spec, inputs: inputs(64) }))).toEqual([]);
    expect(problemsOf(() => encodeSpec({ ...spec, inputs: inputs(65) }))).toEqual(['inputs: must be at most 64 files']);
    expect(problemsOf(() => decodeSpec(new Uint8Array(1_048_577)))).toEqual([
      ': it is 1048577 bytes long, the most is 1048576',
    ]);
  });

  test('is refused unless its block is canonical', () => {
    const { bytes } = encodeSpec(spec);
    const notCanonical = [': the block is not canonical dag-cbor'];
    expect(problemsOf(() => decodeSpec(bytes.slice(0, -1)))).toEqual(notCanonical);
    // 0x18 0x01 is the number 1 in two bytes where one would do.
    const at = bytes.indexOf(
      0x01,
      bytes.findIndex((_, i) => new TextDecoder().decode(bytes.slice(i, i + 7)) === 'version'),
    );
    const longer = Uint8Array.from([...bytes.slice(0, at), 0x18, 0x01, ...bytes.slice(at + 1)]);
    expect(problemsOf(() => decodeSpec(longer))).toEqual(notCanonical);
  });

  test('is refused when a link is only text, which the sandbox would not fetch', () => {
    const { bytes } = encodeSpec(spec);
    const value = dagCbor.decode<Record<string, unknown>>(bytes);
    const block = dagCbor.encode({ ...value, module: MODULE });
    expect(problemsOf(() => decodeSpec(block))).toEqual([': a CID is written as text instead of a link']);
  });
});
