/** Images by how they look: mean error, errors of single pixels, and structural similarity. */
import { concat, type FileSource } from '../storage/bytes.ts';
import { MILLION, type PerceptualComparator } from './comparator.ts';
import { FULL_SCALE, MAX_IMAGE_FILE_BYTES, readRgba8, UnreadableImage, type ImageReader } from './image.ts';
import { IDENTICAL, isWithinShare, measured, unreadable, type Comparison, type UnreadableReason } from './outcome.ts';
import { readPng } from './png.ts';
import { BlockReader, firstDifference, Turns, type CompareOptions } from './source.ts';
import { Ssim, WINDOW } from './ssim.ts';

const BLOCK_BYTES = 256 * 1024;
/** What a pixel costs beside a byte of a plain comparison, about. */
const COST_OF_PIXEL = 64;

/**
 * Compares two images. They are the same when all of this holds: the mean absolute error over all samples is at most
 * `maxMeanErrorPpm`; at most `outliersPpm` of the pixels have a sample, alpha included, that is off by more than
 * `pixelErrorPpm`; and the mean structural similarity of the luma is at least `minSsimPpm`. Images of other sizes, or
 * whose metadata show them differently, are never the same. Holds both files, at most 256 MiB each (and one of them a
 * second time while the pieces of a stream are joined), and 32 MiB of rows.
 *
 * Means and shares are decided in whole numbers. The similarity is made of sums, products and one quotient of doubles,
 * which IEEE 754 rounds in one way on every machine.
 */
export async function comparePerceptual(
  comparator: PerceptualComparator,
  left: FileSource,
  right: FileSource,
  options: CompareOptions = {},
): Promise<Comparison> {
  const files = await readFiles(left, right, options);
  if (files === 'identical') return IDENTICAL;
  const images = files.map((file) => openImage(comparator, file)) as [Opened, Opened];
  const [a, b] = images;
  if (typeof a === 'string' || typeof b === 'string') {
    const [first, second] = images.map((image) => (typeof image === 'string' ? image : undefined));
    return unreadable(first, second);
  }
  if (a.width !== b.width || a.height !== b.height) {
    const [first, second] = [a, b].map(({ width, height }) => ({ width, height }));
    return { same: false, reason: 'different-shape', difference: { kind: 'shape', left: first!, right: second! } };
  }
  const chunks = differentChunks(a.look, b.look);
  if (chunks.length > 0) return { same: false, reason: 'different-look', difference: { kind: 'look', chunks } };
  return compareRows(comparator, a, b, new Turns(options.signal));
}

type Opened = ImageReader | UnreadableReason;

/** Both files, undefined where one is too large to be held; or that they are identical, however large. */
async function readFiles(
  left: FileSource,
  right: FileSource,
  { signal }: CompareOptions,
): Promise<'identical' | [Uint8Array | undefined, Uint8Array | undefined]> {
  const sides = [left, right].map((source) => new Side(source, signal)) as [Side, Side];
  const turns = new Turns(signal);
  let isIdentical = true;
  try {
    while (sides.some((side) => !side.isDone(isIdentical))) {
      await turns.took(BLOCK_BYTES);
      const [a, b] = [await sides[0].next(), await sides[1].next()];
      isIdentical &&= a.length === b.length && firstDifference(a, b) < 0;
    }
    return isIdentical ? 'identical' : [sides[0].file(), sides[1].file()];
  } finally {
    for (const side of sides) await side.close();
  }
}

/** A file as it is collected. What is too large is still read while it may be identical, but not kept. */
class Side {
  readonly #source: FileSource;
  readonly #reader: BlockReader;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #isEnded = false;

  constructor(source: FileSource, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#reader = new BlockReader(source, signal);
  }

  isDone(isIdentical: boolean): boolean {
    return this.#isEnded || (!isIdentical && this.#isTooLarge);
  }

