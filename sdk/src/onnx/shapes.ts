/** Shapes of what a model's operators make, as far as they follow from the shapes of its inputs. */
import { checkedElements, type OnnxModel, type OnnxNode, type OnnxValue } from './readModel.ts';

/** Sides of a tensor; undefined where they cannot be known before the model runs. */
export type Shape = readonly number[] | undefined;

/** What is known about the values of a model, by name. */
export interface Knowledge {
  readonly shapes: Map<string, Shape>;
  /** Numbers of small tensors that shapes depend on. */
  readonly numbers: Map<string, readonly number[]>;
}

/** An operator with what is known of its inputs. */
export interface Known extends OnnxNode {
  readonly shapes: readonly Shape[];
  readonly numbers: readonly (readonly number[] | undefined)[];
}

type Rule = (node: Known) => readonly Shape[];

const MAX_NUMBERS = 64;
const int = ({ attributes }: OnnxNode, name: string, otherwise: number): number =>
  attributes.get(name)?.int ?? otherwise;
const ints = ({ attributes }: OnnxNode, name: string): readonly number[] | undefined => attributes.get(name)?.ints;
const fromEnd = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

const same: Rule = ({ shapes, outputs }) => outputs.map(() => shapes[0]);

/** The shape of two that are stretched to each other: sides of 1 fit every side. */
export function broadcast(shapes: readonly Shape[]): Shape {
  let result: readonly number[] | undefined;
  for (const shape of shapes) {
    if (shape === undefined) return undefined;
    if (result === undefined) {
      result = shape;
      continue;
    }
    const [long, short] = result.length >= shape.length ? [result, shape] : [shape, result];
    const offset = long.length - short.length;
    result = long.map((side, i) => {
      const other = i < offset ? 1 : short[i - offset]!;
      return side === 1 ? other : side;
    });
  }
  return result;
}

const broadcasts: Rule = ({ shapes }) => [broadcast(shapes)];

/** Two matrices, or stacks of them. */
export function matMulShape(a: Shape, b: Shape): Shape {
  if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return undefined;
  const stack = broadcast([a.slice(0, -2), b.slice(0, -2)]);
  if (stack === undefined) return undefined;
  return [...stack, ...(a.length > 1 ? [a.at(-2)!] : []), ...(b.length > 1 ? [b.at(-1)!] : [])];
}

function gemm(node: Known): readonly Shape[] {
  const [a, b] = node.shapes;
  if (a?.length !== 2 || b?.length !== 2) return [undefined];
  return [[a[int(node, 'transA', 0) ? 1 : 0]!, b[int(node, 'transB', 0) ? 0 : 1]!]];
}

