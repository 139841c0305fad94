/** Sentences about comparisons, for logs and pages. */
import type { Comparison, Difference, UnreadableReason } from './outcome.ts';

const UNREADABLE: Readonly<Record<UnreadableReason, string>> = {
  'wrong-length': 'has a length that the spec does not allow',
  'not-png': 'is no PNG file',
  corrupt: 'is a broken image',
  unsupported: 'is an image of a kind that is not compared (interlaced or animated)',
  'too-large': 'is larger than what is compared',
};

/** One sentence that says why two results are the same or not. */
export function describeComparison({ same, difference }: Comparison): string {
  return `The results ${same ? 'are the same work' : 'differ'}: ${facts(difference)}.`;
}

function facts(difference: Difference): string {
  switch (difference.kind) {
    case 'none':
      return 'every byte is equal';
    case 'bytes':
      return `byte ${difference.offset} is the first that differs`;
    case 'length':
      return `the ${difference.shorter} one ends after ${difference.bytes} bytes, the other does not`;
    case 'numeric': {
      const { outliers, elements, maxAbsolute } = difference;
      return `${outliers} of ${elements} elements are beyond the tolerance, the largest distance is ${maxAbsolute}`;
    }
    case 'topk':
      return `${difference.outliers} of ${difference.rows} rows have other best classes`;
    case 'perceptual': {
      const { outliers, width, height, meanError, ssim } = difference;
      const error = `the mean error is ${percent(meanError)}`;
      return `${error}, ${outliers} of ${width * height} pixels are off, and the similarity is ${percent(ssim)}`;
    }
    case 'shape': {
      const { left, right } = difference;
      return `one image has ${left.width} by ${left.height} pixels, the other ${right.width} by ${right.height}`;
    }
    case 'look':
      return `the images are to be shown differently (${difference.chunks.join(', ')})`;
    case 'unreadable':
      return (['left', 'right'] as const)
        .flatMap((side) => (difference[side] ? [`the ${side} one ${UNREADABLE[difference[side]]}`] : []))
        .join(' and ');
  }
}

const percent = (share: number): string => `${(share * 100).toFixed(3)} %`;
