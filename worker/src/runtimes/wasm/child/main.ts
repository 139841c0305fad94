import { execute } from './execute.ts';
import { encodeFrame, FRAME, FRAME_BYTES, HEADER_BYTES, PREPARED_BYTES, type RequestHeader } from './protocol.ts';

/** The process that runs one shard and ends. It knows nothing but what comes in on stdin, and can say it only on stdout. */

// Not an import: for one of a builtin, Node compiles a wasm module of its own, with the slow compiler that we ask for.
const { readSync, writeSync } = process.getBuiltinModule('node:fs');
const STDIN = 0;
const STDOUT = 1;
const PIECE_BYTES = 64 * 1024;

function readExactly(target: Uint8Array): void {
  let at = 0;
  while (at < target.length) {
    const count = readSync(STDIN, target, at, Math.min(target.length - at, 1 << 30), null);
    // The parent went away before it gave work: an idle child that is no longer wanted.
    if (count === 0) process.exit(0);
    at += count;
  }
}

function take(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  readExactly(bytes);
  return bytes;
}

function send(kind: number, content: Uint8Array): void {
  for (let from = 0; from === 0 || from < content.length; from += FRAME_BYTES) {
    const frame = encodeFrame(kind, content.subarray(from, from + FRAME_BYTES));
    for (let at = 0; at < frame.length;) at += writeSync(STDOUT, frame, at);
  }
}

const headerLength = new DataView(take(4).buffer).getUint32(0, true);
if (headerLength > HEADER_BYTES) throw new Error(`the request's header has ${headerLength} bytes`);
const header = JSON.parse(new TextDecoder().decode(take(headerLength))) as RequestHeader;
const module = take(header.module);
const inputs = header.inputs.map(({ name, size }) => ({ name, bytes: take(size) }));

// Many small writes become few frames; a frame per write would let a module keep the parent busy.
const pending = new Uint8Array(PIECE_BYTES);
let filled = 0;
function flush(): void {
  if (filled > 0) send(FRAME.output, pending.subarray(0, filled));
  filled = 0;
}
function output(bytes: Uint8Array): void {
  if (filled + bytes.length > PIECE_BYTES) flush();
  if (bytes.length > PIECE_BYTES) return send(FRAME.output, bytes);
  pending.set(bytes, filled);
  filled += bytes.length;
}

const outcome = execute(
  {
    module,
    inputs,
    args: header.args,
    shard: header.shard,
    shards: header.shards,
    seed: Buffer.from(header.seed, 'hex'),
    memoryBytes: header.memoryBytes,
    units: BigInt(header.units),
    outputBytes: header.outputBytes,
    isPrepared: header.isPrepared,
  },
  {
    output,
    log: (bytes) => send(FRAME.log, bytes),
    prepared: (bytes) => {
      if (bytes.length > PREPARED_BYTES) return;
      const content = new Uint8Array(4 + bytes.length);
      new DataView(content.buffer).setUint32(0, bytes.length, true);
      content.set(bytes, 4);
      send(FRAME.prepared, content);
    },
  },
);
flush();
send(FRAME.outcome, new TextEncoder().encode(JSON.stringify(outcome)));
process.exit(0);
