import {
  encodeFrame,
  FRAME,
  FRAME_BYTES,
  HEADER_BYTES,
  progressFrame,
  WHOLE,
  type Outcome,
} from '../../wasm/child/protocol.ts';
import { Failure, infer, type Ort, type Work } from './infer.ts';
import type { ModelHeader } from './protocol.ts';

/** The process that computes one shard of a model and ends. It knows nothing but what comes in on stdin, and says it on stdout. */

const { readSync, writeSync } = process.getBuiltinModule('node:fs');
const { createRequire } = process.getBuiltinModule('node:module');
const STDIN = 0;
const STDOUT = 1;

function take(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = readSync(STDIN, bytes, at, Math.min(length - at, 1 << 30), null);
    // The parent went away before it gave work.
    if (count === 0) process.exit(0);
    at += count;
  }
  return bytes;
}

function send(kind: number, content: Uint8Array): void {
  for (let from = 0; from === 0 || from < content.length; from += FRAME_BYTES) {
    write(encodeFrame(kind, content.subarray(from, from + FRAME_BYTES)));
  }
}

function write(frame: Uint8Array): void {
  for (let at = 0; at < frame.length;) at += writeSync(STDOUT, frame, at);
}

function request(): Work {
  const length = new DataView(take(4).buffer).getUint32(0, true);
  if (length > HEADER_BYTES) throw new Error(`the request's header has ${length} bytes`);
  const header = JSON.parse(new TextDecoder().decode(take(length))) as ModelHeader;
  const model = take(header.model);
  return { header, model, inputs: header.inputs.map(({ itemBytes }) => take(itemBytes * header.count)) };
}

function load(): Ort {
  // The library reports to its maker unless it is told not to, also when it is only loaded.
  // eslint-disable-next-line no-restricted-properties -- nothing is read: the library takes its settings from here
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  // A process with a graphics card has no word for it, because its program's words come before the entry.
  // eslint-disable-next-line no-restricted-properties -- the sandbox sets it, and it is all of the environment beside the driver's
  const folder = process.argv[2] ?? process.env['DPU_ONNX'];
  if (folder === undefined) throw new Error('the folder of ONNX Runtime is missing');
  return createRequire(`${folder}/`)(folder) as Ort;
}

/** Of the items, thousandths. */
let done = 0;
function progress(share: number): void {
  const frame = progressFrame(share, done);
  if (frame === undefined) return;
  done = Math.floor(share * WHOLE);
  write(frame);
}

async function outcome(): Promise<Outcome> {
  const times = { instrument: 0, compile: 0, run: 0, cpu: 0 };
  try {
    const work = request();
    const started = performance.now();
    let opened = started;
    const made = await infer(load(), work, () => (opened = performance.now()), progress);
    for (const piece of made.flat()) if (piece.length > 0) send(FRAME.output, piece);
    const { user, system } = process.cpuUsage();
    const ended = performance.now();
    const ms = { ...times, compile: opened - started, run: ended - opened, cpu: (user + system) / 1000 };
    return { ok: true, units: 1, ms };
  } catch (error) {
    if (error instanceof Failure) {
      return { ok: false, reason: error.reason, fault: error.fault, message: error.message };
    }
    if (error instanceof RangeError && /allocation failed/i.test(error.message)) {
      return {
        ok: false,
        reason: 'out-of-memory',
        fault: 'job',
        message: 'the shard needs more memory than its spec allows',
      };
    }
    return { ok: false, reason: 'sandbox', fault: 'machine', message: `the shard's process failed: ${String(error)}` };
  }
}

void outcome().then((said) => {
  send(FRAME.outcome, new TextEncoder().encode(JSON.stringify(said)));
  process.exit(0);
});
