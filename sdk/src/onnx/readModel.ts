/**
 * Reads ONNX models as far as nodes and templates have to know them: operators, shapes and the types of all tensors, never the
 * weights. Takes only models that stand alone: no data in other files, no graphs inside of graphs, no functions, no random numbers.
 */
import { MAX_OPSETS, ONNX_LIMITS as MOST, REFUSED_OPERATORS } from './limits.ts';
import { OnnxError, ProtoReader, type FieldBudget } from './protoReader.ts';
import { isFloatCode, typeOfCode, type Side, type TensorType } from './types.ts';

export { OnnxError } from './protoReader.ts';

/** A tensor whose numbers stand in the model. */
export interface OnnxConstant {
  /** `TensorProto.DataType`. */
  readonly code: number;
  readonly dims: readonly number[];
  /** The numbers of a small tensor of i32 or i64: shapes, axes. */
  readonly values?: readonly number[];
}

/** An input, an output or a value between operators whose shape the model states. */
export interface OnnxValue {
  readonly name: string;
  /** `TensorProto.DataType`; 0 when the model does not say. */
  readonly code: number;
  readonly type?: TensorType;
  /** Absent when the model does not say; `?` is a side without number and name. */
  readonly dims?: readonly Side[];
}

/** An attribute, as far as the shapes depend on it. */
export interface OnnxAttribute {
  readonly int?: number;
  readonly ints?: readonly number[];
  readonly text?: string;
  readonly tensor?: OnnxConstant;
  /** `AttributeProto.AttributeType`, 0 when absent. */
  readonly kind: number;
}

/** One operator. */
export interface OnnxNode {
  readonly op: string;
  /** '' for the standard operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** A model that is taken. */
export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, OnnxConstant>;
  /** What has to be fed, without those that are constants. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Values between operators whose shapes the model states. */
  readonly between: ReadonlyMap<string, OnnxValue>;
}

/** Standard operators that make fractions of whole numbers. */
const FLOAT_OPERATORS: ReadonlySet<string> = new Set([
  ...['DequantizeLinear', 'EyeLike', 'HannWindow', 'HammingWindow', 'BlackmanWindow', 'MelWeightMatrix'],
  'TfIdfVectorizer',
]);

/**
 * Reads a model from its file. Time is bounded by `ONNX_LIMITS.fields`, memory by a few times that; weights are not copied.
 * @throws OnnxError that says what is not taken.
 */
export function readModel(bytes: Uint8Array): OnnxModel {
  if (bytes.length > MOST.modelBytes) {
    throw new OnnxError(`it has ${bytes.length} bytes, the most is ${MOST.modelBytes}`);
  }
  // ONNX Runtime tells its own format by these letters, and would read the file by other rules than ours.
  if (String.fromCharCode(...bytes.subarray(4, 8)) === 'ORTM') throw new OnnxError('it is in the ORT format, not ONNX');
  const budget: FieldBudget = { left: MOST.fields };
  const file = new ProtoReader(bytes, budget);
  const graphs: ProtoReader[] = [];
  const opsets = new Map<string, number>();
  while (file.next()) {
    if (file.field === 7) graphs.push(file.message());
    else if (file.field === 8) readOpset(file.message(), opsets);
    else if (file.field === 20) throw new OnnxError('it says how it is trained, which is not taken');
    else if (file.field === 25) throw new OnnxError('it defines functions of its own, which are not taken');
    else file.skip();
  }
  const [graph, second] = graphs;
  if (graph === undefined || second !== undefined) throw new OnnxError(`it has ${graphs.length} graphs instead of one`);
  if (!opsets.has('')) throw new OnnxError('it does not say which version of the standard operators it uses');
  for (const [domain, version] of opsets) {
    const newest = MAX_OPSETS[domain];
    if (newest !== undefined && (version < 1 || version > newest)) {
      throw new OnnxError(
        `it uses version ${version} of the operators ${domain || 'ai.onnx'}, the newest known is ${newest}`,
      );
    }
  }
  return readGraph(graph);
}

/** Whether any number in the model has a fraction. Models without are computed bit for bit alike everywhere. */
export function usesFloats({ nodes, constants, inputs, outputs }: OnnxModel): boolean {
  if ([...constants.values(), ...inputs, ...outputs].some(({ code }) => isFloatCode(code))) return true;
  return nodes.some(({ op, domain, attributes }) => {
    if (domain !== '') return true;
    if (op === 'Cast') return isFloatCode(attributes.get('to')?.int ?? 1);
    if (op === 'ConstantOfShape') return isFloatCode(attributes.get('value')?.tensor?.code ?? 1);
    if (op === 'Constant') {
      return ['value_float', 'value_floats'].some((name) => attributes.has(name)) || isFloatConstant(attributes);
    }
    return FLOAT_OPERATORS.has(op);
  });
}

