/**
 * Which demuxer reads a clip, told from its first bytes. The node names it to ffmpeg, so that ffmpeg never guesses: a playlist, a list
 * of other files, a picture sequence or a subtitle that names files is none of these, whatever it is called.
 */

const ascii = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));

const TS_PACKET = 188;
const TS_SYNC = 0x47;

/** Demuxers of files that hold their own data, and how their files begin. */
const FORMATS: readonly [demuxer: string, begins: (bytes: Uint8Array) => boolean][] = [
  ['mov', (bytes) => ascii(bytes, 4, 8) === 'ftyp'],
  ['matroska', (bytes) => bytes[0] === 0x1a && bytes[1] === 0x45 && bytes[2] === 0xdf && bytes[3] === 0xa3],
  ['yuv4mpegpipe', (bytes) => ascii(bytes, 0, 10) === 'YUV4MPEG2 '],
  ['avi', (bytes) => ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'AVI '],
  ['mpegts', (bytes) => bytes.length > 2 * TS_PACKET && [0, 1, 2].every((i) => bytes[i * TS_PACKET] === TS_SYNC)],
];

/** The demuxer for a clip; undefined when it is of no format that is taken. */
export function demuxerOf(clip: Uint8Array): string | undefined {
  return FORMATS.find(([, begins]) => begins(clip))?.[0];
}
