import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { built, buildModules, readPng, run } from './testing.ts';

beforeAll(buildModules, 60_000);

const [WIDTH, HEIGHT] = [64, 36];

/** A tetrahedron over the ground, as plainly as OBJ allows. */
const VERTICES = 'v 0 0 1\nv 0.87 0 -0.5\nv -0.87 0 -0.5\nv 0 1.4 0\n';
const FACES = 'f 1 2 4\nf 2 3 4\nf 3 1 4\nf 1 3 2\n';
const TETRAHEDRON = VERTICES + FACES;

/** Arguments for the whole image as one tile. */
const whole = (samples = 2): number[] => [0, 1, WIDTH, HEIGHT, WIDTH, HEIGHT, samples, 3, 7];

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function renderWhole(obj: string, mtl?: string, samples = 2): Promise<Uint8Array> {
  const files = mtl === undefined ? { 'scene.obj': obj } : { 'scene.obj': obj, 'scene.mtl': mtl };
  const { exitCode, stdout, stderr } = await run('pathtracer', whole(samples), files);
  expect({ exitCode, stderr }, stderr).toMatchObject({ exitCode: 0 });
  return readPng(stdout).pixels;
}

describe('the modules', () => {
  test.each(['pathtracer', 'assemble'])('%s imports only what the ABI allows, and has no start section', (name) => {
    const allowed = /^(args_(get|sizes_get)|fd_(read|write|close|filestat_get)|path_open|proc_exit)$/;
    const bytes = built(`${name}.wasm`) as Uint8Array<ArrayBuffer>;
    const module = new WebAssembly.Module(bytes);
    for (const { module: from, name: what } of WebAssembly.Module.imports(module)) {
      expect(from).toBe('wasi_snapshot_preview1');
      expect(what).toMatch(allowed);
    }
    expect(WebAssembly.Module.exports(module).map((entry) => entry.name)).toEqual(['memory', '_start']);
    expect(sectionIds(bytes)).not.toContain(8);
  });
});

describe('tiles', () => {
  test('the assembled tiles are the image that one tile would be, byte for byte', async () => {
    const files = { 'scene.obj': built('scene.obj'), 'scene.mtl': built('scene.mtl') };
    const one = await run('pathtracer', whole(), files);
    expect(one.exitCode).toBe(0);

    // 24 does not divide 64, nor 16 36: the last tiles of each row and column are cut off.
    const tiles: Record<string, Uint8Array> = {};
    for (let shard = 0; shard < 9; shard++) {
      const tile = await run('pathtracer', [shard, 9, WIDTH, HEIGHT, 24, 16, 2, 3, 7], files);
      tiles[`tiles/${shard}`] = tile.stdout;
    }
    const assembled = await run('assemble', [0, 1, WIDTH, HEIGHT, 24, 16], tiles);
    expect(assembled.stderr).toBe('assembled 9 tiles\n');
    expect(sha256(assembled.stdout)).toBe(sha256(one.stdout));
  });

  test('the same arguments give the same bytes, another seed gives others', async () => {
    const files = { 'scene.obj': TETRAHEDRON };
    const hashes = await Promise.all(
      [7, 7, 8].map(async (seed) => sha256((await run('pathtracer', [...whole().slice(0, -1), seed], files)).stdout)),
    );
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });

  test('the log says what was done', async () => {
    const { stderr } = await run('pathtracer', [3, 4, 64, 36, 40, 20, 1, 1, 0], { 'scene.obj': TETRAHEDRON });
    expect(stderr.split('\n')).toEqual([
      ...['progress 4/16', 'progress 8/16', 'progress 12/16'],
      ...['tile 3 of 4: 24 x 16 pixels, 1 samples, 4 triangles', ''],
    ]);
  });

  test('without ground the floor is gone', async () => {
    const files = { 'scene.obj': TETRAHEDRON };
    const images = await Promise.all(
      ['ground', 'none'].map(async (ground) => readPng((await run('pathtracer', [...whole(), ground], files)).stdout)),
    );
    const bottom = images.map(({ pixels }) => pixels.slice(-3 * WIDTH));
    expect(bottom[0]).not.toEqual(bottom[1]);
  });
});

