/** Builds whatever is out of date: contracts, the jobs' WASM modules, the dApp. Prints one line per part. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { buildApp } from './network/appBuild.ts';
import { buildNode } from './network/nodeBuild.ts';
import { root } from './native.mjs';
import { run } from './network/run.ts';

/** What there is to build, in order. Contract tests are left to `forge test`: they take longer than the contracts. */
export const PARTS = {
  contracts: async (): Promise<void> => {
    await run('Compiling the contracts', process.execPath, ['script/forge.mjs', 'build', '--quiet'], {
      env: { FOUNDRY_PROFILE: 'deploy' },
    });
  },
  modules: async (): Promise<void> => {
    await run('Compiling the job modules', process.execPath, [join(root, 'sdk/modules/build.mjs')]);
  },
  node: async (): Promise<void> => void (await buildNode()),
  dApp: buildApp,
};

/** Builds the named parts, or all, reporting each. */
export async function build(
  report: (line: string) => void,
  parts: (keyof typeof PARTS)[] = Object.keys(PARTS) as (keyof typeof PARTS)[],
): Promise<void> {
  for (const part of parts) {
    const from = performance.now();
    await PARTS[part]();
    report(`${part} built in ${((performance.now() - from) / 1_000).toFixed(1)} s`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await build((line) => console.log(line)).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
