import type { VideoCodec, VideoSettings } from '@dpu/sdk/runtimes/video';
import type { ShardRequest } from '../runtime.ts';

const [WIDTH, HEIGHT, FPS, FRAMES] = [64, 48, 12, 18];
const [BLACK, RANGE, GREY] = [16, 219, 128];
const MIB = 1024 * 1024;

/** How bright the clip is in a place, 0 … 255: a ramp that moves to the right, by which frames can be told apart. */
export function brightness(x: number, y: number, frame: number): number {
  const across = (2 * x + y + 5 * frame) % 256;
  return across < 128 ? 2 * across : 510 - 2 * across;
}

/** The clip as Y4M, which needs no encoder: grey, limited range. */
export function selfTestClip(): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${FPS}:1 Ip A1:1 C420jpeg\n`)];
  for (let frame = 0; frame < FRAMES; frame += 1) {
    const luma = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) =>
      Math.round(BLACK + (brightness(i % WIDTH, Math.floor(i / WIDTH), frame) * RANGE) / 255),
    );
    parts.push(Buffer.from('FRAME\n'), luma, new Uint8Array((WIDTH * HEIGHT) / 2).fill(GREY));
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** Shard `shard` of `shards` of the self-test. */
export function selfTestPart(codec: VideoCodec, clip: Uint8Array, shard: number, shards: number): ShardRequest {
  const settings: VideoSettings = {
    ...{ step: 'transcode', source: 'clip.y4m', codec },
    ...{ width: WIDTH, height: HEIGHT, fps: FPS, frames: FRAMES, quality: 12 },
  };
  return { ...BASE, settings, shard, shards, inputs: [{ name: 'clip.y4m', bytes: clip }] };
}

/** Both parts as one file. */
export function selfTestJoin(codec: VideoCodec, parts: readonly Uint8Array[]): ShardRequest {
  const settings: VideoSettings = {
    ...{ step: 'join', parts: 'parts', codec },
    ...{ width: WIDTH, height: HEIGHT, fps: FPS, frames: FRAMES },
  };
  const inputs = parts.map((bytes, index) => ({ name: `parts/${index}`, bytes }));
  return { ...BASE, settings, shard: 0, shards: 1, inputs };
}

const BASE = {
  module: new Uint8Array(),
  args: [],
  seed: new Uint8Array(32),
  limits: { memoryBytes: 128 * MIB, units: 100, outputBytes: MIB, seconds: 30 },
} as const;

/** How far a frame may be from what it should show, in steps of 8 bits on average: encoding loses a little. */
const MOST_ERROR = 4;

/** The size and rate that a result must have. */
export const SELF_TEST_SHAPE = { width: WIDTH, height: HEIGHT, fps: FPS } as const;

/** What is wrong with decoded frames (four bytes a pixel, one frame after the other); undefined when they are the clip. */
export function selfTestProblem(frames: Uint8Array): string | undefined {
  const bytes = WIDTH * HEIGHT * 4;
  if (frames.length !== bytes * FRAMES) return `it made ${frames.length / bytes} frames instead of ${FRAMES}`;
  for (let frame = 0; frame < FRAMES; frame += 1) {
    let sum = 0;
    for (let i = 0; i < WIDTH * HEIGHT; i += 1) {
      const shown = frames[frame * bytes + 4 * i]!;
      sum += Math.abs(shown - brightness(i % WIDTH, Math.floor(i / WIDTH), frame));
    }
    const error = sum / (WIDTH * HEIGHT);
    if (error > MOST_ERROR) return `frame ${frame} is ${error.toFixed(1)} steps off on average`;
  }
  return undefined;
}
