/** Whether two encodings show the same: both are decoded in the sandbox, and compared frame by frame. */
import type { PerceptualComparator } from '@dpu/sdk/compare/comparator';
import { comparePerceptual } from '@dpu/sdk/compare/perceptual';
import { measured, unreadable, type Comparison } from '@dpu/sdk/compare/outcome';
import { BlockReader } from '@dpu/sdk/compare/source';

/** How much longer one file may be than the other, as a part of the shorter, and in bytes. Another quality or a lazier encoder shows here first. */
const LONGER = { part: 10, bytes: 1_024 } as const;

/** Frames of one side, as a stream of bytes. It rejects with {@link UnreadableClip} where it cannot be decoded. */
export type Frames = AsyncIterable<Uint8Array>;

/** Thrown by a side that is no clip of the asked kind. */
export class UnreadableClip extends Error {
  override readonly name = 'UnreadableClip';
}

/** Whether files of these lengths can be the same work; the order does not matter. */
export function isSimilarLength(left: number, right: number): boolean {
  const [shorter, longer] = left < right ? [left, right] : [right, left];
  return longer <= shorter + shorter / LONGER.part + LONGER.bytes;
}

/**
 * Compares two streams of frames of the comparator's size. They are the same when they have equally many and each pair is the same
 * by the comparator. Answers with the numbers of the first pair that is not, or of the least similar one.
 */
export async function compareFrames(
  comparator: PerceptualComparator,
  left: Frames,
  right: Frames,
  signal?: AbortSignal,
): Promise<Comparison> {
  const { width, height } = comparator.image as Extract<PerceptualComparator['image'], { kind: 'rgba8' }>;
  const bytes = width * height * 4;
  const readers = [new BlockReader(left, signal), new BlockReader(right, signal)] as const;
  let worst: Comparison | undefined;
  try {
    for (let count = 0; ; count += 1) {
      const [a, b] = [await readFrame(readers[0], bytes), await readFrame(readers[1], bytes)];
      const [broken, other] = [a, b].map((side) =>
        side?.length === bytes || side?.length === 0 ? undefined : 'corrupt',
      );
      if (a === undefined || b === undefined || broken || other) {
        return unreadable(broken as 'corrupt' | undefined, other as 'corrupt' | undefined);
      }
      if (a.length !== b.length) {
        const shorter = a.length < b.length ? 'left' : 'right';
        return {
          same: false,
          reason: 'different-length',
          difference: { kind: 'length', shorter, bytes: count * bytes },
        };
      }
      if (a.length === 0) return worst ?? measured(false, { kind: 'none' });
      const pair = await comparePerceptual(comparator, a, b, { signal });
      if (!pair.same) return pair;
      if (similarity(pair) <= similarity(worst)) worst = pair;
    }
  } finally {
    for (const reader of readers) await reader.close();
  }
}

const similarity = (pair: Comparison | undefined): number =>
  pair?.difference.kind === 'perceptual' ? pair.difference.ssim : pair === undefined ? Infinity : 1;

/** The next frame, empty at the end; undefined where the side cannot be decoded. */
async function readFrame(reader: BlockReader, bytes: number): Promise<Uint8Array | undefined> {
  try {
    return await reader.read(bytes);
  } catch (error) {
    if (error instanceof UnreadableClip) return undefined;
    throw error;
  }
}
