/** What a comparison needs of an image: its size and its samples, row by row. */
import type { ImageShape, UnreadableReason } from './outcome.ts';

/** Longest side of an image that is compared. */
export const MAX_IMAGE_SIDE = 32_768;
/** Most pixels of an image that is compared: 8192 by 4096. */
export const MAX_IMAGE_PIXELS = 33_554_432;
/** Most bytes of an image's file that is compared. */
export const MAX_IMAGE_FILE_BYTES = 256 * 1024 * 1024;
/** Full scale of a sample. Whole numbers of it hold every depth that PNG knows: 65535 = 257 · 255 = 4369 · 15 = 21845 · 3. */
export const FULL_SCALE = 65_535;
/** One step of 8 bits. */
export const STEP_8 = 257;

/** An image whose head was read, its samples not yet. */
export interface ImageReader extends ImageShape {
  /** What changes how the samples are shown, by chunk type. Empty for raw images. */
  readonly look: ReadonlyMap<string, Uint8Array>;
  /**
   * Rows from the top, four samples a pixel (red, green, blue, alpha), each 0 … 65535. One array is filled again for
   * each row. Throws {@link UnreadableImage}.
   */
  rows(): Generator<Uint16Array, void, undefined>;
}

/** Thrown by readers of images for bytes that are no image they read. Never leaves a comparison. */
export class UnreadableImage extends Error {
  readonly reason: UnreadableReason;

  constructor(reason: UnreadableReason, what: string) {
    super(`The image cannot be read: ${what}.`);
    this.name = 'UnreadableImage';
    this.reason = reason;
  }
}

/** Samples of 8 bits, four a pixel, without a head; the size is the spec's. Throws {@link UnreadableImage}. */
export function readRgba8(bytes: Uint8Array, { width, height }: ImageShape): ImageReader {
  const needed = width * height * 4;
  if (bytes.length !== needed) throw new UnreadableImage('wrong-length', `it has ${bytes.length} bytes, not ${needed}`);
  return {
    width,
    height,
    look: new Map(),
    *rows() {
      const row = new Uint16Array(width * 4);
      for (let start = 0; start < needed; start += row.length) {
        for (let i = 0; i < row.length; i++) row[i] = bytes[start + i]! * STEP_8;
        yield row;
      }
    },
  };
}
