import { ShardError, type RunOptions } from './runtime.ts';
import { LOG_BYTES } from './wasm/child/limits.ts';
import { FRAME, FRAME_BYTES, FRAME_HEAD_BYTES, PREPARED_BYTES, WHOLE, type Outcome } from './wasm/child/protocol.ts';

const REASONS: ReadonlySet<string> = new Set([
  'module-rejected',
  'trap',
  'exit-code',
  'out-of-units',
  'out-of-memory',
  'output-limit',
  'device-lost',
  'sandbox',
]);
const MESSAGE_CHARS = 1_000;
const LENGTH_BYTES = 4;

/** The child is trusted with nothing: it ran a stranger's code. Its last words are checked like any input. */
function parseOutcome(content: Uint8Array): Outcome {
  const value = JSON.parse(new TextDecoder().decode(content)) as Partial<Record<string, unknown>>;
  if (value['ok'] === true) {
    const units = value['units'];
    if (!Number.isSafeInteger(units) || (units as number) < 1) throw new Error('units is not a positive number');
    const ms = (value['ms'] ?? {}) as Partial<Record<string, unknown>>;
    const time = (name: string): number => (Number.isFinite(ms[name]) ? (ms[name] as number) : 0);
    return {
      ok: true,
      units: units as number,
      ms: { instrument: time('instrument'), compile: time('compile'), run: time('run'), cpu: time('cpu') },
    };
  }
  const { reason, fault, message } = value as { reason?: unknown; fault?: unknown; message?: unknown };
  if (value['ok'] !== false || !REASONS.has(String(reason)) || (fault !== 'job' && fault !== 'machine')) {
    throw new Error('it is neither a success nor a failure');
  }
  return {
    ok: false,
    reason: reason as Exclude<Outcome, { ok: true }>['reason'],
    fault,
    message: String(message).slice(0, MESSAGE_CHARS),
  };
}

const broken = (what: string): ShardError =>
  new ShardError(
    'sandbox',
    'machine',
    `The process that ran the shard broke the protocol: ${what}. Its answer is dropped.`,
  );

/**
 * Takes a child's answer apart as it arrives. Memory stays bounded whatever the child sends: the output by the shard's
 * cap, the log by its own, a frame by {@link FRAME_BYTES}.
 */
export class Answer {
  readonly #outputBytes: number;
  readonly #told: Pick<RunOptions, 'onLog' | 'onProgress'>;
  readonly #decoder = new TextDecoder();
  readonly #output: Uint8Array[] = [];
  #written = 0;
  #logged = 0;
  #log = '';
  /** How far the shard said that it is, thousandths. */
  #progress = 0;
  #rest: Buffer = Buffer.alloc(0);
  #outcome: Outcome | undefined;
  /** Closed by the first frame after it, so that what runs later cannot change it. */
  #takesPrepared: boolean;
  #prepared: Buffer | undefined;
  #preparedLeft = 0;

  /** `takesPrepared`: the child was given a module to rewrite and may return it. */
  constructor(outputBytes: number, told: Pick<RunOptions, 'onLog' | 'onProgress'> = {}, takesPrepared = false) {
    this.#outputBytes = outputBytes;
    this.#told = told;
    this.#takesPrepared = takesPrepared;
  }

  /** What the child said last; `undefined` until then. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  get log(): string {
    return this.#log;
  }

  /** The rewritten module, all of it; `undefined` when there was none. */
  get prepared(): Uint8Array | undefined {
    return this.#preparedLeft === 0 ? this.#prepared : undefined;
  }

  get output(): Uint8Array {
    return Buffer.concat(this.#output, this.#written);
  }

  /** Takes the next piece of the child's stdout. Throws {@link ShardError} when it is not an answer. */
  push(piece: Buffer): void {
    let rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    while (rest.length >= FRAME_HEAD_BYTES) {
      const kind = rest[0]!;
      const length = rest.readUInt32LE(1);
      if (length > FRAME_BYTES) throw broken(`a frame of ${length} bytes`);
      if (rest.length < FRAME_HEAD_BYTES + length) break;
      this.#frame(kind, rest.subarray(FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + length));
      rest = rest.subarray(FRAME_HEAD_BYTES + length);
    }
    this.#rest = rest;
  }

  #frame(kind: number, content: Buffer): void {
    if (this.#outcome !== undefined) throw broken('it went on after the outcome');
    if (kind === FRAME.prepared) return this.#takePrepared(content);
    this.#takesPrepared = false;
    switch (kind) {
      case FRAME.output:
        this.#written += content.length;
        // The child counts too; this holds when it does not.
        if (this.#written > this.#outputBytes) {
          throw new ShardError(
            'output-limit',
            'job',
            `The shard wrote more than the ${this.#outputBytes} bytes its spec allows.`,
          );
        }
        this.#output.push(Uint8Array.from(content));
        return;
      case FRAME.log: {
        this.#logged += content.length;
        if (this.#logged > LOG_BYTES) throw broken(`a log of more than ${LOG_BYTES} bytes`);
        const text = this.#decoder.decode(content, { stream: true });
        this.#log += text;
        this.#told.onLog?.(text);
        return;
      }
      case FRAME.progress: {
        // Growing, so that there are at most a thousand.
        const permille = content.length === LENGTH_BYTES ? content.readUInt32LE(0) : 0;
        if (permille <= this.#progress || permille > WHOLE) throw broken('progress that is none');
        this.#progress = permille;
        this.#told.onProgress?.(permille / WHOLE);
        return;
      }
      case FRAME.outcome:
        try {
          this.#outcome = parseOutcome(content);
        } catch (error) {
          throw broken(`an outcome that cannot be read, ${error instanceof Error ? error.message : String(error)}`);
        }
        return;
      default:
        throw broken(`a frame of kind ${kind}`);
    }
  }

  #takePrepared(content: Buffer): void {
    if (!this.#takesPrepared) throw broken('a module that nobody waits for');
    let piece = content;
    if (this.#prepared === undefined) {
      const length = content.length < LENGTH_BYTES ? Infinity : content.readUInt32LE(0);
      if (length > PREPARED_BYTES) throw broken(`a module of ${length} bytes`);
      this.#prepared = Buffer.alloc(length);
      this.#preparedLeft = length;
      piece = content.subarray(LENGTH_BYTES);
    }
    if (piece.length > this.#preparedLeft) throw broken('a module that is longer than it said');
    piece.copy(this.#prepared, this.#prepared.length - this.#preparedLeft);
    this.#preparedLeft -= piece.length;
    this.#takesPrepared = this.#preparedLeft > 0;
  }
}
