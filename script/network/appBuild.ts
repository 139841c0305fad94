import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from '../native.mjs';
import { run } from './run.ts';

const STAMP = join(root, 'app/build/.stamp');

/** Builds the dApp unless nothing it is made of has changed since the last build. */
export async function buildApp(): Promise<void> {
  const now = fingerprint();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === now) return;
  await run('Building the dApp', 'npm', ['run', 'build', '--silent', '--workspace', '@dpu/app']);
  writeFileSync(STAMP, now);
}

function fingerprint(): string {
  const hash = createHash('sha256');
  for (const folder of ['app/src', 'app/static', 'sdk/src', 'sdk/modules/build']) {
    const path = join(root, folder);
    if (!existsSync(path)) continue;
    const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
    for (const name of files) {
      const file = join(path, name);
      if (statSync(file).isFile()) hash.update(name).update(readFileSync(file));
    }
  }
  for (const file of ['app/package.json', 'app/vite.config.ts', 'package-lock.json'])
    hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}
