import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Abi, Hex } from 'viem';

import { root } from '../native.mjs';

/** ABI and creation code of a compiled contract. @throws when the contracts are not built. */
export function artifact(name: string): { abi: Abi; bytecode: Hex } {
  const path = join(root, `out/${name}.sol/${name}.json`);
  try {
    const { abi, bytecode } = JSON.parse(readFileSync(path, 'utf8')) as { abi: Abi; bytecode: { object: Hex } };
    return { abi, bytecode: bytecode.object };
  } catch (cause) {
    throw new Error(`${name} is not compiled: run npm run build:contracts`, { cause });
  }
}
