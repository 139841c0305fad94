/** How much work a model is, counted from its graph alone: the same number on every machine. */
import type { OnnxModel } from './readModel.ts';
import { matMulShape, walkShapes, type Known, type Shape } from './shapes.ts';

/** One unit in operations. */
const OPERATIONS_PER_UNIT = 1_000_000;

/** Where the two factors of operators that multiply stand among the inputs. */
const FACTORS: Readonly<Record<string, readonly [number, number]>> = {
  MatMul: [0, 1],
  MatMulInteger: [0, 1],
  FusedMatMul: [0, 1],
  MatMulIntegerToFloat: [0, 1],
  DynamicQuantizeMatMul: [0, 1],
  QLinearMatMul: [0, 3],
  Gemm: [0, 1],
};
/** Where the weights of convolutions stand. */
const WEIGHTS: Readonly<Record<string, number>> = { Conv: 1, ConvInteger: 1, FusedConv: 1, QLinearConv: 3 };

const elements = (shape: Shape): number => shape?.reduce((product, side) => product * side, 1) ?? 0;

/**
 * Operations of one run of a model on inputs of the given shapes: two for each multiplication with its addition in matrix
 * products and convolutions, one for each element in the window of a pool, else one for each element of the largest tensor that
 * the operator reads or writes. Where a shape cannot be known, only the others count.
 * @throws OnnxError when a tensor would be larger than a tensor may be.
 */
export function operationsOf(model: OnnxModel, feeds: ReadonlyMap<string, readonly number[]>): number {
  let operations = 0;
  walkShapes(model, feeds, (node, outputs) => {
    operations += Math.max(1, multiplications(node, outputs[0]) ?? largest(node, outputs));
  });
  return Math.min(operations, Number.MAX_SAFE_INTEGER);
}

/** What units depend on; settings of the onnx runtime have it. */
interface Batches {
  readonly batch: number;
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/**
 * Units of a shard of `count` items: one operation for each byte of the model, which has to be read, and the operations of every
 * batch. At least 1.
 * @throws OnnxError when a tensor would be larger than a tensor may be.
 */
export function unitsOf(model: OnnxModel, { batch, inputs }: Batches, modelBytes: number, count: number): number {
  const operations = (items: number): number =>
    items === 0 ? 0 : operationsOf(model, new Map(inputs.map(({ name, shape }) => [name, [items, ...shape]])));
  const whole = Math.floor(count / batch);
  const all = modelBytes + (whole === 0 ? 0 : whole * operations(batch)) + operations(count % batch);
  return Math.max(1, Math.ceil(Math.min(all, Number.MAX_SAFE_INTEGER) / OPERATIONS_PER_UNIT));
}

function multiplications(node: Known, output: Shape): number | undefined {
  const factors = FACTORS[node.op];
  if (factors !== undefined) {
    const [a, b] = [node.shapes[factors[0]], node.shapes[factors[1]]];
    const depth = node.op === 'Gemm' && node.attributes.get('transA')?.int ? a?.[0] : a?.at(-1);
    const made = output ?? matMulShape(a, b);
    return depth === undefined || made === undefined ? undefined : 2 * depth * elements(made);
  }
  const at = WEIGHTS[node.op];
  if (at !== undefined) {
    const weights = node.shapes[at];
    // Every element of the output takes the weights of its own channel.
    return weights === undefined || output === undefined
      ? undefined
      : 2 * elements(weights.slice(1)) * elements(output);
  }
  if (['MaxPool', 'AveragePool', 'LpPool'].includes(node.op)) {
    const window = node.attributes.get('kernel_shape')?.ints;
    return window === undefined || output === undefined ? undefined : elements(window) * elements(output);
  }
  return undefined;
}

const largest = ({ shapes }: Known, outputs: readonly Shape[]): number =>
  [...shapes, ...outputs].reduce((most, shape) => Math.max(most, elements(shape)), 0);
