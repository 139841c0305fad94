/** What a shard of a model is asked to do: checked from the spec down to the model's own inputs and outputs, before any process starts. */
import { ONNX_LIMITS } from '@dpu/sdk/onnx/limits';
import { OnnxError, readModel, type OnnxModel, type OnnxValue } from '@dpu/sdk/onnx/readModel';
import type { TensorType } from '@dpu/sdk/onnx/types';
import { unitsOf } from '@dpu/sdk/onnx/work';
import { itemBytes, onnxSettingsSchema, shareOf, type OnnxSettings } from '@dpu/sdk/runtimes/onnx';
import { ShardError, type ShardRequest } from '../runtime.ts';
import { checkRequest, refuse } from '../wasm/request.ts';
import type { ElementType, ModelHeader } from './child/protocol.ts';

const ELEMENTS: Readonly<Record<TensorType, ElementType>> = {
  u8: 'uint8',
  i8: 'int8',
  u16: 'uint16',
  i16: 'int16',
  u32: 'uint32',
  i32: 'int32',
  u64: 'uint64',
  i64: 'int64',
  f16: 'float16',
  f32: 'float32',
  f64: 'float64',
};

/** A request as it goes to the process. */
export interface PreparedModel {
  /** What is written to the process, in this order. */
  readonly parts: readonly Uint8Array[];
  /** What the shard counts as: from the request alone. */
  readonly units: number;
  /** Who computes. */
  readonly provider: 'cpu' | 'webgpu';
}

/**
 * Checks a request and takes out of the inputs what the shard needs.
 * @throws ShardError of reason `module-rejected` or `out-of-units`.
 */
export function prepareModel(request: ShardRequest): PreparedModel {
  checkRequest(request, ONNX_LIMITS.modelBytes);
  const { module, shard, shards, limits } = request;
  const settings = settingsOf(request);
  const share = shareOf(settings.items, shard, shards);
  if (share.count === 0) throw refuse(`there are fewer items than its ${shards} shards`);
  const model = read(module);
  checkInputs(settings, model, share.count);
  checkOutputs(settings, model);
  const units = counted(model, settings, module.length, share.count);
  if (units > Number(limits.units)) {
    throw new ShardError('out-of-units', 'job', `The shard needs more than the ${limits.units} units its spec allows.`);
  }
  const slices = settings.inputs.map((input) => {
    const size = itemBytes(input);
    const file = request.inputs.find(({ name }) => name === input.file);
    if (file === undefined)
      throw refuse(`its input ${JSON.stringify(input.name)} names the file ${input.file}, which is not there`);
    if (file.bytes.length !== size * settings.items) {
      throw refuse(
        `${input.file} has ${file.bytes.length} bytes, ${settings.items} items are ${size * settings.items}`,
      );
    }
    return file.bytes.subarray(share.first * size, (share.first + share.count) * size);
  });
  const header = headerOf(settings, request, share.count);
  return { parts: [encodeModelHeader(header), module, ...slices], units, provider: header.provider };
}

function settingsOf({ settings }: ShardRequest): OnnxSettings {
  const parsed = onnxSettingsSchema.safeParse(settings);
  if (!parsed.success) throw refuse('its settings are not those of the onnx runtime');
  return parsed.data;
}

function read(module: Uint8Array): OnnxModel {
  try {
    return readModel(module);
  } catch (error) {
    if (error instanceof OnnxError) throw refuse(`its model is not taken: ${error.message}`);
    throw error;
  }
}

function counted(model: OnnxModel, settings: OnnxSettings, modelBytes: number, count: number): number {
  try {
    return unitsOf(model, settings, modelBytes, count);
  } catch (error) {
    if (error instanceof OnnxError) throw refuse(`its model is not taken: ${error.message}`);
    throw error;
  }
}

const describe = ({ type, dims }: OnnxValue): string =>
  `${type ?? 'of another type'} ${dims?.join(' × ') ?? ''}`.trim();

function checkInputs({ inputs, batch }: OnnxSettings, model: OnnxModel, count: number): void {
  const missing = model.inputs.find(({ name }) => !inputs.some((input) => input.name === name));
  if (missing !== undefined)
    throw refuse(`its model needs an input ${JSON.stringify(missing.name)}, which is not given`);
  for (const { name, type, shape } of inputs) {
    const value = model.inputs.find((input) => input.name === name);
    if (value === undefined) throw refuse(`its model has no input ${JSON.stringify(name)}`);
    const fits =
      value.type === type &&
      (value.dims === undefined ||
        (value.dims.length === shape.length + 1 &&
          shape.every((side, i) => typeof value.dims?.[i + 1] === 'string' || value.dims?.[i + 1] === side)));
    if (!fits) {
      throw refuse(
        `its model's input ${JSON.stringify(name)} is ${describe(value)}, not ${type} ${['items', ...shape].join(' × ')}`,
      );
    }
    const fixed = value.dims?.[0];
    if (typeof fixed === 'number' && (fixed !== batch || count % batch !== 0)) {
      throw refuse(
        `its model takes ${fixed} items at a time: the batch and every shard's items must be multiples of that`,
      );
    }
  }
}

function checkOutputs({ outputs }: OnnxSettings, model: OnnxModel): void {
  for (const { name, type } of outputs) {
    const value = model.outputs.find((output) => output.name === name);
    if (value === undefined) throw refuse(`its model has no output ${JSON.stringify(name)}`);
    if (value.code !== 0 && value.type !== type) {
      throw refuse(`its model's output ${JSON.stringify(name)} is ${describe(value)}, not ${type}`);
    }
  }
}

function headerOf(settings: OnnxSettings, { module, limits }: ShardRequest, count: number): ModelHeader {
  const { provider = 'cpu', optimization, threads = 1, batch, inputs, outputs } = settings;
  return {
    model: module.length,
    provider,
    optimization,
    threads,
    count,
    batch,
    inputs: inputs.map((input) => ({
      name: input.name,
      type: ELEMENTS[input.type],
      shape: input.shape,
      itemBytes: itemBytes(input),
    })),
    outputs: outputs.map(({ name, type }) => ({ name, type: ELEMENTS[type] })),
    outputBytes: limits.outputBytes,
  };
}

/** The header as the process reads it. */
export function encodeModelHeader(header: ModelHeader): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(4 + json.length);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, 4);
  return bytes;
}
