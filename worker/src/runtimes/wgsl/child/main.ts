import { encodeFrame, FRAME, FRAME_BYTES, HEADER_BYTES, progressFrame, WHOLE } from '../../wasm/child/protocol.ts';
import { Failure } from './failure.ts';
import type { AdapterFacts, ChildJob } from './job.ts';
import { Kernel } from './kernel.ts';
import { encodePicture } from './picture.ts';

/** The Deno process that runs one shard on a GPU and ends. It has no permission; stdin and stdout are all it can reach. */

function readExactly(target: Uint8Array): void {
  for (let at = 0; at < target.length;) {
    const count = Deno.stdin.readSync(target.subarray(at));
    // The parent went away before it gave work: an idle child that is no longer wanted.
    if (count === null || count === 0) Deno.exit(0);
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
    write(encodeFrame(kind, content.subarray(from, from + FRAME_BYTES)));
  }
}

function write(frame: Uint8Array): void {
  for (let at = 0; at < frame.length;) at += Deno.stdout.writeSync(frame.subarray(at));
}

/** Of the dispatches, thousandths. */
let done = 0;
function progress(share: number): void {
  const frame = progressFrame(share, done);
  if (frame === undefined) return;
  done = Math.floor(share * WHOLE);
  write(frame);
}

const sendJson = (kind: number, value: unknown): void => send(kind, new TextEncoder().encode(JSON.stringify(value)));

async function adapterOf(): Promise<GPUAdapter> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new Failure('sandbox', 'machine', 'the driver offers no adapter');
  return adapter;
}

function factsOf({ info, limits }: GPUAdapter): AdapterFacts {
  return {
    description: info.description,
    vendor: info.vendor,
    architecture: info.architecture,
    software: info.isFallbackAdapter,
    subgroups: [info.subgroupMinSize, info.subgroupMaxSize],
    bufferBytes: limits.maxStorageBufferBindingSize,
  };
}

async function execute(job: ChildJob): Promise<{ compile: number; run: number }> {
  const code = new TextDecoder('utf-8', { fatal: true });
  const bytes = take(job.module);
  const adapter = await adapterOf();
  if (job.introduce) sendJson(FRAME.log, factsOf(adapter));
  const device = await adapter.requestDevice();
  const started = performance.now();
  const kernel = new Kernel(device, job);
  let text: string;
  try {
    text = code.decode(bytes);
  } catch {
    throw new Failure('module-rejected', 'job', 'the module is not UTF-8');
  }
  await kernel.compile(text);
  const compiled = performance.now();
  if (!job.dispatch) return { compile: compiled - started, run: 0 };
  await kernel.allocate(readExactly);
  await kernel.run(progress);
  if (job.picture === undefined) await kernel.read((piece) => send(FRAME.output, piece));
  else {
    const { width, height } = job.picture;
    const pixels = new Uint8Array(4 * width * height);
    let filled = 0;
    await kernel.read((piece) => {
      pixels.set(piece, filled);
      filled += piece.length;
    });
    for (const piece of encodePicture(pixels, width, height)) send(FRAME.output, piece);
  }
  return { compile: compiled - started, run: performance.now() - compiled };
}

async function main(): Promise<void> {
  const headerLength = new DataView(take(4).buffer).getUint32(0, true);
  if (headerLength > HEADER_BYTES) throw new Error(`the request's header has ${headerLength} bytes`);
  const job = JSON.parse(new TextDecoder().decode(take(headerLength))) as ChildJob;
  try {
    const ms = await execute(job);
    // The node knows the units from the spec; a process that ran a stranger's kernel is not asked.
    sendJson(FRAME.outcome, { ok: true, units: 1, ms });
  } catch (error) {
    const { reason, fault, message } =
      error instanceof Failure
        ? error
        : { reason: 'sandbox', fault: 'machine', message: `the runtime failed: ${String(error)}` };
    sendJson(FRAME.outcome, { ok: false, reason, fault, message });
  }
  Deno.exit(0);
}

// Not awaited: the file becomes a part of a script that cannot wait. A failure ends the process, with its reason on stderr.
void main();
