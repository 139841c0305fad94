/** Makes the images that the train template learns from and is tested on, in the IDX format of MNIST. The same bytes every time. */
import { drawDigits, SIDE } from './draw.ts';

/** How many images there are to learn from and to test on, and their side in pixels. */
export const DIGITS = { train: 8_000, test: 2_000, side: SIDE } as const;
const SEEDS = { train: 1, test: 2 } as const;

function idx(magic: number, sizes: readonly number[], bytes: Uint8Array): Uint8Array {
  const file = new Uint8Array(4 + 4 * sizes.length + bytes.length);
  const view = new DataView(file.buffer);
  [magic, ...sizes].forEach((value, i) => view.setUint32(4 * i, value));
  file.set(bytes, file.length - bytes.length);
  return file;
}

function makeSet(count: number, seed: number): { images: Uint8Array; labels: Uint8Array } {
  const { pixels, labels } = drawDigits(count, seed);
  return { images: idx(0x0803, [count, SIDE, SIDE], pixels), labels: idx(0x0801, [count], labels) };
}

/** The files of the built-in data set by name. Its two sets share no image. */
export function makeSets(): Record<string, Uint8Array> {
  const [train, test] = [makeSet(DIGITS.train, SEEDS.train), makeSet(DIGITS.test, SEEDS.test)];
  return {
    'train-images.idx': train.images,
    'train-labels.idx': train.labels,
    'test-images.idx': test.images,
    'test-labels.idx': test.labels,
  };
}
