/** The images that the train job learns from: two sets of two files in the IDX format of MNIST. */
import type { Problem } from '../problems.ts';
import type { TrainSizes } from './trainLimits.ts';
import type { TemplateFile } from './types.ts';

const MIB = 1024 * 1024;
const IMAGES_MAGIC = 0x0803;
const LABELS_MAGIC = 0x0801;
const IMAGES_HEAD = 16;
const LABELS_HEAD = 8;
/** Most pixels of an image. */
const MAX_PIXELS = 65_536;

/** Sizes of the built-in set, which the build draws. A test compares the two. */
export const BUILT_IN = { train: 8_000, test: 2_000, pixels: 256 } as const;

const file = (name: string, description: string, maxBytes: number): TemplateFile => ({
  name,
  description,
  accept: ['.idx', '.idx1-ubyte', '.idx3-ubyte'],
  maxBytes,
});

/** The files that a person may bring: all four, or none. */
export const dataFiles: readonly TemplateFile[] = [
  file('train-images.idx', 'Images to learn from, in the IDX format of MNIST.', 256 * MIB),
  file('train-labels.idx', 'What each of them shows, one byte each.', 8 * MIB),
  file('test-images.idx', 'Images that the network is tested on. It does not learn from them.', 64 * MIB),
  file('test-labels.idx', 'What each of those shows.', 2 * MIB),
];

/** Everything that is wrong with the files that were brought. */
export function dataProblems(provided: ReadonlyMap<string, Uint8Array>, shards: number): Problem[] {
  const problems: Problem[] = [];
  if (provided.size === 0) return problems;
  for (const path of provided.keys()) {
    if (dataFiles.some(({ name }) => name === path)) continue;
    problems.push({ path, sentence: `is not used: bring ${dataFiles.map(({ name }) => name).join(', ')}` });
  }
  for (const { name, maxBytes } of dataFiles) {
    const bytes = provided.get(name);
    const sentence =
      bytes === undefined
        ? 'is missing: bring all four files, or none'
        : bytes.length > maxBytes
          ? `is ${bytes.length} bytes long, the most is ${maxBytes}`
          : undefined;
    if (sentence) problems.push({ path: name, sentence });
  }
  if (problems.length > 0) return problems;

  const [train, test] = [setProblems(provided, 'train'), setProblems(provided, 'test')];
  problems.push(...train, ...test);
  if (problems.length > 0) return problems;
  const [learnt, tested] = [headOf(provided, 'train'), headOf(provided, 'test')];
  if (learnt.pixels !== tested.pixels) {
    problems.push({ path: 'test-images.idx', sentence: 'has images of another size than train-images.idx' });
  }
  if (learnt.count < shards) {
    problems.push({
      path: 'train-images.idx',
      sentence: `has ${learnt.count} images, fewer than the ${shards} shards`,
    });
  }
  return problems;
}

/** Sizes of files without problems. */
export function sizesOf(provided: ReadonlyMap<string, Uint8Array>): Pick<TrainSizes, 'train' | 'test' | 'pixels'> {
  const [train, test] = [headOf(provided, 'train'), headOf(provided, 'test')];
  return { train: train.count, test: test.count, pixels: train.pixels };
}

/** Images and labels of one set. */
export interface ImageSet {
  readonly count: number;
  /** Of one image. */
  readonly pixels: number;
  /** A byte for each pixel, image after image. */
  readonly bytes: Uint8Array;
  /** A byte for each image. */
  readonly labels: Uint8Array;
}

/** What two files without problems hold. */
export function imagesOf(images: Uint8Array, labels: Uint8Array): ImageSet {
  const view = new DataView(images.buffer, images.byteOffset, images.byteLength);
  return {
    count: view.getUint32(4),
    pixels: view.getUint32(8) * view.getUint32(12),
    bytes: images.subarray(IMAGES_HEAD),
    labels: labels.subarray(LABELS_HEAD),
  };
}

function viewOf(provided: ReadonlyMap<string, Uint8Array>, name: string): DataView {
  const bytes = provided.get(name) ?? new Uint8Array();
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function headOf(provided: ReadonlyMap<string, Uint8Array>, kind: 'train' | 'test'): { count: number; pixels: number } {
  const view = viewOf(provided, `${kind}-images.idx`);
  return { count: view.getUint32(4), pixels: view.getUint32(8) * view.getUint32(12) };
}

function setProblems(provided: ReadonlyMap<string, Uint8Array>, kind: 'train' | 'test'): Problem[] {
  const [images, labels] = [`${kind}-images.idx`, `${kind}-labels.idx`];
  const [imagesView, labelsView] = [viewOf(provided, images), viewOf(provided, labels)];
  if (imagesView.byteLength < IMAGES_HEAD || imagesView.getUint32(0) !== IMAGES_MAGIC) {
    return [{ path: images, sentence: 'is no IDX file of images: it must begin with 00 00 08 03' }];
  }
  if (labelsView.byteLength < LABELS_HEAD || labelsView.getUint32(0) !== LABELS_MAGIC) {
    return [{ path: labels, sentence: 'is no IDX file of labels: it must begin with 00 00 08 01' }];
  }
  const { count, pixels } = headOf(provided, kind);
  const rules: readonly [holds: boolean, path: string, sentence: string][] = [
    [count > 0, images, 'has no images'],
    [
      pixels > 0 && pixels <= MAX_PIXELS && pixels % 4 === 0,
      images,
      `has images of ${pixels} pixels: it must be a multiple of 4, at most ${MAX_PIXELS}`,
    ],
    [imagesView.byteLength === IMAGES_HEAD + count * pixels, images, `does not hold the ${count} images that it says`],
    [
      labelsView.getUint32(4) === count && labelsView.byteLength === LABELS_HEAD + count,
      labels,
      `does not hold a label for each of the ${count} images`,
    ],
  ];
  return rules.filter(([holds]) => !holds).map(([, path, sentence]) => ({ path, sentence }));
}
