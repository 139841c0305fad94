import type { ElementType, ModelHeader } from './protocol.ts';

/** What is used of the package that computes. */
export interface Ort {
  readonly InferenceSession: {
    create(model: Uint8Array, options: Record<string, unknown>): Promise<Session>;
  };
  readonly Tensor: new (type: ElementType, data: ArrayBufferView, dims: readonly number[]) => unknown;
}

interface Session {
  run(feeds: Record<string, unknown>, fetches: readonly string[]): Promise<Record<string, Result | undefined>>;
}

interface Result {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ArrayBufferView;
}

/** What ended the work, when it is not a success. */
export class Failure extends Error {
  readonly reason: 'module-rejected' | 'trap' | 'out-of-memory' | 'output-limit' | 'sandbox' | 'device-lost';
  readonly fault: 'job' | 'machine';

  constructor(reason: Failure['reason'], fault: Failure['fault'], message: string) {
    super(message);
    this.reason = reason;
    this.fault = fault;
  }
}

export interface Work {
  readonly header: ModelHeader;
  readonly model: Uint8Array;
  /** The shard's items of each input. */
  readonly inputs: readonly Uint8Array<ArrayBuffer>[];
}

const ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  // The package takes the bits of binary16 as whole numbers.
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

const NO_MEMORY =
  /bad_alloc|bad allocation|failed to allocate|out of memory|allocation failed|cannot allocate|bad array new length/i;
/** What WebGPU says when the card, its driver or its memory is at fault, and not the model. */
const NO_CARD =
  /adapter|device (?:was |is )?lost|lost device|out of (?:device )?memory|vulkan|dawn|webgpu instance|requestdevice|device limit|buffer size/i;
const SAID_CHARS = 400;

/** What ONNX Runtime said, without line ends and its own source paths, which mean nothing to the requester. */
function said(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replaceAll(/\/[\w./+-]*\/onnxruntime\//g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, SAID_CHARS)
    .replace(/\.$/, '');
}

/** The card's own failure, where the model was to be run on one. */
function ofCard({ provider }: ModelHeader, error: unknown): Failure | undefined {
  if (provider !== 'webgpu' || !NO_CARD.test(String(error))) return undefined;
  return new Failure('device-lost', 'machine', `the graphics card did not do it: ${said(error)}`);
}

const noMemory = (): Failure => new Failure('out-of-memory', 'job', 'the model needs more memory than its spec allows');

/** Makes the session: here ONNX Runtime reads the model for the first time. */
async function open(ort: Ort, { header, model }: Work): Promise<Session> {
  try {
    return await ort.InferenceSession.create(model, {
      executionProviders: [header.provider],
      graphOptimizationLevel: header.optimization,
      intraOpNumThreads: header.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // An arena takes more than it needs, and what is taken counts.
      enableCpuMemArena: false,
      enableMemPattern: false,
      logSeverityLevel: 4,
      extra: { session: { load_model_format: 'ONNX', use_env_allocators: '0' } },
    });
  } catch (error) {
    const card = ofCard(header, error);
    if (card) throw card;
    if (NO_MEMORY.test(String(error))) throw noMemory();
    throw new Failure('module-rejected', 'job', `ONNX Runtime refuses the model: ${said(error)}`);
  }
}

/** Runs the model on all items and returns what each output holds, batch after batch. `onProgress` hears which share of the items is done. */
export async function infer(
  ort: Ort,
  work: Work,
  onOpen: () => void,
  onProgress: (share: number) => void,
): Promise<Uint8Array[][]> {
  const { header, inputs } = work;
  const session = await open(ort, work);
  onOpen();
  const names = header.outputs.map(({ name }) => name);
  const made: Uint8Array[][] = names.map(() => []);
  let bytes = 0;
  for (let from = 0; from < header.count; from += header.batch) {
    const count = Math.min(header.batch, header.count - from);
    const feeds: Record<string, unknown> = {};
    header.inputs.forEach(({ name, type, shape, itemBytes }, i) => {
      const array = ARRAYS[type];
      // A copy, so that it begins where arrays of long elements may begin.
      const slice = inputs[i]!.slice(from * itemBytes, (from + count) * itemBytes).buffer;
      feeds[name] = new ort.Tensor(type, new array(slice), [count, ...shape]);
    });
    const results = await run(header, session, feeds, names);
    header.outputs.forEach(({ name, type }, i) => {
      const data = checked(results[name], name, type, count);
      bytes += data.length;
      if (bytes > header.outputBytes) {
        throw new Failure(
          'output-limit',
          'job',
          `the shard wrote more than the ${header.outputBytes} bytes its spec allows`,
        );
      }
      made[i]!.push(data);
    });
    onProgress((from + count) / header.count);
  }
  return made;
}

async function run(
  header: ModelHeader,
  session: Session,
  feeds: Record<string, unknown>,
  names: readonly string[],
): Promise<Record<string, Result | undefined>> {
  try {
    return await session.run(feeds, names);
  } catch (error) {
    const card = ofCard(header, error);
    if (card) throw card;
    if (NO_MEMORY.test(String(error))) throw noMemory();
    throw new Failure('trap', 'job', `the model failed: ${said(error)}`);
  }
}

/** The bytes of one output of one run, once it is what the spec says. */
function checked(result: Result | undefined, name: string, type: ElementType, count: number): Uint8Array {
  const quoted = JSON.stringify(name);
  if (result === undefined) throw new Failure('trap', 'job', `the model made no output ${quoted}`);
  if (result.type !== type) {
    throw new Failure('trap', 'job', `the output ${quoted} is of type ${result.type}, its spec says ${type}`);
  }
  if (result.dims[0] !== count) {
    const shape = result.dims.join(' × ') || 'a single number';
    throw new Failure(
      'trap',
      'job',
      `the output ${quoted} is ${shape} for ${count} items: its first side must count them`,
    );
  }
  const { buffer, byteOffset, byteLength } = result.data;
  // Processors that ONNX Runtime supports are little endian, as the result is.
  return new Uint8Array(buffer, byteOffset, byteLength).slice();
}