const isFloatConstant = (attributes: OnnxNode['attributes']): boolean =>
  isFloatCode(attributes.get('value')?.tensor?.code ?? 0);

function readOpset(message: ProtoReader, opsets: Map<string, number>): void {
  let domain = '';
  let version = 0;
  while (message.next()) {
    if (message.field === 1) domain = message.text(MOST.nameBytes);
    else if (message.field === 2) version = message.count('a version of operators');
    else message.skip();
  }
  if (domain === 'ai.onnx') domain = '';
  if (opsets.has(domain)) throw new OnnxError(`it names the operators ${domain || 'ai.onnx'} twice`);
  if (opsets.size >= MOST.values) throw new OnnxError(`it names more than ${MOST.values} sets of operators`);
  opsets.set(domain, version);
}

function readGraph(graph: ProtoReader): OnnxModel {
  const nodes: OnnxNode[] = [];
  const constants = new Map<string, OnnxConstant>();
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  const between = new Map<string, OnnxValue>();
  while (graph.next()) {
    if (graph.field === 1) {
      if (nodes.length === MOST.nodes) throw new OnnxError(`it has more than ${MOST.nodes} operators`);
      nodes.push(readNode(graph.message()));
    } else if (graph.field === 5) {
      if (constants.size === MOST.constants) throw new OnnxError(`it has more than ${MOST.constants} constants`);
      const { name, constant } = readTensor(graph.message());
      if (name === '' || constants.has(name)) throw new OnnxError(`it has two constants called ${quoted(name)}`);
      constants.set(name, constant);
    } else if (graph.field === 11) {
      inputs.push(readValue(graph.message()));
      // Old models list their constants among the inputs.
      if (inputs.length > MOST.constants + MOST.values) throw new OnnxError('it has too many inputs');
    } else if (graph.field === 12) {
      outputs.push(readValue(graph.message()));
      if (outputs.length > MOST.values) throw new OnnxError(`it has more than ${MOST.values} outputs`);
    } else if (graph.field === 13) {
      const value = readValue(graph.message());
      between.set(value.name, value);
    } else if (graph.field === 15) throw new OnnxError('it has sparse constants, which are not taken');
    else graph.skip();
  }
  const fed = inputs.filter(({ name }) => !constants.has(name));
  if (fed.length > MOST.values) throw new OnnxError(`it has more than ${MOST.values} inputs`);
  if (nodes.length === 0 || outputs.length === 0) throw new OnnxError('it computes nothing');
  return { nodes, constants, inputs: fed, outputs, between };
}

function readNode(message: ProtoReader): OnnxNode {
  let op = '';
  let domain = '';
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  while (message.next()) {
    if (message.field === 1) inputs.push(message.text(MOST.nameBytes));
    else if (message.field === 2) outputs.push(message.text(MOST.nameBytes));
    else if (message.field === 4) op = message.text(MOST.nameBytes);
    else if (message.field === 5) {
      const { name, attribute } = readAttribute(message.message());
      if (attributes.has(name)) throw new OnnxError(`its operator ${op} has the attribute ${quoted(name)} twice`);
      if (attributes.size === MOST.attributes) throw new OnnxError(`its operator ${op} has too many attributes`);
      attributes.set(name, attribute);
    } else if (message.field === 7) domain = message.text(MOST.nameBytes);
    else message.skip();
    if (inputs.length > MOST.ports || outputs.length > MOST.ports) {
      throw new OnnxError(`its operator ${op} has more than ${MOST.ports} inputs or outputs`);
    }
  }
  if (domain === 'ai.onnx') domain = '';
  if (MAX_OPSETS[domain] === undefined) {
    throw new OnnxError(
      `its operator ${op} is of ${quoted(domain)}, which is not taken: only operators that every node has`,
    );
  }
  const why = REFUSED_OPERATORS.get(op);
  if (why !== undefined) throw new OnnxError(`it uses the operator ${op}: ${why}`);
  return { op, domain, inputs, outputs, attributes };
}

function readAttribute(message: ProtoReader): { name: string; attribute: OnnxAttribute } {
  let name = '';
  let kind = 0;
  let int: number | undefined;
  let text: string | undefined;
  let ints: number[] | undefined;
  let tensor: OnnxConstant | undefined;
  while (message.next()) {
    if (message.field === 1) name = message.text(MOST.nameBytes);
    else if (message.field === 3) int = Number(message.integer());
    else if (message.field === 4) text = shortText(message.bytes());
    else if (message.field === 5) {
      if (tensor !== undefined) throw new OnnxError(`its attribute ${quoted(name)} holds two tensors`);
      tensor = readTensor(message.message()).constant;
    } else if (message.field === 8) {
      ints ??= [];
      for (const value of message.integers(MOST.list)) ints.push(Number(value));
      if (ints.length > MOST.list) throw new OnnxError(`its attribute ${quoted(name)} is too long`);
    } else if (message.field === 10) readTensor(message.message());
    else if (message.field === 6 || message.field === 11) {
      throw new OnnxError('it has a graph inside of a graph, which is not taken');
    } else if (message.field === 22 || message.field === 23) {
      throw new OnnxError('it has sparse constants, which are not taken');
    } else if (message.field === 20) kind = message.count('a kind of attribute');
    else message.skip();
  }
  return {
    name,
    attribute: {
      kind,
      ...(int === undefined ? {} : { int }),
      ...(ints === undefined ? {} : { ints }),
      ...(text === undefined ? {} : { text }),
      ...(tensor === undefined ? {} : { tensor }),
    },
  };
}

