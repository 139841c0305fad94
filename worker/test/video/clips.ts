/** Clips for tests: drawn here as Y4M, or made by the ffmpeg of this machine. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VideoSettings } from '@dpu/sdk/runtimes/video';
import type { ShardRequest } from '../../src/runtimes/runtime.ts';

const MIB = 1024 * 1024;

/** What ffmpeg makes by `words`, with `input` as a file beside it called in. */
export function byFfmpeg(words: readonly string[], input?: Uint8Array): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'dpu-clip-'));
  try {
    if (input) writeFileSync(join(folder, 'in'), input);
    const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-nostdin', ...words, join(folder, 'out')], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`ffmpeg failed: ${stderr}`);
    return new Uint8Array(readFileSync(join(folder, 'out')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Two seconds of a test picture as MP4, 24 frames a second. */
export const testPicture = (size = '96x64', words: readonly string[] = []): Uint8Array =>
  byFfmpeg([
    ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=24:duration=2`, '-pix_fmt', 'yuv420p', ...words],
    ...['-c:v', 'libx264', '-crf', '10', '-f', 'mp4'],
  ]);

/** A Y4M of grey frames that says any size and rate. */
export function y4m(
  width: number,
  height: number,
  rate: string,
  frames: number,
  bytes = width * height * 1.5,
): Uint8Array {
  const frame = Buffer.concat([Buffer.from('FRAME\n'), Buffer.alloc(bytes, 128)]);
  return new Uint8Array(
    Buffer.concat([
      Buffer.from(`YUV4MPEG2 W${width} H${height} F${rate} Ip A1:1 C420jpeg\n`),
      ...Array.from({ length: frames }, () => frame),
    ]),
  );
}

const SHAPE = { codec: 'h264', width: 96, height: 64, fps: 24, frames: 48 } as const;

/** The only shard of a job that encodes `clip`. */
export function transcode(
  clip: Uint8Array,
  settings: Partial<Extract<VideoSettings, { step: 'transcode' }>> = {},
  over: Partial<ShardRequest> = {},
  limits: Partial<ShardRequest['limits']> = {},
): ShardRequest {
  return {
    module: new Uint8Array(),
    settings: { step: 'transcode', source: 'clip', quality: 20, ...SHAPE, ...settings },
    args: [],
    shard: 0,
    shards: 1,
    inputs: [{ name: 'clip', bytes: clip }],
    seed: new Uint8Array(32),
    ...over,
    limits: { memoryBytes: 256 * MIB, units: 10_000, outputBytes: MIB, seconds: 20, ...limits },
  };
}

/** The job that joins `parts`. */
export function joined(parts: readonly Uint8Array[], settings: Partial<VideoSettings> = {}): ShardRequest {
  const inputs = parts.map((bytes, index) => ({ name: `parts/${index}`, bytes }));
  return {
    ...transcode(new Uint8Array()),
    settings: { step: 'join', parts: 'parts', ...SHAPE, ...settings },
    inputs,
  };
}