/** Sides after a window has moved over them. */
function windows(node: Known, kernel: readonly number[], input: readonly number[]): readonly number[] {
  const isCeil = int(node, 'ceil_mode', 0) !== 0;
  const pads = ints(node, 'pads') ?? [];
  const isSame = node.attributes.get('auto_pad')?.text?.startsWith('SAME') ?? false;
  return input.map((side, i) => {
    const stride = ints(node, 'strides')?.[i] ?? 1;
    const reach = (ints(node, 'dilations')?.[i] ?? 1) * (kernel[i]! - 1) + 1;
    if (isSame) return Math.ceil(side / stride);
    const room = side + (pads[i] ?? 0) + (pads[i + input.length] ?? 0) - reach;
    return Math.max(0, (isCeil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1);
  });
}

function convolution(node: Known, at: number): readonly Shape[] {
  const input = node.shapes[0];
  const weights = node.shapes[at];
  if (input === undefined || weights === undefined || input.length < 3 || weights.length !== input.length) {
    return [undefined];
  }
  return [[input[0]!, weights[0]!, ...windows(node, weights.slice(2), input.slice(2))]];
}

const pool: Rule = (node) => {
  const input = node.shapes[0];
  const kernel = ints(node, 'kernel_shape');
  if (input === undefined || kernel?.length !== input.length - 2) return node.outputs.map(() => undefined);
  const shape = [...input.slice(0, 2), ...windows(node, kernel, input.slice(2))];
  return node.outputs.map(() => shape);
};

const reshape: Rule = (node) => {
  const [input] = node.shapes;
  const wanted = node.numbers[1];
  if (input === undefined || wanted === undefined) return [undefined];
  const sides = wanted.map((side, i) => (side === 0 && !int(node, 'allowzero', 0) ? (input[i] ?? 0) : side));
  const rest = sides.filter((side) => side !== -1).reduce((product, side) => product * side, 1);
  const all = input.reduce((product, side) => product * side, 1);
  return [sides.map((side) => (side === -1 ? (rest === 0 ? 0 : Math.floor(all / rest)) : side))];
};

const axesOf = (node: Known): readonly number[] | undefined => ints(node, 'axes') ?? node.numbers[1];

const reduce: Rule = (node) => {
  const [input] = node.shapes;
  if (input === undefined || (node.inputs[1] && node.numbers[1] === undefined)) return [undefined];
  const axes = new Set((axesOf(node) ?? input.map((_, i) => i)).map((axis) => fromEnd(axis, input.length)));
  const keep = int(node, 'keepdims', 1);
  return [input.flatMap((side, i) => (axes.has(i) ? (keep ? [1] : []) : [side]))];
};

const best: Rule = (node) => {
  const [input] = node.shapes;
  if (input === undefined) return [undefined];
  const axis = fromEnd(int(node, 'axis', 0), input.length);
  return [input.flatMap((side, i) => (i === axis ? (int(node, 'keepdims', 1) ? [1] : []) : [side]))];
};

const gather: Rule = (node) => {
  const [data, indices] = node.shapes;
  if (data === undefined || indices === undefined) return [undefined];
  const axis = fromEnd(int(node, 'axis', 0), data.length);
  return [[...data.slice(0, axis), ...indices, ...data.slice(axis + 1)]];
};

const concat: Rule = (node) => {
  const [first] = node.shapes;
  if (first === undefined || node.shapes.includes(undefined)) return [undefined];
  const axis = fromEnd(int(node, 'axis', 0), first.length);
  const side = node.shapes.reduce((sum, shape) => sum + (shape?.[axis] ?? 0), 0);
  return [first.map((each, i) => (i === axis ? side : each))];
};

const squeeze: Rule = (node) => {
  const [input] = node.shapes;
  if (input === undefined || (node.inputs[1] && node.numbers[1] === undefined)) return [undefined];
  const axes = axesOf(node)?.map((axis) => fromEnd(axis, input.length));
  return [input.filter((side, i) => (axes === undefined ? side !== 1 : !axes.includes(i)))];
};

const unsqueeze: Rule = (node) => {
  const [input] = node.shapes;
  const axes = axesOf(node);
  if (input === undefined || axes === undefined) return [undefined];
  const rank = input.length + axes.length;
  const fresh = new Set(axes.map((axis) => fromEnd(axis, rank)));
  let next = 0;
  return [Array.from({ length: rank }, (_, i) => (fresh.has(i) ? 1 : (input[next++] ?? 1)))];
};

const flatten: Rule = (node) => {
  const [input] = node.shapes;
  if (input === undefined) return [undefined];
  const axis = fromEnd(int(node, 'axis', 1), input.length);
  const product = (sides: readonly number[]): number => sides.reduce((all, side) => all * side, 1);
  return [[product(input.slice(0, axis)), product(input.slice(axis))]];
};

const transpose: Rule = (node) => {
  const [input] = node.shapes;
  if (input === undefined) return [undefined];
  const order = ints(node, 'perm') ?? input.map((_, i) => input.length - 1 - i);
  return [order.map((from) => input[from] ?? 0)];
};

const globalPool: Rule = ({ shapes: [input] }) => [input && [...input.slice(0, 2), ...input.slice(2).map(() => 1)]];

const rules = (names: string, rule: Rule): [string, Rule][] => names.split(' ').map((name) => [name, rule]);

const RULES: ReadonlyMap<string, Rule> = new Map([
  ...rules(
    'Relu Sigmoid Tanh Softmax LogSoftmax Hardmax Clip Cast Identity LeakyRelu Elu Selu Celu Gelu Mish Exp Log Sqrt Neg Abs ' +
      'Floor Ceil Round Erf HardSigmoid HardSwish Softplus Softsign ThresholdedRelu Shrink Reciprocal Sin Cos Tan Sign Not ' +
      'IsNaN IsInf BatchNormalization InstanceNormalization GroupNormalization LRN LpNormalization PRelu Trilu CumSum ' +
      'MeanVarianceNormalization QuantizeLinear DequantizeLinear BitwiseNot QuickGelu BiasGelu FastGelu QLinearSigmoid ' +
      'QLinearLeakyRelu ScatterND ScatterElements',
    same,
  ),
  ...rules('LayerNormalization Dropout SkipLayerNormalization', ({ shapes }) => [shapes[0]]),
  ...rules(
    'Add Sub Mul Div Pow Mod And Or Xor Equal Less Greater LessOrEqual GreaterOrEqual Max Min Mean Sum Where BitShift ' +
      'BitwiseAnd BitwiseOr BitwiseXor',
    broadcasts,
  ),
  ...rules('QLinearAdd QLinearMul', ({ shapes }) => [broadcast([shapes[0], shapes[3]])]),
  ...rules('MatMul MatMulInteger FusedMatMul MatMulIntegerToFloat DynamicQuantizeMatMul', ({ shapes: [a, b] }) => [
    matMulShape(a, b),
  ]),
  ...rules('QLinearMatMul', ({ shapes }) => [matMulShape(shapes[0], shapes[3])]),
  ...rules('Gemm', gemm),
  ...rules('Conv ConvInteger FusedConv', (node) => convolution(node, 1)),
  ...rules('QLinearConv', (node) => convolution(node, 3)),
  ...rules('MaxPool AveragePool LpPool', pool),
  ...rules('GlobalAveragePool GlobalMaxPool GlobalLpPool QLinearGlobalAveragePool', globalPool),
  ...rules(
    'ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare',
    reduce,
  ),
  ...rules('ArgMax ArgMin', best),
  ...rules('Reshape', reshape),
  ...rules('Flatten', flatten),
  ...rules('Transpose', transpose),
  ...rules('Concat', concat),
  ...rules('Gather', gather),
  ...rules('Squeeze', squeeze),
  ...rules('Unsqueeze', unsqueeze),
  ...rules('Shape', ({ shapes: [input] }) => [input && [input.length]]),
  ...rules('ConstantOfShape', ({ numbers: [sides] }) => [sides]),
  ...rules('Expand', ({ shapes, numbers }) => [numbers[1] && broadcast([shapes[0], numbers[1]])]),
  ...rules('Constant', ({ attributes }) => [attributes.get('value')?.tensor?.dims ?? listShape(attributes)]),
  ...rules('DynamicQuantizeLinear', ({ shapes: [input] }) => [input, [], []]),
]);

function listShape(attributes: OnnxNode['attributes']): Shape {
  const list = attributes.get('value_ints')?.ints;
  if (list !== undefined) return [list.length];
  return attributes.has('value_int') || attributes.has('value_float') ? [] : undefined;
}

/** Numbers of small results: how models say "as large as the input". */
function numbersOf(node: Known): readonly number[] | undefined {
  const [first] = node.numbers;
  switch (node.op) {
    case 'Constant':
      return node.attributes.get('value')?.tensor?.values ?? ints(node, 'value_ints') ?? single(node);
    case 'Shape':
      return node.shapes[0];
    case 'Identity':
    case 'Cast':
    case 'Squeeze':
    case 'Unsqueeze':
      return first;
    case 'Gather': {
      const indices = node.numbers[1];
      if (first === undefined || indices === undefined || (node.shapes[0]?.length ?? 0) !== 1) return undefined;
      const picked = indices.map((index) => first[fromEnd(index, first.length)]);
      return picked.includes(undefined) ? undefined : (picked as number[]);
    }
    case 'Concat': {
      const all = node.numbers.flatMap<number | undefined>((numbers) => numbers ?? [undefined]);
      return all.includes(undefined) || all.length > MAX_NUMBERS ? undefined : (all as number[]);
    }
    default:
      return undefined;
  }
}

const single = (node: Known): readonly number[] | undefined => {
  const value = node.attributes.get('value_int')?.int;
  return value === undefined ? undefined : [value];
};

/**
 * Goes through the operators in their order and learns the shapes of what they make.
 * @param feeds Shapes of the model's inputs, by name.
 * @param visit Called for each operator once its inputs and outputs are known as far as they can be.
 * @throws OnnxError when a tensor would be larger than a tensor may be.
 */
export function walkShapes(
  model: OnnxModel,
  feeds: ReadonlyMap<string, readonly number[]>,
  visit: (node: Known, outputs: readonly Shape[]) => void,
): Knowledge {
  const shapes = new Map<string, Shape>(feeds);
  const numbers = new Map<string, readonly number[]>();
  for (const [name, { dims, values }] of model.constants) {
    shapes.set(name, dims);
    if (values !== undefined) numbers.set(name, values);
  }
  const names = symbols(model.inputs, feeds);
  const stated = new Map([...model.between, ...model.outputs.map((value) => [value.name, value] as const)]);
  for (const node of model.nodes) {
    const known: Known = {
      ...node,
      shapes: node.inputs.map((name) => shapes.get(name)),
      numbers: node.inputs.map((name) => numbers.get(name)),
    };
    const made = RULES.get(node.op)?.(known) ?? [];
    const outputs = node.outputs.map((name, i) => checked(made[i]) ?? checked(statedShape(stated.get(name), names)));
    node.outputs.forEach((name, i) => shapes.set(name, outputs[i]));
    const small = numbersOf(known);
    if (small !== undefined && node.outputs[0]) numbers.set(node.outputs[0], small);
    visit(known, outputs);
  }
  return { shapes, numbers };
}

function checked(shape: Shape): Shape {
  if (shape === undefined || shape.some((side) => !Number.isSafeInteger(side) || side < 0)) return undefined;
  checkedElements(shape);
  return shape;
}

/** Numbers for the sides that the model only names, by what its inputs are fed. */
function symbols(
  inputs: readonly OnnxValue[],
  feeds: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  for (const { name, dims } of inputs) {
    dims?.forEach((side, i) => {
      const fed = feeds.get(name)?.[i];
      if (typeof side === 'string' && side !== '?' && fed !== undefined) names.set(side, fed);
    });
  }
  return names;
}

function statedShape(value: OnnxValue | undefined, names: ReadonlyMap<string, number>): Shape {
  const sides = value?.dims?.map((side) => (typeof side === 'number' ? side : names.get(side)));
  return sides === undefined || sides.includes(undefined) ? undefined : (sides as number[]);
}
