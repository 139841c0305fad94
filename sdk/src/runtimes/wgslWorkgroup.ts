/**
 * How much memory a kernel's workgroups share. Compilers do not check it, and drivers break when it is more than they have, so only
 * types whose size is plain are taken: numbers, vectors, matrices and atomics, and arrays of those with a plain length.
 * Sizes are those of "WebGPU Shading Language", W3C, section 14.4.1 (alignment and size).
 */
import { tokensOf } from './wgslTokens.ts';

/** Bytes of all variables of a workgroup; the type whose size cannot be told, as text. */
export function workgroupBytes(source: string): number | string {
  const words = tokensOf(source).map(({ text }) => text);
  const constants = new Map<string, number>();
  words.forEach((text, i) => {
    const value = plainNumber(words[i + 3] ?? '');
    if (text === 'const' && words[i + 2] === '=' && words[i + 4] === ';' && value !== undefined)
      constants.set(words[i + 1]!, value);
  });
  let sum = 0;
  for (let i = 0; i < words.length; i += 1) {
    if (words.slice(i, i + 4).join('') !== 'var<workgroup>') continue;
    const from = words.indexOf(':', i);
    const end = words.indexOf(';', i);
    const type = from < 0 || end < from ? '' : words.slice(from + 1, end).join('');
    const bytes = sizeOf(type, constants);
    if (bytes === undefined) return type;
    sum += bytes;
  }
  return sum;
}

function plainNumber(text: string): number | undefined {
  return /^\d{1,9}[iu]?$/.test(text) ? parseInt(text, 10) : undefined;
}

const SCALARS: Readonly<Record<string, number>> = { u32: 4, i32: 4, f32: 4, bool: 4, f16: 2, h: 2, f: 4, u: 4, i: 4 };

/** Bytes of a type, its alignment included where it repeats; undefined when it is none of the plain ones. */
function sizeOf(type: string, constants: ReadonlyMap<string, number>): number | undefined {
  const array = /^array<(.+),(\w+),?>$/.exec(type);
  if (array) {
    const count = plainNumber(array[2]!) ?? constants.get(array[2]!);
    const element = sizeOf(array[1]!, constants);
    if (count === undefined || element === undefined) return undefined;
    // Three numbers stand as far apart as four.
    return count * (/^vec3/.test(array[1]!) ? (element / 3) * 4 : element);
  }
  const inner = /^atomic<(u32|i32),?>$/.exec(type);
  if (inner) return 4;
  const vector = /^vec([234])(?:<(\w+),?>|([iufh]))$/.exec(type);
  if (vector) return times(Number(vector[1]), SCALARS[vector[2] ?? vector[3]!]);
  const matrix = /^mat([234])x([234])(?:<(\w+),?>|([fh]))$/.exec(type);
  if (matrix) {
    const rows = Number(matrix[2]) === 3 ? 4 : Number(matrix[2]);
    return times(Number(matrix[1]) * rows, SCALARS[matrix[3] ?? matrix[4]!]);
  }
  return type.length > 1 ? SCALARS[type] : undefined;
}

const times = (count: number, bytes: number | undefined): number | undefined =>
  bytes === undefined ? undefined : count * bytes;
