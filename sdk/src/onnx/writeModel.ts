/**
 * Writes ONNX models: what templates and tests need, no more. The same model gives the same bytes on every machine, so that its
 * CID is known before it is stored. https://onnx.ai/onnx/repo-docs/IR.html says what the parts mean.
 */
import { SCALAR_BYTES } from '../compare/scalar.ts';
import { ProtoWriter } from './protoWriter.ts';
import { TYPE_CODES, type Side, type TensorType } from './types.ts';

/** Numbers in a grid. `data` is little-endian, last side fastest. */
export interface Tensor {
  readonly type: TensorType;
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

/** An input or output of a model; the first side is usually `N`, the number of items. */
export interface ModelValue {
  readonly name: string;
  readonly type: TensorType;
  readonly dims: readonly Side[];
}

/** The value of an operator's attribute. */
export type Attribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly text: string }
  | { readonly tensor: Tensor };

/** One operator of a model. */
export interface ModelNode {
  /** Its type, such as `MatMul`. */
  readonly op: string;
  /** Names of values; an empty one leaves an optional input out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** The standard operators by default. */
  readonly domain?: string;
}

/** A model: operators in an order in which each finds its inputs made. */
export interface Model {
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly constants: Readonly<Record<string, Tensor>>;
  readonly nodes: readonly ModelNode[];
  /** Version of the standard operators. Default 17. */
  readonly opset?: number;
}

const IR_VERSION = 8;
const OPSET = 17;
const ATTRIBUTE = { float: 1, int: 2, text: 3, tensor: 4, floats: 6, ints: 7 } as const;

/**
 * A tensor of numbers, row by row.
 * @throws RangeError when there are more or fewer numbers than the sides say.
 */
export function tensor(type: TensorType, dims: readonly number[], values: ArrayLike<number>): Tensor {
  const count = dims.reduce((product, side) => product * side, 1);
  if (count !== values.length) throw new RangeError(`${values.length} numbers do not fill ${dims.join(' × ')}`);
  const size = SCALAR_BYTES[type];
  const data = new Uint8Array(count * size);
  const view = new DataView(data.buffer);
  const put = setter(view, type);
  for (let i = 0; i < count; i++) put(i * size, values[i]!);
  return { type, dims, data };
}

function setter(view: DataView, type: TensorType): (at: number, value: number) => void {
  switch (type) {
    case 'u8':
      return (at, value) => view.setUint8(at, value);
    case 'i8':
      return (at, value) => view.setInt8(at, value);
    case 'u16':
      return (at, value) => view.setUint16(at, value, true);
    case 'i16':
      return (at, value) => view.setInt16(at, value, true);
    case 'u32':
      return (at, value) => view.setUint32(at, value, true);
    case 'i32':
      return (at, value) => view.setInt32(at, value, true);
    case 'u64':
      return (at, value) => view.setBigUint64(at, BigInt(value), true);
    case 'i64':
      return (at, value) => view.setBigInt64(at, BigInt(value), true);
    case 'f32':
      return (at, value) => view.setFloat32(at, value, true);
    case 'f64':
      return (at, value) => view.setFloat64(at, value, true);
    case 'f16':
      throw new RangeError('numbers of 16 bits with fractions are not written: use f32 and a Cast');
  }
}

/** The file of a model. */
export function encodeModel(model: Model): Uint8Array<ArrayBuffer> {
  const domains = new Set(model.nodes.map(({ domain = '' }) => domain).filter((domain) => domain !== ''));
  const file = new ProtoWriter().integer(1, IR_VERSION).text(2, 'dpu');
  file.message(7, (graph) => {
    for (const node of model.nodes) graph.message(1, (message) => writeNode(message, node));
    graph.text(2, 'model');
    for (const [name, value] of Object.entries(model.constants)) {
      graph.message(5, (message) => writeTensor(message, value, name));
    }
    for (const value of model.inputs) graph.message(11, (message) => writeValue(message, value));
    for (const value of model.outputs) graph.message(12, (message) => writeValue(message, value));
  });
  file.message(8, (opset) => opset.text(1, '').integer(2, model.opset ?? OPSET));
  for (const domain of domains) file.message(8, (opset) => opset.text(1, domain).integer(2, 1));
  return file.finish();
}

function writeNode(message: ProtoWriter, { op, inputs, outputs, attributes = {}, domain = '' }: ModelNode): void {
  for (const name of inputs) message.text(1, name);
  for (const name of outputs) message.text(2, name);
  message.text(4, op);
  for (const [name, value] of Object.entries(attributes)) {
    message.message(5, (attribute) => writeAttribute(attribute.text(1, name), value));
  }
  if (domain !== '') message.text(7, domain);
}

function writeAttribute(message: ProtoWriter, value: Attribute): void {
  if ('int' in value) message.integer(3, value.int).integer(20, ATTRIBUTE.int);
  else if ('ints' in value) message.integers(8, value.ints).integer(20, ATTRIBUTE.ints);
  else if ('float' in value) message.float(2, value.float).integer(20, ATTRIBUTE.float);
  else if ('floats' in value) message.floats(7, value.floats).integer(20, ATTRIBUTE.floats);
  else if ('text' in value) message.text(4, value.text).integer(20, ATTRIBUTE.text);
  else message.message(5, (inner) => writeTensor(inner, value.tensor, '')).integer(20, ATTRIBUTE.tensor);
}

function writeTensor(message: ProtoWriter, { type, dims, data }: Tensor, name: string): void {
  message.integers(1, dims).integer(2, TYPE_CODES[type]);
  if (name !== '') message.text(8, name);
  message.bytes(9, data);
}

function writeValue(message: ProtoWriter, { name, type, dims }: ModelValue): void {
  message.text(1, name).message(2, (typeProto) =>
    typeProto.message(1, (tensorType) =>
      tensorType.integer(1, TYPE_CODES[type]).message(2, (shape) => {
        for (const side of dims) {
          shape.message(1, (dim) => (typeof side === 'number' ? dim.integer(1, side) : dim.text(2, side)));
        }
      }),
    ),
  );
}
