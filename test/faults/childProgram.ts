/** The program of a node that dies as planned, as one script: it is started hundreds of times, and most of a start from sources is reading them. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { rolldown } from 'rolldown';

const SOURCE = join(import.meta.dirname, 'nodeChild.ts');
const ROOT = join(import.meta.dirname, '../..');
/** They find files by their own place, or are never reached with a runtime whose shards are a hash. */
const INSTALLED = ['deno', 'dockerode', 'onnxruntime-node', 'pino', 'systeminformation'];

let built: Promise<string> | undefined;

/** Path of the script, built once for this process and gone with it. */
export function childProgram(): Promise<string> {
  built ??= build();
  return built;
}

async function build(): Promise<string> {
  // Below the repository, so that what is installed is found from there.
  mkdirSync(join(ROOT, 'cache'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, 'cache/node-child-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const bundle = await rolldown({
    input: { child: SOURCE },
    platform: 'node',
    external: [/^node:/, ...INSTALLED],
    logLevel: 'silent',
  });
  await bundle.write({ dir: folder, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' });
  await bundle.close();
  return join(folder, 'child.mjs');
}
