// Letters of 5 × 7 dots: those that the picture of a confusion matrix needs.
import { Canvas } from './canvas';

/** Dots between the left edges of two letters at size 1. */
export const ADVANCE: i32 = 6;
/** Height of a letter at size 1, in dots. */
export const HEIGHT: i32 = 7;

const LETTERS: string = '0123456789.%ACDEIPRTUY';

/** Seven rows a letter, the left dot is the bit of value 16. */
const ROWS: StaticArray<u8> = [
  14, 17, 19, 21, 25, 17, 14, 4, 12, 4, 4, 4, 4, 14, 14, 17, 1, 2, 4, 8, 31, 31, 2, 4, 2, 1, 17, 14, 2, 6, 10, 18, 31,
  2, 2, 31, 16, 30, 1, 1, 17, 14, 6, 8, 16, 30, 17, 17, 14, 31, 1, 2, 4, 8, 8, 8, 14, 17, 17, 14, 17, 17, 14, 14, 17,
  17, 15, 1, 2, 12, 0, 0, 0, 0, 0, 12, 12, 24, 25, 2, 4, 8, 19, 3, 14, 17, 17, 31, 17, 17, 17, 14, 17, 16, 16, 16, 17,
  14, 28, 18, 17, 17, 17, 18, 28, 31, 16, 16, 30, 16, 16, 31, 14, 4, 4, 4, 4, 4, 14, 30, 17, 17, 30, 16, 16, 16, 30, 17,
  17, 30, 20, 18, 17, 31, 4, 4, 4, 4, 4, 4, 17, 17, 17, 17, 17, 17, 14, 17, 17, 10, 4, 4, 4, 4,
];

/** Width of `text`, in pixels. */
export function widthOf(text: string, size: i32): i32 {
  return max((text.length * ADVANCE - 1) * size, 0);
}

/** Writes `text` with its left top at the given place. Letters that the font has not are blanks. */
export function write(canvas: Canvas, text: string, left: i32, top: i32, size: i32, color: u32): void {
  for (let i = 0; i < text.length; ++i) {
    const letter = LETTERS.indexOf(text.charAt(i));
    if (letter < 0) continue;
    for (let row = 0; row < HEIGHT; ++row) {
      const dots = <i32>ROWS[letter * HEIGHT + row];
      for (let dot = 0; dot < 5; ++dot) {
        if ((dots >> (4 - dot)) & 1)
          canvas.fill(left + (i * ADVANCE + dot) * size, top + row * size, size, size, color);
      }
    }
  }
}
