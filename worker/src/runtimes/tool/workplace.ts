import { mkdir, mkdtemp, open, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder with the files of one shard, for a program that works on files. */
export interface Workplace {
  readonly folder: string;
  /** The bytes of a file that the program wrote. */
  read(name: string): Promise<Uint8Array>;
  /** Its length so far. */
  size(name: string): Promise<number>;
  remove(): Promise<void>;
}

/**
 * Makes a folder with `files` (names may have folders) and empty files for what is `written`, below `parent` or the system's folder for
 * temporary files. What a killed node leaves there the next start of a runtime sweeps away, as it does with programs.
 */
export async function makeWorkplace(
  files: ReadonlyMap<string, Uint8Array | string>,
  written: readonly string[],
  parent?: string,
): Promise<Workplace> {
  if (parent !== undefined) await mkdir(parent, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(await realpath(parent ?? tmpdir()), `dpu-child-${process.pid}-`));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    for (const [name, content] of files) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content, { mode: 0o444 });
    }
    for (const name of written) await (await open(join(folder, name), 'wx', 0o600)).close();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    folder,
    read: async (name) => new Uint8Array(await readFile(join(folder, name))),
    size: async (name) => (await stat(join(folder, name))).size,
    remove,
  };
}
