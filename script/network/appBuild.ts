import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from '../native.mjs';
import { fingerprintOf } from './fingerprint.ts';
import { run } from './run.ts';

const STAMP = join(root, 'app/build/.stamp');
const FOLDERS = ['app/src', 'app/static', 'sdk/src', 'sdk/modules/build'];
const FILES = ['app/package.json', 'app/vite.config.ts', 'package-lock.json'];

/** Builds the dApp unless nothing it is made of has changed since the last build. */
export async function buildApp(): Promise<void> {
  const now = fingerprintOf(FOLDERS, FILES);
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === now) return;
  await run('Building the dApp', 'npm', ['run', 'build', '--silent', '--workspace', '@dpu/app']);
  writeFileSync(STAMP, now);
}
