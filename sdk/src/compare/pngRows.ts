/** The rows of a PNG: taken from its data, and freed of their filters. */
import { UnreadableImage } from './image.ts';

/** Hands out pieces of any size as blocks of the size that is asked for. */
export class ByteQueue {
  readonly #pieces: Iterator<Uint8Array, void, undefined>;
  #piece: Uint8Array = new Uint8Array();

  constructor(pieces: Iterator<Uint8Array, void, undefined>) {
    this.#pieces = pieces;
  }

  /** Fills `target`, or throws {@link UnreadableImage} when less is left. */
  fill(target: Uint8Array): void {
    for (let at = 0; at < target.length;) {
      if (this.#piece.length === 0) {
        const next = this.#pieces.next();
        if (next.done) throw new UnreadableImage('corrupt', 'it has too few rows');
        this.#piece = next.value;
        continue;
      }
      const part = this.#piece.subarray(0, target.length - at);
      target.set(part, at);
      at += part.length;
      this.#piece = this.#piece.subarray(part.length);
    }
  }

  /** Throws {@link UnreadableImage} unless nothing is left; the pieces' own end is checked with it. */
  end(): void {
    for (;;) {
      if (this.#piece.length > 0) throw new UnreadableImage('corrupt', 'it has too many rows');
      const next = this.#pieces.next();
      if (next.done) return;
      this.#piece = next.value;
    }
  }
}

/** Undoes the filter of a row in place (PNG specification, section 9). `pixelBytes` is at least 1. */
export function unfilter(filter: number, row: Uint8Array, above: Uint8Array, pixelBytes: number): void {
  switch (filter) {
    case 0:
      return;
    case 1:
      for (let i = pixelBytes; i < row.length; i++) row[i] = row[i]! + row[i - pixelBytes]!;
      return;
    case 2:
      for (let i = 0; i < row.length; i++) row[i] = row[i]! + above[i]!;
      return;
    case 3:
      for (let i = 0; i < row.length; i++) {
        const left = i < pixelBytes ? 0 : row[i - pixelBytes]!;
        row[i] = row[i]! + ((left + above[i]!) >> 1);
      }
      return;
    case 4:
      for (let i = 0; i < row.length; i++) {
        const left = i < pixelBytes ? 0 : row[i - pixelBytes]!;
        const corner = i < pixelBytes ? 0 : above[i - pixelBytes]!;
        row[i] = row[i]! + paeth(left, above[i]!, corner);
      }
      return;
    default:
      throw new UnreadableImage('corrupt', 'a row has an unknown filter');
  }
}

function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
