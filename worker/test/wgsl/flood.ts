/** Run by Deno in a child's sandbox: a child that was taken over, and answers with output for ever. Bundled by the tests. */
import { encodeFrame, FRAME } from '../../src/runtimes/wasm/child/protocol.ts';

const frame = encodeFrame(FRAME.output, new Uint8Array(64 * 1024));
for (;;) Deno.stdout.writeSync(frame);
