/** Whether two results of one shard are the same work, by the comparator of the job's spec. */
import type { FileSource } from '../storage/bytes.ts';
import type { Comparator } from './comparator.ts';
import { compareExact } from './exact.ts';
import { compareNumeric } from './numeric.ts';
import type { Comparison } from './outcome.ts';
import { comparePerceptual } from './perceptual.ts';
import type { CompareOptions } from './source.ts';
import { compareTopk } from './topk.ts';

/**
 * Compares two outputs. The verdict does not depend on the order of the sides, on how the bytes arrive or on the machine.
 * Equal bytes are the same work whatever they are; bytes that cannot be read as the comparator demands equal no others.
 *
 * Never throws for what the bytes are. Rejects with the error of a source that cannot be read, which says nothing about
 * the work, and with the reason of an aborted signal. Memory: see {@link compareTopk} and {@link comparePerceptual}; the
 * other kinds hold 256 KiB a side.
 */
export function compare(
  comparator: Comparator,
  left: FileSource,
  right: FileSource,
  options: CompareOptions = {},
): Promise<Comparison> {
  switch (comparator.kind) {
    case 'exact':
      return compareExact(left, right, options);
    case 'numeric':
      return compareNumeric(comparator, left, right, options);
    case 'topk':
      return compareTopk(comparator, left, right, options);
    case 'perceptual':
      return comparePerceptual(comparator, left, right, options);
  }
}
