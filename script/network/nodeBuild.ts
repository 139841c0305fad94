import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { root } from '../native.mjs';
import { fingerprintOf } from './fingerprint.ts';
import { run } from './run.ts';

const BUILDS = join(root, '.dpu/built');
const FOLDERS = ['worker/src', 'sdk/src', 'sdk/modules/build'];
const FILES = ['worker/build.ts', 'worker/package.json', 'package-lock.json'];
/** Older builds than that are removed; a node that was started from one may still load pieces of it. */
const KEPT_MS = 24 * 60 * 60 * 1_000;

/**
 * Builds the node as operators install it, unless nothing it is made of has changed, and answers its program. Each build has a folder of its own, so that nodes
 * that run keep theirs, and any number of processes may ask at once.
 */
export async function buildNode(): Promise<string> {
  const folder = join(BUILDS, `node-${fingerprintOf(FOLDERS, FILES).slice(0, 16)}`);
  const program = join(folder, 'dpu-node.js');
  if (existsSync(program)) return program;
  mkdirSync(BUILDS, { recursive: true });
  forgetOld();
  const fresh = `${folder}.${process.pid}`;
  await run('Building the node', process.execPath, [join(root, 'worker/build.ts'), fresh]);
  try {
    renameSync(fresh, folder);
  } catch (error) {
    // Somebody else was faster with the same build.
    rmSync(fresh, { recursive: true });
    if (!existsSync(program)) throw error;
  }
  return program;
}

function forgetOld(): void {
  for (const name of readdirSync(BUILDS)) {
    const path = join(BUILDS, name);
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (changed !== undefined && Date.now() - changed > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
}