  async next(): Promise<Uint8Array> {
    const block = await this.#reader.read(BLOCK_BYTES);
    this.#isEnded = block.length < BLOCK_BYTES;
    this.#bytes += block.length;
    if (this.#isTooLarge) this.#parts = [];
    else if (!(this.#source instanceof Uint8Array)) this.#parts.push(block);
    return block;
  }

  file(): Uint8Array | undefined {
    if (this.#isTooLarge) return undefined;
    if (this.#source instanceof Uint8Array) return this.#source;
    const file = concat(this.#parts);
    this.#parts = [];
    return file;
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }

  get #isTooLarge(): boolean {
    return this.#bytes > MAX_IMAGE_FILE_BYTES;
  }
}

function openImage({ image }: PerceptualComparator, file: Uint8Array | undefined): Opened {
  if (!file) return 'too-large';
  try {
    return image.kind === 'png' ? readPng(file) : readRgba8(file, image);
  } catch (error) {
    return reasonOf(error);
  }
}

/** Why an image could not be read. Anything else that was thrown is a mistake of ours, and goes on. */
function reasonOf(error: unknown): UnreadableReason {
  if (error instanceof UnreadableImage) return error.reason;
  throw error;
}

function differentChunks(left: ImageReader['look'], right: ImageReader['look']): string[] {
  const types = [...new Set([...left.keys(), ...right.keys()])].sort();
  return types.filter((type) => {
    const [a, b] = [left.get(type), right.get(type)];
    return !a || !b || a.length !== b.length || firstDifference(a, b) >= 0;
  });
}

async function compareRows(
  comparator: PerceptualComparator,
  left: ImageReader,
  right: ImageReader,
  turns: Turns,
): Promise<Comparison> {
  const { width, height } = left;
  const rows = [left.rows(), right.rows()] as const;
  const errors = new ErrorSum(comparator.pixelErrorPpm);
  const luma = [new Float64Array(Math.max(width, WINDOW)), new Float64Array(Math.max(width, WINDOW))] as const;
  const ssim = new Ssim(luma[0].length);
  for (let y = 0; ; y++) {
    await turns.took(width * COST_OF_PIXEL);
    const [a, b] = [nextRow(rows[0]), nextRow(rows[1])];
    if (typeof a === 'string' || typeof b === 'string')
      return unreadable(typeof a === 'string' ? a : undefined, typeof b === 'string' ? b : undefined);
    // Both have as many rows as their heads say, or were found broken above.
    if (!a || !b) break;
    errors.add(a, b);
    fillLuma(a, luma[0]);
    fillLuma(b, luma[1]);
    // Images lower than the window are continued by their last row.
    const times = y === height - 1 ? Math.max(1, WINDOW - y) : 1;
    for (let i = 0; i < times; i++) ssim.push(...luma);
  }
  const pixels = width * height;
  const same =
    isWithinShare(errors.sum, pixels * 4 * FULL_SCALE, comparator.maxMeanErrorPpm) &&
    isWithinShare(errors.outliers, pixels, comparator.outliersPpm) &&
    ssim.mean * MILLION >= comparator.minSsimPpm;
  return measured(same, {
    kind: 'perceptual',
    width,
    height,
    meanError: errors.sum / (pixels * 4 * FULL_SCALE),
    maxError: errors.max / FULL_SCALE,
    outliers: errors.outliers,
    ssim: ssim.mean,
  });
}

function nextRow(rows: Generator<Uint16Array, void, undefined>): Uint16Array | UnreadableReason | undefined {
  try {
    return rows.next().value ?? undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Absolute errors of samples in whole steps of full scale; the sum of the largest image stays below 2^53. */
class ErrorSum {
  readonly #limit: number;
  sum = 0;
  max = 0;
  outliers = 0;

  constructor(pixelErrorPpm: number) {
    // A whole error is more than the limit exactly when it is more than the limit rounded down.
    this.#limit = Math.floor((pixelErrorPpm * FULL_SCALE) / MILLION);
  }

  add(left: Uint16Array, right: Uint16Array): void {
    for (let i = 0; i < left.length; i += 4) {
      let worst = 0;
      for (let c = i; c < i + 4; c++) {
        const error = Math.abs(left[c]! - right[c]!);
        this.sum += error;
        if (error > worst) worst = error;
      }
      if (worst > this.max) this.max = worst;
      if (worst > this.#limit) this.outliers++;
    }
  }
}

/** Luma with the weights of ITU-R BT.601, 0 … 65535. What lies right of the row repeats its last pixel. */
function fillLuma(row: Uint16Array, luma: Float64Array): void {
  const width = row.length / 4;
  for (let x = 0; x < width; x++) luma[x] = (299 * row[4 * x]! + 587 * row[4 * x + 1]! + 114 * row[4 * x + 2]!) / 1000;
  luma.fill(luma[width - 1]!, width);
}
