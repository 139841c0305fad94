import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const IMPORT = /(\bfrom\s*|\bimport\s*)'\.\/([A-Za-z]+)\.ts'/g;

/** A folder of plain JavaScript made from a folder of TypeScript. */
export interface Stage {
  readonly folder: string;
  /** Removes the folder. */
  remove(): Promise<void>;
}

/**
 * Copies a flat folder of TypeScript as JavaScript into a fresh folder of its own. The child must not strip types by
 * itself: Node does that with a wasm module, which the child's flags would compile with the slow compiler at every start.
 * Tests stay behind; `x.ts` becomes `x.mjs`.
 */
export async function stageFolder(source: string): Promise<Stage> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'dpu-child-'));
  const names = (await readdir(source)).filter((name) => /^[A-Za-z]+\.ts$/.test(name));
  await Promise.all(
    names.map(async (name) => {
      const code = stripTypeScriptTypes(await readFile(join(source, name), 'utf8'));
      await writeFile(join(folder, name.replace(/ts$/, 'mjs')), code.replaceAll(IMPORT, "$1'./$2.mjs'"), {
        mode: 0o444,
      });
    }),
  );
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
