import { createHash } from 'node:crypto';
import { videoComparator } from '@dpu/sdk/runtimes/video';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findTool } from '../../src/runtimes/tool/findTool.ts';
import { singleOutput, type ComparedSpec } from '../../src/runtimes/compareShards.ts';
import { VideoRuntime } from '../../src/runtimes/video/videoRuntime.ts';
import { failure } from '../wasm/shardRequest.ts';
import { byFfmpeg, joined, testPicture, transcode, y4m } from './clips.ts';

const made = new VideoRuntime();
const probed = await made.probe();
if (!probed.available) console.warn(`No video is tested on this machine. ${probed.detail}`);
afterAll(() => made.close());
const onFfmpeg = describe.skipIf(!probed.available);

test('a machine with ffmpeg and a sandbox offers videos, another says what is missing', () => {
  if (probed.available) expect(probed.isolation).toBe('bubblewrap');
  else if (findTool('ffmpeg') === undefined)
    expect(probed.detail).toBe('Videos cannot be made here: ffmpeg is not installed: install the package ffmpeg');
});

onFfmpeg('a clip', () => {
  let clip: Uint8Array;
  let parts: Uint8Array[];
  beforeAll(async () => {
    clip = testPicture();
    parts = [];
    for (const shard of [0, 1, 2]) parts.push((await made.run(transcode(clip, {}, { shard, shards: 3 }))).output);
  });
  const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

  test('gives the same bytes each time, and units that follow from the settings', async () => {
    const heard: number[] = [];
    const again = await made.run(transcode(clip, {}, { shard: 1, shards: 3 }), {
      onProgress: (share) => heard.push(share),
    });
    // As often as ffmpeg says: at least when it is done.
    expect(heard.at(-1)).toBe(1);
    expect(hashOf(again.output)).toBe(hashOf(parts[1]!));
    // 16 of 48 frames of 96 × 64 pixels at 100 operations each.
    expect(again.units).toBe(10);
  });

  test('is the same in parts that are joined as in one piece: no frame is lost or repeated', async () => {
    const whole = (await made.run(transcode(clip))).output;
    const { output, units } = await made.run(joined(parts));
    expect(units).toBe(1);
    expect(framesIn(output)).toEqual(framesIn(whole).map((_, frame) => frame / 24));
    expect(framesIn(output)).toHaveLength(48);
    // Every frame is where it belongs: the two differ by no more than what encoding loses. Neighbours differ by far more.
    const [one, other] = [rawOf(whole), rawOf(output)];
    const size = (96 * 64 * 3) / 2;
    const apart = (a: number, b: number): number => {
      let sum = 0;
      for (let i = 0; i < size; i += 1) sum += Math.abs(one[a * size + i]! - other[b * size + i]!);
      return sum / size;
    };
    for (let frame = 1; frame < 48; frame += 1) {
      expect(apart(frame, frame), `frame ${frame}`).toBeLessThan(apart(frame, frame - 1));
    }
  });

  test('that is asked for more frames than it has fails by name', async () => {
    expect(await failure(made.run(transcode(clip, { frames: 60 })))).toBe(
      'trap (job): The shard failed: the clip gives 48 of the 60 frames that the settings ask for.',
    );
  });

  test.each(['vp9', 'av1'] as const)('becomes %s', async (codec) => {
    const { output } = await made.run(transcode(clip, { codec, frames: 8, fps: 4, quality: 30 }));
    const again = await made.run(transcode(clip, { codec, frames: 8, fps: 4, quality: 30 }));
    expect(hashOf(again.output)).toBe(hashOf(output));
    expect(framesIn(output)).toHaveLength(8);
  });

  test('may not be longer than its spec allows, nor take more memory or time', async () => {
    expect(await failure(made.run(transcode(clip, { quality: 1 }, {}, { outputBytes: 4_096 })))).toBe(
      'output-limit (job): The shard wrote more than the 4096 bytes its spec allows.',
    );
    const large = { width: 2048, height: 1152 };
    expect(await failure(made.run(transcode(clip, large, {}, { memoryBytes: 65_536, units: 100_000 })))).toBe(
      'out-of-memory (job): The shard needs more memory than the 65536 bytes its spec allows.',
    );
    const slow = { ...large, codec: 'av1', quality: 5 } as const;
    expect(
      await failure(made.run(transcode(clip, slow, {}, { seconds: 1, units: 1_000_000, memoryBytes: 2 ** 30 }))),
    ).toBe('timeout (machine): The shard was not done after the 1 seconds its spec allows.');
    expect(await failure(made.run(transcode(clip, {}, {}, { units: 29 })))).toBe(
      'out-of-units (job): The shard needs 30 units, its spec allows 29.',
    );
  });

  test('is ended when the node asks for it', async () => {
    const stop = AbortSignal.timeout(300);
    const slow = transcode(
      clip,
      { width: 2048, height: 1152, codec: 'av1' },
      {},
      { units: 1_000_000, memoryBytes: 2 ** 30 },
    );
    expect(await failure(made.run(slow, { signal: stop }))).toBe(
      'killed (machine): The shard was ended because the node asked for it.',
    );
  });

  describe('compared with what another node made', () => {
    test('another build’s encoding is the same work, a coarser quality and another codec are not', async () => {
      const own = (await made.run(transcode(clip))).output;
      const other = ['-i', 'in', '-an', '-pix_fmt', 'yuv420p', '-preset', 'medium', '-g', '240', '-f', 'mp4'];
      const plain = byFfmpeg([...other, '-c:v', 'libx264', '-crf', '20', '-x264-params', 'no-asm=1'], clip);
      expect(await compared(own, plain)).toBe(true);
      const coarse = (await made.run(transcode(clip, { quality: 30 }))).output;
      expect(await compared(own, coarse)).toBe(false);
      const vp9 = byFfmpeg([...other, '-c:v', 'libvpx-vp9', '-crf', '12', '-b:v', '0'], clip);
      expect(await compared(own, vp9)).toBe(false);
    });

    test('frames at another time, too few frames and another size are not the same', async () => {
      const own = (await made.run(transcode(clip))).output;
      const copy = (...words: string[]): Uint8Array => byFfmpeg(['-i', 'in', ...words, '-c', 'copy', '-f', 'mp4'], own);
      expect(await compared(own, copy())).toBe(true);
      expect(await compared(own, copy('-t', '1'))).toBe(false);
      expect(await compared(own, byFfmpeg(['-itsscale', '1.2', '-i', 'in', '-c', 'copy', '-f', 'mp4'], own))).toBe(
        false,
      );
      const turned = (await made.run(transcode(clip, { width: 64, height: 96 }))).output;
      expect(await compared(own, turned)).toBe(false);
    });

    test('bytes that are no clip equal nothing but themselves', async () => {
      const own = (await made.run(transcode(clip))).output;
      const noise = Uint8Array.from({ length: own.length }, (_, i) => (i * 131) & 0xff);
      expect(await compared(own, noise)).toBe(false);
      expect(await compared(noise, noise)).toBe(true);
      expect(await compared(own, own.subarray(0, own.length - 200))).toBe(false);
    });
  });
});

