/** The templates of the runtimes that need a program of the system: video, container, blender. */
import { CID } from 'multiformats/cid';
import { sha256 } from 'multiformats/hashes/sha2';
import { describe, expect, test } from 'vitest';

import { encodeSpec } from '../spec.ts';
import { blender } from './blender.ts';
import { secondsOf } from './clipLength.ts';
import { container } from './container.ts';
import { drawClip } from './drawnClip.ts';
import type { Template, TemplateContext } from './types.ts';
import { video } from './video.ts';

const stored: Uint8Array[] = [];
const context: TemplateContext = {
  asset: async (name) => new TextEncoder().encode(name),
  addFile: async (bytes) => {
    stored.push(bytes);
    return { cid: CID.createV1(0x55, await sha256.digest(bytes)) };
  },
};
const none = new Map<string, Uint8Array>();
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const small = { width: 32, height: 16, fps: 8, frames: 12 };
const clip = new Map([['clip', drawClip(small)]]);

async function problems(template: Template, options: object, files = none): Promise<string> {
  return template.prepare(options, files, context).then(
    ({ jobs }) => jobs.map((job) => encodeSpec(job).digest.length).join(),
    (error: unknown) => (error as Error).message,
  );
}

describe('video', () => {
  test('is a part for each shard, then one file', async () => {
    const { jobs } = await video.prepare({ fps: 8, shards: 3, width: 32, height: 16 }, clip, context);
    expect(jobs).toMatchObject([
      {
        runtime: 'video',
        settings: { step: 'transcode', source: 'clip', codec: 'h264', frames: 12, fps: 8, quality: 23 },
        inputs: [{ name: 'clip', size: clip.get('clip')!.length }],
        shards: 3,
        comparator: { kind: 'perceptual', image: { kind: 'rgba8', width: 32, height: 16 } },
      },
      { settings: { step: 'join', parts: 'parts' }, after: { name: 'parts' }, shards: 1, inputs: [] },
    ]);
    for (const job of jobs) expect(() => encodeSpec(job)).not.toThrow();
  });

  test.each<[object, Map<string, Uint8Array>, string]>([
    [{ shards: 13, fps: 8 }, clip, 'shards: is more than the 12 frames that there are'],
    [{ milliseconds: 9_000 }, clip, 'milliseconds: is more than the 1500 that the clip has'],
    [
      {},
      new Map([['clip', json('?')]]),
      'milliseconds: is needed: this kind of file does not say plainly how long it is',
    ],
    [{}, new Map([['film', json('?')]]), 'film: is not used: bring clip'],
    [{ codec: 'h264', quality: 60 }, none, 'quality: must be at most 51 for h264'],
  ])('refuses %j', async (options, files, sentence) => {
    expect(await problems(video, options, files)).toBe(`The video job cannot be prepared: ${sentence}.`);
  });

  test('knows how long a clip is from its head', () => {
    expect(secondsOf(clip.get('clip')!)).toBe(1.5);
    const box = (type: string, content: Uint8Array): Uint8Array => {
      const bytes = new Uint8Array(8 + content.length);
      new DataView(bytes.buffer).setUint32(0, bytes.length);
      bytes.set(new TextEncoder().encode(type), 4);
      bytes.set(content, 8);
      return bytes;
    };
    const head = new Uint8Array(100);
    new DataView(head.buffer).setUint32(12, 600);
    new DataView(head.buffer).setUint32(16, 1_500);
    const mp4 = Buffer.concat([
      box('ftyp', new Uint8Array(8)),
      box('free', new Uint8Array(3)),
      box('moov', box('mvhd', head)),
    ]);
    expect(secondsOf(new Uint8Array(mp4))).toBe(2.5);
    expect(secondsOf(new Uint8Array(mp4.subarray(0, 60)))).toBeUndefined();
  });

  test('draws a clip that moves', () => {
    const frames = drawClip(small);
    const size = 6 + 32 * 16 * 1.5;
    const frame = (index: number): Uint8Array => frames.slice(frames.length - (12 - index) * size);
    expect(new TextDecoder().decode(frames.subarray(0, 45))).toMatch(/^YUV4MPEG2 W32 H16 F8:1 /);
    expect(frame(0).subarray(0, size)).not.toEqual(frame(6).subarray(0, size));
  });
});

describe('container', () => {
  test('brings an image of our own, named by its digest', async () => {
    const { jobs } = await container.prepare({ width: 64, height: 40, shards: 4 }, none, context);
    expect(jobs).toMatchObject([
      {
        runtime: 'container',
        settings: { image: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), command: ['/draw', '{shard}'], units: 3 },
        shards: 4,
        comparator: { kind: 'exact' },
      },
    ]);
    expect(() => encodeSpec(jobs[0])).not.toThrow();
    const again = await container.prepare({ width: 64, height: 40, shards: 4 }, none, context);
    expect(again.jobs[0].settings).toEqual(jobs[0].settings);
  });

  const own = { settings: { image: `sha256:${'a'.repeat(64)}`, command: ['/x'], units: 5 }, shards: 2, args: ['y'] };
  test('runs somebody’s own image, brought or known', async () => {
    const files = new Map([['settings.json', json(own)]]);
    const { jobs } = await container.prepare({}, files, context);
    expect(jobs[0]).toMatchObject({ ...own, limits: { units: 5 } });
    expect('module' in jobs[0]).toBe(false);
    const brought = await container.prepare({}, new Map(files).set('image.tar', json(1)), context);
    expect(String(brought.jobs[0].module)).toMatch(/^bafkrei/);
    for (const { jobs: each } of [{ jobs }, brought]) expect(() => encodeSpec(each[0])).not.toThrow();
  });

  test.each<[object, Map<string, Uint8Array>, RegExp]>([
    [{ shards: 7 }, none, /shards: must divide the height 400/],
    [{}, new Map([['image.tar', json(1)]]), /settings.json: is missing/],
    [
      {},
      new Map([['settings.json', json({ ...own, settings: { ...own.settings, image: 'debian:latest' } })]]),
      /settings.json: settings.image: must be an image id/,
    ],
  ])('refuses %j', async (options, files, expected) => {
    expect(await problems(container, options, files)).toMatch(expected);
  });
});

describe('blender', () => {
  test('is a scene in words, its tiles, and one shard that assembles them', async () => {
    const { jobs } = await blender.prepare({}, none, context);
    expect(jobs).toMatchObject([
      { runtime: 'render', shards: 4, comparator: { kind: 'perceptual', image: { kind: 'png' } } },
      { runtime: 'wasm', after: { name: 'tiles' } },
    ]);
    for (const job of jobs) expect(() => encodeSpec(job)).not.toThrow();
  });

  test('refuses too many tiles and other files', async () => {
    expect(await problems(blender, { width: 8192, height: 8192, tileWidth: 8, tileHeight: 8 })).toMatch(
      /tileWidth: makes 1048576 tiles/,
    );
    expect(await problems(blender, {}, new Map([['a.obj', json(1)]]))).toMatch(/a.obj: is not used: bring scene.blend/);
  });
});
