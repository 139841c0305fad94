import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, normalize } from 'node:path';

/** A program of plain JavaScript, made from TypeScript, in a folder of its own. */
export interface Stage {
  readonly folder: string;
  /** The program's only file, a name in the folder. */
  readonly entry: string;
  /** Removes the folder. */
  remove(): Promise<void>;
}

const PREFIX = 'dpu-child-';
const IMPORT = /^import\s+(?:\{([^}]*)\}\s+from\s+)?'([^']+)';?/gm;
const EXPORT = /^export\s+(?=(?:async\s+)?(?:function\*?|const|class)\s+([\w$]+))/gm;
const LEFT_OVER = /^(?:import|export)\b.*/m;

/** Modules as one script: each a function that is called once, in the order of need. Named by their path from the program's folder. */
class Bundle {
  readonly #folder: string;
  readonly #builtins: string[] = [];
  readonly #modules: string[] = [];
  readonly #state = new Map<string, 'open' | 'done'>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async add(file: string): Promise<void> {
    if (this.#state.get(file) === 'done') return;
    if (this.#state.get(file) === 'open') throw new Error(`${file} imports itself through others`);
    this.#state.set(file, 'open');
    const needs: string[] = [];
    const exported: string[] = [];
    const code = stripTypeScriptTypes(await readFile(join(this.#folder, file), 'utf8'))
      .replaceAll(IMPORT, (statement, names: string | undefined, from: string) => {
        if (!/^\.\.?\//.test(from)) {
          this.#builtins.push(statement);
          return '';
        }
        const need = normalize(join(dirname(file), from));
        needs.push(need);
        return names === undefined ? '' : `const {${names.replaceAll(' as ', ': ')}} = ${variable(need)};`;
      })
      .replaceAll(EXPORT, (_, name: string) => {
        exported.push(name);
        return '';
      });
    const left = LEFT_OVER.exec(code);
    if (left !== null) throw new Error(`${file} has a form of import or export that is not known here: ${left[0]}`);
    for (const need of needs) await this.add(need);
    this.#modules.push(`const ${variable(file)} = (() => {\n${code}\nreturn { ${exported.join(', ')} };\n})();\n`);
    this.#state.set(file, 'done');
  }

  toString(): string {
    return [...this.#builtins, ...this.#modules].join('\n');
  }
}

const variable = (file: string): string => `$${file.replace(/\.ts$/, '').replaceAll(/[^\w$]/g, '$')}`;

/** `program`, a TypeScript file, and all that it imports of our own, as one script. What is a script already stays as it is. */
export async function programText(program: string): Promise<string> {
  if (program.endsWith('.mjs')) return readFile(program, 'utf8');
  const bundle = new Bundle(dirname(program));
  await bundle.add(basename(program));
  return bundle.toString();
}

/**
 * Writes `program` as one file of JavaScript into a fresh folder below `parent`. One file, because finding and linking
 * twenty costs a child a third of its start; JavaScript, because Node strips types with a wasm module, which the child's
 * flags would compile with the slow compiler each time.
 */
export async function stageProgram(program: string, parent?: string): Promise<Stage> {
  const text = await programText(program);
  if (parent !== undefined) {
    await mkdir(parent, { recursive: true, mode: 0o700 });
    await sweep(parent);
  }
  const folder = await mkdtemp(join(await realpath(parent ?? tmpdir()), `${PREFIX}${process.pid}-`));
  const entry = basename(program).replace(/\.ts$/, '.mjs');
  await writeFile(join(folder, entry), text, { mode: 0o444 });
  return { folder, entry, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Removes what processes that were killed left in a folder that is ours alone. */
async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const owner = /^dpu-child-(\d+)-/.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
