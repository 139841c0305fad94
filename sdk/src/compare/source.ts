/** Two results read side by side, block by block, so that what is held does not grow with what is compared. */
import { chunksOf, concat, type FileSource } from '../storage/bytes.ts';

/** Options of a comparison. */
export interface CompareOptions {
  /** Ends the comparison with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Bytes that are compared between two looks at the signal and at whatever else the process has to do. */
const BYTES_PER_TURN = 4 * 1024 * 1024;

/** Hands out a source's bytes in blocks of the size asked for. */
export class BlockReader {
  readonly #pieces: AsyncGenerator<Uint8Array, void, undefined>;
  #rest: Uint8Array = new Uint8Array();

  constructor(source: FileSource, signal: AbortSignal | undefined) {
    this.#pieces = chunksOf(source, signal);
  }

  /** The next `length` bytes, fewer only where the source ends. Valid until the source's owner changes its pieces. */
  async read(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      if (this.#rest.length === 0) {
        const next = await this.#pieces.next();
        if (next.done) break;
        this.#rest = next.value;
        continue;
      }
      const part = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(part.length);
      missing -= part.length;
      parts.push(part);
    }
    return parts.length === 1 ? parts[0]! : concat(parts);
  }

  /** Tells a source that is not read to its end to let go of what it holds. */
  async close(): Promise<void> {
    await this.#pieces.return();
  }
}

/** One block of each side, at the same place. Only the last may be shorter than asked for, and of unequal lengths. */
export interface BlockPair {
  readonly left: Uint8Array;
  readonly right: Uint8Array;
}

/** Both sources in blocks of `length` bytes, until both end or their lengths turn out to differ. */
export async function* blockPairs(
  left: FileSource,
  right: FileSource,
  length: number,
  { signal }: CompareOptions,
): AsyncGenerator<BlockPair, void, undefined> {
  const readers = [new BlockReader(left, signal), new BlockReader(right, signal)] as const;
  const turn = new Turns(signal);
  try {
    for (;;) {
      await turn.took(length);
      const pair = { left: await readers[0].read(length), right: await readers[1].read(length) };
      if (pair.left.length > 0 || pair.right.length > 0) yield pair;
      if (pair.left.length < length || pair.right.length < length) return;
    }
  } finally {
    for (const reader of readers) await reader.close();
  }
}

/** Lets timers and the network have their turn during long work: a node that compares has leases to keep. */
export class Turns {
  readonly #signal: AbortSignal | undefined;
  #left = BYTES_PER_TURN;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Counts work of about `bytes`, and gives way when it was enough. */
  async took(bytes: number): Promise<void> {
    this.#signal?.throwIfAborted();
    this.#left -= bytes;
    if (this.#left > 0) return;
    this.#left = BYTES_PER_TURN;
    await new Promise((resolve) => setTimeout(resolve));
    this.#signal?.throwIfAborted();
  }
}

/** Where the first byte differs in two blocks, up to the end of the shorter; -1 when none does. */
export function firstDifference(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) if (left[i] !== right[i]) return i;
  return -1;
}
