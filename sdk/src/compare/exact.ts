/** Equal bytes. */
import type { FileSource } from '../storage/bytes.ts';
import { IDENTICAL, type Comparison } from './outcome.ts';
import { blockPairs, firstDifference, type CompareOptions } from './source.ts';

const BLOCK_BYTES = 256 * 1024;

/** Compares byte for byte and stops at the first difference. Holds 256 KiB and one piece of each side. */
export async function compareExact(
  left: FileSource,
  right: FileSource,
  options: CompareOptions = {},
): Promise<Comparison> {
  let before = 0;
  for await (const pair of blockPairs(left, right, BLOCK_BYTES, options)) {
    const at = firstDifference(pair.left, pair.right);
    if (at >= 0) return { same: false, reason: 'different-bytes', difference: { kind: 'bytes', offset: before + at } };
    const unequal = differentLength(pair, before);
    if (unequal) return unequal;
    before += pair.left.length;
  }
  return IDENTICAL;
}

/** The answer when one side ends within this pair, which starts at byte `before`, and the other does not. */
export function differentLength(
  { left, right }: { readonly left: Uint8Array; readonly right: Uint8Array },
  before: number,
): Comparison | undefined {
  if (left.length === right.length) return undefined;
  const shorter = left.length < right.length ? 'left' : 'right';
  const bytes = before + Math.min(left.length, right.length);
  return { same: false, reason: 'different-length', difference: { kind: 'length', shorter, bytes } };
}
