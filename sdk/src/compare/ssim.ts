/**
 * Mean structural similarity of two grey images, fed row by row.
 *
 * Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from error visibility to structural
 * similarity", IEEE Transactions on Image Processing 13(4), 2004, equation 13 with the constants of section III-C: an
 * 11 by 11 circular-symmetric Gaussian window of standard deviation 1.5, K1 = 0.01, K2 = 0.03, one window for each
 * position at which it lies within the image.
 */
import { FULL_SCALE } from './image.ts';

/** Side of the window. */
export const WINDOW = 11;
/** The Gaussian in 2^-24ths, rounded so that the sum is exactly 1: `Math.exp` may differ between machines. */
const WEIGHTS = [
  17_253, 127_486, 603_993, 1_834_768, 3_573_640, 4_462_936, 3_573_640, 1_834_768, 603_993, 127_486, 17_253,
].map((weight) => weight / 16_777_216);
/** (K1 · L)² and (K2 · L)², L being full scale. */
const C1 = (FULL_SCALE * FULL_SCALE) / 10_000;
const C2 = (9 * FULL_SCALE * FULL_SCALE) / 10_000;
/** What is averaged over a window: x, y, x², y², xy. */
const MAPS = 5;

/** Adds up the similarity of the windows of an image while its rows arrive. Holds 11 rows. */
export class Ssim {
  readonly #width: number;
  /** Rows of the five maps, each averaged along the row, the newest at `#count` modulo 11. */
  readonly #lines: readonly Float64Array[];
  readonly #windows: number;
  #count = 0;
  #sum = 0;
  #total = 0;

  /** For rows of `width` values of 0 … 65535, at least 11. */
  constructor(width: number) {
    this.#width = width;
    this.#windows = width - WINDOW + 1;
    this.#lines = Array.from({ length: WINDOW }, () => new Float64Array(MAPS * this.#windows));
  }

  /** Takes the next row of both images. */
  push(left: Float64Array, right: Float64Array): void {
    average(this.#lines[this.#count++ % WINDOW]!, this.#width, left, right);
    if (this.#count < WINDOW) return;
    const ordered = WEIGHTS.map((_, i) => this.#lines[(this.#count + i) % WINDOW]!);
    for (let at = 0; at < MAPS * this.#windows; at += MAPS) {
      let [x, y, xx, yy, xy] = [0, 0, 0, 0, 0];
      for (let i = 0; i < WINDOW; i++) {
        const weight = WEIGHTS[i]!;
        const line = ordered[i]!;
        x += weight * line[at]!;
        y += weight * line[at + 1]!;
        xx += weight * line[at + 2]!;
        yy += weight * line[at + 3]!;
        xy += weight * line[at + 4]!;
      }
      const both = x * y;
      const squares = x * x + y * y;
      this.#sum += ((2 * both + C1) * (2 * (xy - both) + C2)) / ((squares + C1) * (xx + yy - squares + C2));
    }
    this.#total += this.#windows;
  }

  /** The mean over all windows. Call it after at least 11 rows. */
  get mean(): number {
    return this.#sum / this.#total;
  }
}

/** Averages the five maps along a row with the window's weights. */
function average(line: Float64Array, width: number, left: Float64Array, right: Float64Array): void {
  for (let start = 0, at = 0; start + WINDOW <= width; start++, at += MAPS) {
    let [x, y, xx, yy, xy] = [0, 0, 0, 0, 0];
    for (let i = 0; i < WINDOW; i++) {
      const weight = WEIGHTS[i]!;
      const a = left[start + i]!;
      const b = right[start + i]!;
      x += weight * a;
      y += weight * b;
      xx += weight * (a * a);
      yy += weight * (b * b);
      xy += weight * (a * b);
    }
    line[at] = x;
    line[at + 1] = y;
    line[at + 2] = xx;
    line[at + 3] = yy;
    line[at + 4] = xy;
  }
}