describe('OBJ', () => {
  test.each([
    ['CRLF line ends, comments and blank lines', `# a shape\r\n\r\n${TETRAHEDRON.replaceAll('\n', ' # note\r\n')}`],
    ['negative indices', `${VERTICES}f -4 -3 -1\nf -3 -2 -1\nf -2 -4 -1\nf -4 -2 -3\n`],
    ['texture coordinates', `${VERTICES}vt 0 0\n${FACES.replaceAll(/\d/g, '$&/1')}`],
    ['objects, groups and smoothing', `o a\ng b c\ns 1\n${TETRAHEDRON}s off\n`],
    ['tabs, leading blanks and no last line end', TETRAHEDRON.replaceAll(' ', '\t').replaceAll('\n', '\n  ').trim()],
    ['exponents and plus signs', TETRAHEDRON.replace('0.87 0', '+8.7e-1 0.0E+0').replace('-0.87', '-87e-2')],
    ['hidden line ends', TETRAHEDRON.replace('f 1 2 4', 'f 1 \\\n 2 \\\r\n 4')],
    ['vertex colours', TETRAHEDRON.replaceAll(/^v .*$/gm, '$& 0.5 0.5 0.5')],
    ['faces before their vertices', FACES + VERTICES],
    ['faces without area', `${TETRAHEDRON}f 1 1 2\nf 4 4 4\n`],
    ['lines and points between', `${TETRAHEDRON}l 1 2\np 3\n`],
    ['another size and place', TETRAHEDRON.replaceAll(/^v (\S+) (\S+) (\S+)$/gm, scaled)],
  ])('reads %s', async (_what, obj) => {
    expect(await renderWhole(obj)).toEqual(await renderWhole(TETRAHEDRON));
  });

  test('cuts polygons into fans', async () => {
    const square = 'v -1 0 0\nv 1 0 0\nv 1 1 0\nv -1 1 0\n';
    expect(await renderWhole(`${square}f 1 2 3 4\n`)).toEqual(await renderWhole(`${square}f 1 2 3\nf 1 3 4\n`));
  });

  test('uses normals where they are given', async () => {
    const square = 'v -1 0 0\nv 1 0 0\nv 1 1 0\nv -1 1 0\nvn 0 0 1\nvn 0.6 0 0.8\n';
    const flat = await renderWhole(`${square}f 1 2 3 4\n`);
    expect(await renderWhole(`${square}f 1//1 2//1 3//1 4//1\n`)).toEqual(flat);
    expect(await renderWhole(`${square}f 1//1 2//2 3//2 4//1\n`)).not.toEqual(flat);
  });

  test.each([
    ['no faces', VERTICES, 'scene.obj has no faces: there is nothing to render'],
    ['nothing', '', 'scene.obj has no faces: there is nothing to render'],
    ['an index above the last', `${VERTICES}f 1 2 5\n`, 'scene.obj line 5: vertex 5 does not exist, there are 4'],
    ['an index of zero', `${VERTICES}f 0 1 2\n`, 'scene.obj line 5: vertex 0 does not exist, there are 4'],
    ['an index before the first', `${VERTICES}f 1 2 -5\n`, 'scene.obj line 5: vertex -5 does not exist, there are 4'],
    [
      'a normal that is not there',
      `${VERTICES}f 1//1 2//1 3//1\n`,
      'scene.obj line 5: normal 1 does not exist, there are 0',
    ],
    ['NaN', TETRAHEDRON.replace('1.4', 'nan'), 'scene.obj line 4: a finite number is expected'],
    ['infinity', TETRAHEDRON.replace('1.4', 'inf'), 'scene.obj line 4: a finite number is expected'],
    ['a number beyond f32', TETRAHEDRON.replace('1.4', '1e39'), 'scene.obj line 4: a number is too large'],
    ['letters after a number', TETRAHEDRON.replace('1.4', '1.4x'), 'scene.obj line 4: a finite number is expected'],
    ['two coordinates', TETRAHEDRON.replace('v 0 0 1', 'v 0 1'), 'scene.obj line 1: a number is missing'],
    ['a face of two corners', `${TETRAHEDRON}f 1 2\n`, 'scene.obj line 9: a face has 2 corners, at least 3 are needed'],
    ['a face of words', `${TETRAHEDRON}f a b c\n`, 'scene.obj line 9: a whole number is expected'],
    [
      'no area',
      'v 0 0 0\nv 1 1 1\nv 2 2 2\nf 1 2 3\n',
      'scene.obj has no face with an area: there is nothing to render',
    ],
    ['no extent', 'v 1 1 1\nf 1 1 1\n', 'scene.obj has no extent that can be shown'],
  ])('refuses a file with %s', async (_what, obj, message) => {
    const { exitCode, stdout, stderr } = await run('pathtracer', whole(), { 'scene.obj': obj });
    expect({ exitCode, stderr, bytes: stdout.length }).toEqual({
      exitCode: 2,
      stderr: `error: ${message}\n`,
      bytes: 0,
    });
  });

  test('refuses to run without a scene', async () => {
    const { exitCode, stderr } = await run('pathtracer', whole(), {});
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: 'error: /in/scene.obj is missing\n' });
  });
});

