import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { root } from '../native.mjs';

/** Where a local network keeps its files; each network has a folder of its own, emptied when it starts. */
export function networkFolder(name: string): string {
  const path = join(root, '.dpu', name);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}
