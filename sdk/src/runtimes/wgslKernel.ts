/** What can be told about a kernel from its words alone. The compiler finds the rest. */
import type { Comparator } from '../compare/comparator.ts';
import type { Problem } from '../problems.ts';
import { WGSL_LIMITS, type WgslSettings } from './wgsl.ts';
import { tokensOf, type Token } from './wgslTokens.ts';
import { workgroupBytes } from './wgslWorkgroup.ts';

const FLOAT_TYPE = /^(?:f16|f32|f64|vec[234][fh]|mat[234]x[234][fh]?)$/;
const FLOAT_NUMBER = /^(?:0[xX].*[.pP].*|(?!0[xX])(?=\.?\d)[\d.]*(?:\.|[eE]|\d[fh]$).*)$/;
/** Built-in functions that make floats of something else, or that only floats can be given to. */
const FLOAT_FUNCTIONS = new Set(
  (
    'acos acosh asin asinh atan atan2 atanh ceil cos cosh cross degrees determinant distance exp exp2 faceForward floor fma ' +
    'fract frexp inverse inverseSqrt ldexp length log log2 mix modf normalize pow quantizeToF16 radians reflect refract round ' +
    'saturate sin sinh smoothstep sqrt step tan tanh transpose trunc unpack2x16float unpack2x16snorm unpack2x16unorm ' +
    'unpack4x8snorm unpack4x8unorm pack2x16float pack2x16snorm pack2x16unorm pack4x8snorm pack4x8unorm'
  ).split(' '),
);

/** The first word of a kernel that has to do with floats; undefined in one that only counts. */
export function floatIn(source: string): Token | undefined {
  return tokensOf(source).find(
    ({ text }, i, all) =>
      FLOAT_TYPE.test(text) ||
      FLOAT_NUMBER.test(text) ||
      (FLOAT_FUNCTIONS.has(text) && all[i + 1]?.text === '(' && all[i - 1]?.text !== 'fn'),
  );
}

/** The workgroup size of each entry point for computing, as its attribute says; undefined where that is no plain number. */
export function entryPoints(source: string): ReadonlyMap<string, readonly [number, number, number] | undefined> {
  const tokens = tokensOf(source);
  const found = new Map<string, readonly [number, number, number] | undefined>();
  let size: readonly [number, number, number] | undefined;
  let computes = false;
  let depth = 0;
  tokens.forEach(({ text }, i) => {
    if (text === '{') depth += 1;
    if (text === '}') depth -= 1;
    // Attributes belong to the declaration that follows them; only functions of the module's own level are entry points.
    if (text === ';' || text === '}') [size, computes] = [undefined, false];
    if (depth > 0) return;
    if (tokens[i - 1]?.text === '@' && text === 'compute') computes = true;
    if (tokens[i - 1]?.text === '@' && text === 'workgroup_size') size = sizeAt(tokens, i + 1);
    if (tokens[i - 1]?.text === 'fn' && computes) found.set(text, size);
  });
  return found;
}

/** Reads `(64)`, `(8, 8u)` or `(4, 4, 4,)`. */
function sizeAt(tokens: readonly Token[], from: number): readonly [number, number, number] | undefined {
  const end = tokens.findIndex(({ text }, i) => i >= from && text === ')');
  const inside = tokens.slice(from, end).map(({ text }) => text);
  const match = /^\((\d+)[iu]?(?:,(\d+)[iu]?)?(?:,(\d+)[iu]?)?,?$/.exec(inside.join(''));
  return match ? [Number(match[1]), Number(match[2] ?? 1), Number(match[3] ?? 1)] : undefined;
}

/** Where a kernel and its settings do not fit. The compiler finds the rest. */
export function kernelProblems(source: string, { passes }: Pick<WgslSettings, 'passes'>): Problem[] {
  const bytes = new TextEncoder().encode(source).length;
  if (bytes > WGSL_LIMITS.moduleBytes)
    return [{ path: 'kernel', sentence: `has ${bytes} bytes, the most is ${WGSL_LIMITS.moduleBytes}` }];
  const shared = workgroupBytes(source);
  if (typeof shared === 'string')
    return [{ path: 'kernel', sentence: `shares memory of a size that cannot be told: ${shared}` }];
  if (shared > WGSL_LIMITS.groupBytes)
    return [
      { path: 'kernel', sentence: `shares ${shared} bytes in a workgroup, the most is ${WGSL_LIMITS.groupBytes}` },
    ];
  const entries = entryPoints(source);
  return passes.flatMap(({ entry, size }, i) => {
    const path = `passes[${i}]`;
    if (!entries.has(entry)) return [{ path: `${path}.entry`, sentence: `names no @compute function: ${entry}` }];
    const real = entries.get(entry);
    if (real === undefined)
      return [{ path: `${path}.size`, sentence: `cannot be told: @workgroup_size of ${entry} must be plain numbers` }];
    if (real.every((value, axis) => value === size[axis])) return [];
    return [{ path: `${path}.size`, sentence: `is not what the kernel says: ${entry} has ${real.join(', ')}` }];
  });
}

/**
 * Why a kernel must not be compared byte for byte; undefined when it may. Floats differ in their last digits between
 * honest machines, so a comparator that knows no tolerance would make liars of them. Whole numbers are the same everywhere.
 */
export function exactnessProblem(source: string, comparator: Comparator): Problem | undefined {
  if (comparator.kind !== 'exact') return undefined;
  const float = floatIn(source);
  if (float === undefined) return undefined;
  return {
    path: 'kernel',
    sentence: `computes with floats (${float.text}, line ${float.line}), whose last digits differ between machines: compare with a tolerance, or use whole numbers`,
  };
}
