/** What a model is made of, in numbers: from its file alone, with the reader that nodes use. */
import { readModel, usesFloats, type OnnxValue } from '@dpu/sdk/onnx/readModel';
import { operationsOf } from '@dpu/sdk/onnx/work';

export interface OnnxMetrics {
  operators: number;
  /** Operators by how often they occur, the most frequent first. */
  kinds: readonly (readonly [op: string, count: number])[];
  /** Learnt numbers. */
  weights: number;
  /** Whether it computes with fractions; whole numbers are the same on every machine. */
  fractions: boolean;
  /** Operations for one item; undefined where an input's sides are not all known. */
  operations: number | undefined;
  inputs: readonly string[];
  outputs: readonly string[];
}

/** `pixels: u8, N × 256`, as the model says it. */
function described({ name, type, dims }: OnnxValue): string {
  const sides = dims === undefined ? '' : dims.join(' × ');
  return [`${name}: ${type ?? '?'}`, sides].filter((part) => part !== '').join(', ');
}

/** Shapes of the inputs for one item: a first side without a number counts items. */
function oneItem(inputs: readonly OnnxValue[]): Map<string, number[]> | undefined {
  const shapes = new Map<string, number[]>();
  for (const { name, dims } of inputs) {
    if (dims === undefined) return undefined;
    const [items, ...sides] = dims;
    if (!sides.every((side) => typeof side === 'number')) return undefined;
    shapes.set(name, [typeof items === 'number' ? items : 1, ...sides]);
  }
  return shapes;
}

/** @throws OnnxError when the model is none that nodes take. */
export function onnxMetrics(bytes: Uint8Array): OnnxMetrics {
  const model = readModel(bytes);
  const { nodes, constants, inputs, outputs } = model;
  const counts = new Map<string, number>();
  for (const { op } of nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
  const shapes = oneItem(inputs);
  return {
    operators: nodes.length,
    kinds: [...counts].sort((a, b) => b[1] - a[1]),
    weights: [...constants.values()].reduce((sum, { dims }) => sum + dims.reduce((all, side) => all * side, 1), 0),
    fractions: usesFloats(model),
    operations: shapes && operationsOf(model, shapes),
    inputs: inputs.map(described),
    outputs: outputs.map(described),
  };
}
