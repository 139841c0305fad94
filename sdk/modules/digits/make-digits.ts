/** Makes the built-in classifier: draws digits, trains a small network on them and writes it as an ONNX model. No data of others, the same bytes every time. */
import { encodeModel, tensor } from '../../src/onnx/writeModel.ts';
import { CLASSES, drawDigits, Random, SIDE, type Digits } from './draw.ts';

const PIXELS = SIDE * SIDE;
const HIDDEN = 32;
const TRAINING_ITEMS = 4_000;
const EPOCHS = 4;
const RATE = 0.03;
/** Drawings that the network never saw, for the job. */
export const TEST_ITEMS = 2_048;
const SEEDS = { training: 20_260_101, test: 20_260_202, weights: 7 } as const;

/** The files of the built-in job. */
export interface DigitsAssets {
  /** From u8 [N, 256] called `pixels` to f32 [N, 10] called `scores`. */
  readonly model: Uint8Array;
  readonly pixels: Uint8Array;
  /** One byte for each drawing. */
  readonly labels: Uint8Array;
  /** Share of the test drawings that the network gets right, as computed here. */
  readonly accuracy: number;
}

/** e^x with nothing but products: (1 + x / 4096)^4096, the same bits everywhere, near enough for training. */
function exp(x: number): number {
  let value = Math.max(0, 1 + x / 4096);
  for (let i = 0; i < 12; i++) value *= value;
  return value;
}

/** One layer: `weights` of inputs × outputs, row by row. */
interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

function layer(inputs: number, outputs: number, random: Random): Layer {
  const scale = 2 / Math.sqrt(inputs);
  const weights = Float64Array.from({ length: inputs * outputs }, () => scale * random.around());
  return { inputs, outputs, weights, bias: new Float64Array(outputs) };
}

function apply({ inputs, outputs, weights, bias }: Layer, x: Float64Array): Float64Array {
  const y = bias.slice();
  for (let i = 0; i < inputs; i++) {
    const value = x[i]!;
    if (value === 0) continue;
    const row = i * outputs;
    for (let j = 0; j < outputs; j++) y[j]! += value * weights[row + j]!;
  }
  return y;
}

/** Moves the layer against the gradient `dy` of its outputs and returns that of its inputs. */
function learn({ inputs, outputs, weights, bias }: Layer, x: Float64Array, dy: Float64Array): Float64Array {
  const dx = new Float64Array(inputs);
  for (let i = 0; i < inputs; i++) {
    const row = i * outputs;
    const step = RATE * x[i]!;
    let sum = 0;
    for (let j = 0; j < outputs; j++) {
      sum += weights[row + j]! * dy[j]!;
      weights[row + j]! -= step * dy[j]!;
    }
    dx[i] = sum;
  }
  for (let j = 0; j < outputs; j++) bias[j]! -= RATE * dy[j]!;
  return dx;
}

const pixelsOf = ({ pixels }: Digits, item: number): Float64Array =>
  Float64Array.from(pixels.subarray(item * PIXELS, (item + 1) * PIXELS), (value) => value / 255);

function softmax(scores: Float64Array): Float64Array {
  const most = scores.reduce((a, b) => Math.max(a, b));
  const powers = scores.map((score) => exp(score - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

/** The network after training: two layers with a rectifier between. */
function train(digits: Digits): readonly [Layer, Layer] {
  const random = new Random(SEEDS.weights);
  const [first, second] = [layer(PIXELS, HIDDEN, random), layer(HIDDEN, CLASSES, random)];
  for (let step = 0; step < EPOCHS * TRAINING_ITEMS; step++) {
    const item = Math.floor(random.next() * TRAINING_ITEMS);
    const x = pixelsOf(digits, item);
    const hidden = apply(first, x).map((value) => Math.max(0, value));
    const error = softmax(apply(second, hidden));
    error[digits.labels[item]!]! -= 1;
    const back = learn(second, hidden, error);
    learn(
      first,
      x,
      back.map((value, j) => (hidden[j]! > 0 ? value : 0)),
    );
  }
  return [first, second];
}

function write([first, second]: readonly [Layer, Layer]): Uint8Array {
  return encodeModel({
    inputs: [{ name: 'pixels', type: 'u8', dims: ['N', PIXELS] }],
    outputs: [{ name: 'scores', type: 'f32', dims: ['N', CLASSES] }],
    constants: {
      scale: tensor('f32', [1], [1 / 255]),
      weights1: tensor('f32', [PIXELS, HIDDEN], first.weights),
      bias1: tensor('f32', [HIDDEN], first.bias),
      weights2: tensor('f32', [HIDDEN, CLASSES], second.weights),
      bias2: tensor('f32', [CLASSES], second.bias),
    },
    nodes: [
      { op: 'Cast', inputs: ['pixels'], outputs: ['bytes'], attributes: { to: { int: 1 } } },
      { op: 'Mul', inputs: ['bytes', 'scale'], outputs: ['light'] },
      { op: 'Gemm', inputs: ['light', 'weights1', 'bias1'], outputs: ['sums'] },
      { op: 'Relu', inputs: ['sums'], outputs: ['hidden'] },
      { op: 'Gemm', inputs: ['hidden', 'weights2', 'bias2'], outputs: ['scores'] },
    ],
  });
}

/** Draws, trains and writes. Takes a few seconds. */
export function makeDigits(): DigitsAssets {
  const network = train(drawDigits(TRAINING_ITEMS, SEEDS.training));
  const test = drawDigits(TEST_ITEMS, SEEDS.test);
  let right = 0;
  for (let item = 0; item < TEST_ITEMS; item++) {
    const scores = apply(
      network[1],
      apply(network[0], pixelsOf(test, item)).map((value) => Math.max(0, value)),
    );
    if (scores.indexOf(scores.reduce((a, b) => Math.max(a, b))) === test.labels[item]) right++;
  }
  return { model: write(network), ...test, accuracy: right / TEST_ITEMS };
}