describe('MTL', () => {
  const square = 'mtllib scene.mtl\nv -1 0 0\nv 1 0 0\nv 1 1 0\nv -1 1 0\nusemtl m\nf 1 2 3 4\n';

  /** Mean red, green and blue in the middle of the image, where the square is. */
  async function middle(mtl: string): Promise<[number, number, number]> {
    const pixels = await renderWhole(square, `newmtl other\nKd 1 1 1\nnewmtl m\n${mtl}\n`, 16);
    const sum = [0, 0, 0] as [number, number, number];
    for (let y = 15; y < 21; y++) {
      for (let x = 28; x < 36; x++) {
        for (let c = 0; c < 3; c++) sum[c]! += pixels[(y * WIDTH + x) * 3 + c]! / 48;
      }
    }
    return sum;
  }

  test('a diffuse colour shows', async () => {
    const [r, g, b] = await middle('Kd 0.8 0.05 0.05');
    expect(r).toBeGreaterThan(2 * g);
    expect(r).toBeGreaterThan(2 * b);
  });

  test('an emitting colour shows whatever else is said', async () => {
    const [r, g, b] = await middle('Kd 1 0 0\nKe 0 4 0');
    expect([r, g > 220, b]).toEqual([0, true, 0]);
  });

  test('a metal takes the colour of Ks', async () => {
    const [r, , b] = await middle('Kd 0 0 0\nKs 0.9 0.5 0.1\nNs 10\nillum 3');
    expect(r).toBeGreaterThan(2 * b);
  });

  test('clear glass shows what is behind it, by d, Tr or illum alike', async () => {
    const byDissolve = await middle('Kd 1 1 1\nd 0.1\nNi 1.01');
    expect(await middle('Kd 1 1 1\nTr 0.9\nNi 1.01')).toEqual(byDissolve);
    expect(await middle('Kd 1 1 1\nillum 7\nNi 1.01')).toEqual(byDissolve);
    expect(await middle('Kd 1 1 1')).not.toEqual(byDissolve);
  });

  test('a material that the file lacks is told once and gets a look of its own', async () => {
    const obj = `${VERTICES}usemtl ghost\nf 1 2 4\nusemtl m\nf 2 3 4\nusemtl ghost\nf 3 1 4\n`;
    const { exitCode, stderr } = await run('pathtracer', whole(), {
      'scene.obj': obj,
      'scene.mtl': 'newmtl m\nKd 1 1 1\n',
    });
    expect({ exitCode, lines: stderr.split('\n') }).toEqual({
      exitCode: 0,
      lines: [
        "warning: material 'ghost' is not in scene.mtl",
        ...['progress 9/36', 'progress 18/36', 'progress 27/36'],
        ...['tile 0 of 1: 64 x 36 pixels, 2 samples, 3 triangles', ''],
      ],
    });
  });

  test('a colour that is no number is refused with its line', async () => {
    const { exitCode, stderr } = await run('pathtracer', whole(), {
      'scene.obj': square,
      'scene.mtl': 'newmtl m\nKd red\n',
    });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: 'error: scene.mtl line 2: a finite number is expected\n',
    });
  });
});

describe('arguments', () => {
  test.each([
    ['too few shards', [0, 2, 64, 36, 32, 18, 1, 1, 0], 'the image has 4 tiles, but the job has 2 shards'],
    ['a shard beyond the last', [4, 4, 64, 36, 32, 18, 1, 1, 0], 'shard 4 is not below 4'],
    ['no samples', [0, 1, 64, 36, 64, 36, 0, 1, 0], "argument samples must be an integer from 1 to 4096, not '0'"],
    [
      'a negative seed',
      [0, 1, 64, 36, 64, 36, 1, 1, -1],
      "argument seed must be an integer from 0 to 4294967295, not '-1'",
    ],
    ['no seed', [0, 1, 64, 36, 64, 36, 1, 1], 'argument seed is missing'],
    ['another ground', [...whole(), 'grass'], "argument ground must be 'ground' or 'none', not 'grass'"],
  ])('refuses %s', async (_what, args, message) => {
    const { exitCode, stderr } = await run('pathtracer', args, { 'scene.obj': TETRAHEDRON });
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: `error: ${message}\n` });
  });
});

/** Powers of two and whole numbers, so that scaling back is exact. */
function scaled(_line: string, x: string, y: string, z: string): string {
  return `v ${Number(x) * 64} ${Number(y) * 64} ${Number(z) * 64}`;
}

/** The ids of a module's sections, in order. */
function sectionIds(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length;) {
    ids.push(bytes[at++] ?? 0);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      size |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    at += size;
  }
  return ids;
}
