/** The words that ffmpeg is given. Everything that could change a result from run to run is pinned. */
import type { VideoCodec, VideoSettings } from '@dpu/sdk/runtimes/video';
import { FOLDER } from '../../sandbox/isolation.ts';

/** File names in the workplace. */
export const PLACE = { clip: 'clip', list: 'list', result: 'result.mp4' } as const;

/** Seconds before the first wanted frame at which reading begins: what the frame at the border shows must not depend on the border. */
const LEAD_SECONDS = 2;
/** Frames between two that stand alone, at most. */
const GROUP = 240;
/** The largest picture that is decoded, in pixels: 8192 × 4320. */
const MOST_PIXELS = 35_389_440;
/** Pixels that a format may pad a picture by on each side. */
const BORDER = 128;
/** Decoders that may run on a stranger's bytes. */
const DECODERS = [
  ...['h264', 'hevc', 'vp8', 'vp9', 'libdav1d', 'libaom-av1', 'av1'],
  ...['mpeg1video', 'mpeg2video', 'mpeg4', 'mjpeg', 'prores', 'dnxhd', 'ffv1', 'rawvideo', 'wrapped_avframe'],
].join(',');

/** The decoders of what we made: a result in another format than the spec asks for cannot be read. */
const OWN_DECODERS: Readonly<Record<VideoCodec, string>> = {
  h264: 'h264',
  vp9: 'vp9,libvpx-vp9',
  av1: 'libdav1d,libaom-av1,av1',
};

/** One thread each, because several decide in another order; the slower speeds would be better by little. */
const ENCODERS: Readonly<Record<VideoCodec, readonly string[]>> = {
  h264: ['libx264', '-preset', 'medium', '-profile:v', 'high'],
  vp9: ['libvpx-vp9', '-b:v', '0', '-deadline', 'good', '-cpu-used', '4', '-row-mt', '0', '-tile-columns', '0'],
  av1: ['libaom-av1', '-b:v', '0', '-usage', 'good', '-cpu-used', '8', '-row-mt', '0', '-tiles', '1x1'],
};

const QUIET = ['-nostdin', '-hide_banner', '-nostats', '-loglevel', 'error'];
const ONE_THREAD = ['-threads', '1', '-filter_threads', '1', '-filter_complex_threads', '1'];
const ONLY_FILES = ['-protocol_whitelist', 'file'];
const ONLY_PICTURES = ['-map', '0:v:0', '-an', '-sn', '-dn'];
const PLAIN_FILE = [
  ...['-map_metadata', '-1', '-map_chapters', '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact'],
  ...['-movflags', '+faststart', '-f', 'mp4', '-y'],
];
const inside = (name: string): string => `file:${FOLDER}/${name}`;

/** Reads the clip by a demuxer that is named, with the decoders that are listed. */
const reading = (demuxer: string, decoders: string, most: number): string[] => [
  ...['-codec_whitelist', decoders, '-max_pixels', String(most), ...ONLY_FILES, '-f', demuxer],
  ...['-i', inside(PLACE.clip)],
];

/**
 * Encodes frames `first` … `first + count - 1` anew. Their places are whole numbers on a grid that begins with the clip, so that
 * neighbouring parts neither repeat nor lose a frame.
 */
export function transcodeWords(
  { codec, width, height, fps, quality }: Extract<VideoSettings, { step: 'transcode' }>,
  { first, count }: { readonly first: number; readonly count: number },
  demuxer: string,
): string[] {
  const from = Math.max(0, first / fps - LEAD_SECONDS);
  const filters = [
    `fps=${fps}:round=near`,
    `trim=start_pts=${first}:end_pts=${first + count}`,
    'setpts=PTS-STARTPTS',
    `scale=${width}:${height}:flags=bicubic+accurate_rnd+full_chroma_int+bitexact`,
    'setsar=1',
    'format=yuv420p',
  ];
  return [
    ...QUIET,
    ...['-progress', 'pipe:1'],
    ...ONE_THREAD,
    ...['-copyts', '-start_at_zero', '-noaccurate_seek', '-ss', from.toFixed(6)],
    ...reading(demuxer, DECODERS, MOST_PIXELS),
    ...ONLY_PICTURES,
    ...['-vf', filters.join(','), '-fps_mode', 'passthrough', '-frames:v', String(count)],
    ...['-c:v', ...ENCODERS[codec], '-crf', String(quality), '-g', String(GROUP), '-threads', '1'],
    ...PLAIN_FILE,
    inside(PLACE.result),
  ];
}

/** Name of part `index` in the workplace. */
export const partName = (index: number): string => `parts/${index}`;

/** The list that the joining reads. Written by us: names of our own files only. */
export const partList = (count: number): string =>
  ['ffconcat version 1.0', ...Array.from({ length: count }, (_, index) => `file ${partName(index)}`), ''].join('\n');

/** Puts parts together without decoding them. */
export function joinWords(): string[] {
  return [
    ...QUIET,
    ...['-progress', 'pipe:1'],
    ...['-f', 'concat', '-safe', '1', ...ONLY_FILES, '-format_whitelist', 'concat,mov', '-i', inside(PLACE.list)],
    ...[...ONLY_PICTURES, '-c', 'copy', ...PLAIN_FILE, inside(PLACE.result)],
  ];
}

/** What frames of a result must be. */
export type FrameShape = Pick<VideoSettings, 'codec' | 'width' | 'height' | 'fps'>;

/** Decodes a result to frames of four bytes a pixel, at the rate that it should have: a wrong time makes wrong frames. */
export function framesWords({ codec, width, height, fps }: FrameShape): string[] {
  return [
    ...QUIET,
    ...ONE_THREAD,
    ...reading('mov', OWN_DECODERS[codec], (width + BORDER) * (height + BORDER)),
    ...ONLY_PICTURES,
    ...['-vf', `fps=${fps}:start_time=0:round=near,format=rgba`],
    ...['-sws_flags', 'bicubic+accurate_rnd+full_chroma_int+bitexact'],
    ...['-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'],
  ];
}
