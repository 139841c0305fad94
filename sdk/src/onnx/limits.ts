/** Caps on a model's shape. They are part of the onnx ABI: a model over one is refused by every node, before ONNX Runtime sees it. */
export const ONNX_LIMITS = {
  modelBytes: 256 * 1024 * 1024,
  /** Fields of all messages together: what reading costs at most. */
  fields: 2_000_000,
  nodes: 20_000,
  constants: 20_000,
  values: 256,
  /** Inputs or outputs of one operator. */
  ports: 256,
  attributes: 64,
  nameBytes: 1_024,
  sides: 8,
  /** Numbers in one list, packed. */
  list: 65_536,
  /** Elements of one tensor. */
  elements: 2 ** 31 - 1,
  /** Elements of constants whose values are looked at: shapes, axes and the like. */
  smallElements: 64,
} as const;

/** Newest versions of the standard operators that are taken. ONNX Runtime 1.30 knows no later one. */
export const MAX_OPSETS: Readonly<Record<string, number>> = { '': 26, 'ai.onnx.ml': 5, 'com.microsoft': 1 };

/** Operators that are refused, and why. */
export const REFUSED_OPERATORS: ReadonlyMap<string, string> = new Map([
  ...['If', 'Loop', 'Scan', 'SequenceMap'].map((op) => [op, 'its work cannot be counted before it runs'] as const),
  ...['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Multinomial', 'Bernoulli'].map(
    (op) => [op, 'it draws random numbers, which differ between machines'] as const,
  ),
  ...['EPContext', 'PyOp'].map((op) => [op, 'it names files or code beside the model'] as const),
]);
