/**
 * What parent and child say to each other over the child's stdin and stdout.
 *
 * Request: uint32 length of the header, the header as JSON, the module, the inputs one after the other.
 * Answer: frames of one byte kind, uint32 length, content; the last one is the outcome. Progress is a uint32, thousandths, and only grows. A module that was rewritten comes
 * before all else, its uint32 length first. All numbers little endian.
 */

export interface RequestHeader {
  readonly module: number;
  /** Whether the module comes rewritten, as a child returned it for the same module and the same cap of its memory. */
  readonly isPrepared: boolean;
  readonly inputs: readonly { readonly name: string; readonly size: number }[];
  readonly args: readonly string[];
  readonly shard: number;
  readonly shards: number;
  /** Hex. */
  readonly seed: string;
  readonly memoryBytes: number;
  /** Decimal, it may exceed a double's integers. */
  readonly units: string;
  readonly outputBytes: number;
}

export interface ChildTimes {
  readonly instrument: number;
  readonly compile: number;
  readonly run: number;
  readonly cpu: number;
}

export type Outcome =
  | { readonly ok: true; readonly units: number; readonly ms: ChildTimes }
  | {
      readonly ok: false;
      readonly reason:
        | 'module-rejected'
        | 'trap'
        | 'exit-code'
        | 'out-of-units'
        | 'out-of-memory'
        | 'output-limit'
        | 'device-lost'
        | 'sandbox';
      readonly fault: 'job' | 'machine';
      readonly message: string;
    };

export const FRAME = { output: 1, log: 2, outcome: 3, prepared: 4, progress: 5 } as const;
export const FRAME_HEAD_BYTES = 5;
/** How far a shard is that is done. */
export const WHOLE = 1000;
/** No frame of either side is longer; a reader refuses more before it takes memory for it. */
export const FRAME_BYTES = 1024 * 1024;
export const HEADER_BYTES = 1024 * 1024;
/** Longer rewritten modules are not handed back: they are made anew for every shard. */
export const PREPARED_BYTES = 16 * 1024 * 1024;

export function encodeFrame(kind: number, content: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEAD_BYTES + content.length);
  frame[0] = kind;
  new DataView(frame.buffer).setUint32(1, content.length, true);
  frame.set(content, FRAME_HEAD_BYTES);
  return frame;
}

/** How far a shard is, as a frame; nothing where it is not further than `before`, thousandths. */
export function progressFrame(share: number, before: number): Uint8Array | undefined {
  const permille = Math.floor(share * WHOLE);
  if (permille <= before) return undefined;
  const content = new Uint8Array(4);
  new DataView(content.buffer).setUint32(0, permille, true);
  return encodeFrame(FRAME.progress, content);
}

export function encodeHeader(header: RequestHeader): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(4 + json.length);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, 4);
  return bytes;
}