const SHAPE = { width: 96, height: 64, codec: 'h264', fps: 24, frames: 48 } as const;

async function compared(left: Uint8Array, right: Uint8Array): Promise<boolean> {
  const spec: ComparedSpec = {
    output: { name: 'part.mp4', mediaType: 'video/mp4' },
    comparator: videoComparator(SHAPE),
    settings: { step: 'transcode', source: 'clip', quality: 20, ...SHAPE },
  };
  const [a, b] = [singleOutput(spec, left), singleOutput(spec, right)];
  const { same } = await made.compare(spec, a, b);
  expect((await made.compare(spec, b, a)).same, 'the order of the sides does not matter').toBe(same);
  return same;
}

/** The frames of a clip, decoded. */
const rawOf = (clip: Uint8Array): Uint8Array => byFfmpeg(['-i', 'in', '-pix_fmt', 'yuv420p', '-f', 'rawvideo'], clip);

/** When the frames of a clip are shown, seconds. */
function framesIn(clip: Uint8Array): number[] {
  const text = byFfmpeg(['-i', 'in', '-vf', 'showinfo', '-f', 'framehash', '-hash', 'adler32'], clip);
  const lines = new TextDecoder()
    .decode(text)
    .split('\n')
    .filter((line) => /^0,/.test(line));
  return lines.map((line, index) => (Number(line.split(',')[2]) === index ? index / 24 : NaN));
}

describe.skipIf(!probed.available)('bombs', () => {
  const named: [what: string, clip: () => Uint8Array, settings: object, limits: object, expected: RegExp][] = [
    [
      'a picture of 100,000 × 100,000 pixels in a head of 60 bytes',
      () => y4m(100_000, 100_000, '24:1', 3, 64),
      {},
      {},
      /^(trap|out-of-memory) \(job\)/,
    ],
    [
      'a frame of 8,192 × 4,800 that packs to almost nothing',
      () =>
        byFfmpeg([
          '-f',
          'lavfi',
          '-i',
          'color=s=8192x4800:r=24:d=0.04',
          '-c:v',
          'libx264',
          '-preset',
          'ultrafast',
          '-f',
          'matroska',
        ]),
      { frames: 1 },
      {},
      /^(trap|out-of-memory) \(job\)/,
    ],
    [
      'a clip whose frames are eleven days apart',
      () => y4m(32, 32, '1:1000000', 3),
      { frames: 1_000_000 },
      { seconds: 2, units: 1e7 },
      /^timeout \(machine\)/,
    ],
    ['a clip of no frames', () => y4m(32, 32, '24:1', 0), {}, {}, /^trap \(job\): The shard failed/],
    [
      'half a clip',
      () => testPicture().subarray(0, 3_000),
      {},
      {},
      /^trap \(job\): The shard failed: .*moov atom not found|^trap \(job\)/,
    ],
  ];
  test.each(named)('%s', async (_what, clip, settings, limits, expected) => {
    expect(await failure(made.run(transcode(clip(), settings, {}, limits)))).toMatch(expected);
  });
});
