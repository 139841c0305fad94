/** A file or folder of the shard's world. Numbers are given in the order of the sorted paths, so they are the same everywhere. */
export interface Entry {
  readonly inode: bigint;
  /** Content; `undefined` for a folder. */
  readonly bytes: Uint8Array | undefined;
  /** Names in the folder, sorted by their bytes; empty for a file. */
  readonly names: readonly string[];
}

const NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** Whether a name can be a shard's input: one or two plain segments. */
export function isInputName(name: string): boolean {
  const segments = name.split('/');
  return segments.length <= 2 && segments.every((s) => NAME.test(s) && s !== '.' && s !== '..');
}

const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The files a shard can see: a read-only tree in memory, made of the inputs and nothing else. There is nothing to escape
 * to: no link, no host path, no handle to the machine's files exists here.
 */
export class Files {
  readonly #entries = new Map<string, Entry>();

  constructor(inputs: readonly { readonly name: string; readonly bytes: Uint8Array }[]) {
    const folders = new Map<string, Set<string>>([['', new Set()]]);
    const contents = new Map<string, Uint8Array>();
    for (const { name, bytes } of inputs) {
      if (!isInputName(name)) throw new TypeError(`input name ${JSON.stringify(name)} is not allowed`);
      const [first, second] = name.split('/') as [string, string | undefined];
      folders.get('')!.add(first);
      if (second !== undefined) {
        if (!folders.has(first)) folders.set(first, new Set());
        folders.get(first)!.add(second);
      }
      if (contents.has(name)) throw new TypeError(`input name ${JSON.stringify(name)} is given twice`);
      contents.set(name, bytes);
    }
    for (const name of contents.keys()) {
      if (folders.has(name)) throw new TypeError(`input name ${JSON.stringify(name)} is a file and a folder`);
    }
    const paths = [...folders.keys(), ...contents.keys()].sort(byBytes);
    paths.forEach((path, i) => {
      const names = [...(folders.get(path) ?? [])].sort(byBytes);
      this.#entries.set(path, { inode: BigInt(i + 1), bytes: contents.get(path), names });
    });
  }

  /** The entry at a path as {@link resolve} returns it. */
  at(path: string): Entry | undefined {
    return this.#entries.get(path);
  }

  /**
   * Follows `path` from the folder `from`. `escape` when it is absolute or climbs out, `missing` when a segment does not
   * exist, `not-folder` when a file is used as a folder.
   */
  resolve(from: string, path: string): { path: string; entry: Entry } | 'escape' | 'missing' | 'not-folder' {
    if (path.startsWith('/')) return 'escape';
    const stack = from === '' ? [] : from.split('/');
    const segments = path.split('/');
    for (const segment of segments) {
      const here = this.#entries.get(stack.join('/'));
      if (here === undefined) return 'missing';
      if (here.bytes !== undefined) return 'not-folder';
      if (segment === '' || segment === '.') continue;
      if (segment === '..') {
        if (stack.length === 0) return 'escape';
        stack.pop();
        continue;
      }
      stack.push(segment);
    }
    const found = stack.join('/');
    const entry = this.#entries.get(found);
    if (entry === undefined) return 'missing';
    return { path: found, entry };
  }
}
