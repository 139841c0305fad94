import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stageProgram } from '../../src/sandbox/stage.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dpu-stage-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

/** Stages a program of these files below the test's folder; `main.ts` is the program. */
async function staged(files: Record<string, string>, parent = join(root, 'staged')) {
  await mkdir(join(root, 'source'));
  for (const [name, code] of Object.entries(files)) await writeFile(join(root, 'source', name), code);
  return stageProgram(join(root, 'source', 'main.ts'), parent);
}

test('a program becomes one file that does the same', async () => {
  const { folder, entry, remove } = await staged({
    'main.ts': `import { join } from 'node:path';
import type { Fruit } from './fruit.ts';
import {
  apple,
  EMPTY as NONE,
} from './fruit.ts';
import { weigh, type Scale } from './scale.ts';
const fruit: Fruit = apple;
export const scale: Scale = { unit: 'g' };
(globalThis as Record<string, unknown>)['said'] = join(fruit.name, NONE, String(weigh(fruit)), scale.unit);`,
    'fruit.ts': `import { NAMES } from './names.ts';
export interface Fruit { readonly name: string }
export const EMPTY = 'none';
export const apple: Fruit = { name: NAMES[0]! };`,
    'scale.ts': `import { NAMES } from './names.ts';
const EMPTY = 3;
export interface Scale { unit: string }
export function weigh(fruit: { name: string }): number { return NAMES.indexOf(fruit.name) + EMPTY; }
export class Unused {}`,
    'names.ts': `export const NAMES: string[] = ['apple'];`,
    'stranger.ts': `export const code = 'that nothing imports';`,
  });
  expect(await readdir(folder)).toEqual([entry]);
  await import(pathToFileURL(join(folder, entry)).href);
  expect((globalThis as Record<string, unknown>)['said']).toBe('apple/none/3/g');
  expect(await readFile(join(folder, entry), 'utf8')).not.toContain('that nothing imports');
  await remove();
  expect(await readdir(join(root, 'staged'))).toEqual([]);
});

test('a program may import from folders beside its own', async () => {
  await mkdir(join(root, 'other'));
  await writeFile(
    join(root, 'other', 'sum.ts'),
    `import { ONE } from './one.ts';\nexport const sum = (n: number): number => n + ONE;`,
  );
  await writeFile(join(root, 'other', 'one.ts'), 'export const ONE = 1;');
  const { folder, entry } = await staged({
    'main.ts': `import { sum } from '../other/sum.ts';
import { ONE } from './one.ts';
(globalThis as Record<string, unknown>)['said'] = sum(ONE);`,
    'one.ts': 'export const ONE = 41;',
  });
  await import(pathToFileURL(join(folder, entry)).href);
  expect((globalThis as Record<string, unknown>)['said']).toBe(42);
});

test.each([
  ['export default 1;', 'main.ts has a form of import or export that is not known here: export default 1;'],
  ["import './main.ts';", 'main.ts imports itself through others'],
])('%s is refused', async (code, why) => {
  await expect(staged({ 'main.ts': code })).rejects.toThrow(why);
});

test('what a killed process left in the folder is removed, what a living one uses is not', async () => {
  const parent = join(root, 'staged');
  // No process has the largest number that can be given.
  const names = [`dpu-child-${2 ** 31 - 1}-a`, `dpu-child-${process.ppid}-b`, 'mine'];
  for (const name of names) await mkdir(join(parent, name), { recursive: true });
  await writeFile(join(parent, names[0]!, 'main.mjs'), '');
  const { folder } = await staged({ 'main.ts': '' }, parent);
  expect((await readdir(parent)).sort()).toEqual([folder.split('/').at(-1)!, names[1]!, names[2]!].sort());
});