function readTensor(message: ProtoReader): { name: string; constant: OnnxConstant } {
  let name = '';
  let code = 0;
  const dims: number[] = [];
  let raw: Uint8Array | undefined;
  let listed: readonly bigint[] | undefined;
  while (message.next()) {
    if (message.field === 1) {
      for (const side of message.integers(MOST.sides)) dims.push(checkedSide(side));
      if (dims.length > MOST.sides) throw new OnnxError(`it has a tensor of more than ${MOST.sides} sides`);
    } else if (message.field === 2) code = message.count('a type');
    else if (message.field === 5 || message.field === 7) {
      // Long lists are weights: their values are not looked at.
      const some = message.integersUpTo(MOST.smallElements);
      listed = some === undefined ? undefined : [...(listed ?? []), ...some].slice(0, MOST.smallElements + 1);
    } else if (message.field === 8) name = message.text(MOST.nameBytes);
    else if (message.field === 9) raw = message.bytes();
    else if (message.field === 13 || (message.field === 14 && message.integer() !== 0n)) {
      throw new OnnxError(`its constant ${quoted(name)} is in another file: all data must be in the model`);
    } else if (message.field !== 14) message.skip();
  }
  const elements = checkedElements(dims);
  const values = elements <= MOST.smallElements ? smallValues(code, elements, raw, listed) : undefined;
  return { name, constant: { code, dims, ...(values === undefined ? {} : { values }) } };
}

function smallValues(
  code: number,
  elements: number,
  raw: Uint8Array | undefined,
  listed: readonly bigint[] | undefined,
): readonly number[] | undefined {
  const type = typeOfCode(code);
  if (type !== 'i32' && type !== 'i64') return undefined;
  if (raw === undefined) return listed?.length === elements ? listed.map(Number) : undefined;
  const size = type === 'i32' ? 4 : 8;
  if (raw.length !== elements * size) return undefined;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: elements }, (_, i) =>
    type === 'i32' ? view.getInt32(i * 4, true) : Number(view.getBigInt64(i * 8, true)),
  );
}

function checkedSide(side: bigint): number {
  if (side < 0n || side > BigInt(MOST.elements)) throw new OnnxError(`it has a tensor with a side of ${side}`);
  return Number(side);
}

/** How many elements a tensor of these sides has. @throws OnnxError when there are too many. */
export function checkedElements(dims: readonly number[]): number {
  let elements = 1;
  for (const side of dims) {
    elements *= side;
    if (elements > MOST.elements) throw new OnnxError(`it has a tensor of ${dims.join(' × ')}`);
  }
  return elements;
}

function readValue(message: ProtoReader): OnnxValue {
  let name = '';
  let code = 0;
  let dims: Side[] | undefined;
  while (message.next()) {
    if (message.field === 1) name = message.text(MOST.nameBytes);
    else if (message.field === 2) {
      const type = message.message();
      while (type.next()) {
        if (type.field !== 1) {
          type.skip();
          continue;
        }
        const tensor = type.message();
        while (tensor.next()) {
          if (tensor.field === 1) code = tensor.count('a type');
          else if (tensor.field === 2) dims = readShape(tensor.message());
          else tensor.skip();
        }
      }
    } else message.skip();
  }
  const type = typeOfCode(code);
  return { name, code, ...(type === undefined ? {} : { type }), ...(dims === undefined ? {} : { dims }) };
}

function readShape(message: ProtoReader): Side[] {
  const dims: Side[] = [];
  while (message.next()) {
    if (message.field !== 1) {
      message.skip();
      continue;
    }
    if (dims.length === MOST.sides) throw new OnnxError(`it has a tensor of more than ${MOST.sides} sides`);
    const dim = message.message();
    let side: Side = '?';
    while (dim.next()) {
      if (dim.field === 1) side = checkedSide(dim.integer());
      else if (dim.field === 2) side = dim.text(MOST.nameBytes) || '?';
      else dim.skip();
    }
    dims.push(side);
  }
  return dims;
}

/** Text of an attribute; long ones and bytes mean nothing here. */
const shortText = (bytes: Uint8Array): string | undefined =>
  bytes.length > MOST.nameBytes ? undefined : new TextDecoder().decode(bytes);

const quoted = (text: string): string => JSON.stringify(text.slice(0, 80));
