/** Draws digits as people might write them, from a seed alone: the data of the built-in classifier. */

/** Width and height of a drawing in pixels. */
export const SIDE = 16;
/** Kinds of digits. */
export const CLASSES = 10;

/** Drawings, one after the other, one byte a pixel (255 is ink), and which digit each one is. */
export interface Digits {
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

/** Lines of each digit from the left top (0, 0) to the right bottom (1, 1): points as x, y, x, y, … */
const STROKES: readonly (readonly (readonly number[])[])[] = [
  [[0.5, 0.1, 0.72, 0.22, 0.8, 0.5, 0.72, 0.78, 0.5, 0.9, 0.28, 0.78, 0.2, 0.5, 0.28, 0.22, 0.5, 0.1]],
  [[0.3, 0.3, 0.55, 0.1, 0.55, 0.9]],
  [[0.22, 0.28, 0.35, 0.12, 0.62, 0.11, 0.77, 0.28, 0.7, 0.48, 0.22, 0.9, 0.8, 0.9]],
  [[0.24, 0.14, 0.6, 0.1, 0.75, 0.28, 0.52, 0.46, 0.78, 0.68, 0.6, 0.9, 0.22, 0.85]],
  [[0.62, 0.9, 0.62, 0.1, 0.2, 0.64, 0.82, 0.64]],
  [[0.76, 0.12, 0.3, 0.12, 0.27, 0.46, 0.6, 0.42, 0.78, 0.62, 0.65, 0.86, 0.24, 0.88]],
  [[0.7, 0.1, 0.4, 0.26, 0.24, 0.6, 0.34, 0.86, 0.62, 0.89, 0.76, 0.7, 0.6, 0.52, 0.28, 0.6]],
  [[0.2, 0.12, 0.8, 0.12, 0.42, 0.9]],
  [
    [0.5, 0.1, 0.7, 0.22, 0.62, 0.42, 0.4, 0.5, 0.24, 0.7, 0.4, 0.89, 0.62, 0.89, 0.76, 0.7, 0.62, 0.5, 0.38, 0.42],
    [0.38, 0.42, 0.3, 0.22, 0.5, 0.1],
  ],
  [[0.72, 0.42, 0.44, 0.5, 0.25, 0.33, 0.36, 0.12, 0.62, 0.11, 0.75, 0.3, 0.7, 0.6, 0.5, 0.9]],
];

/** A stream of numbers from a seed: PCG with 32 bits of output, by M. O'Neill, https://www.pcg-random.org. */
export class Random {
  #state: bigint;

  constructor(seed: number) {
    this.#state = BigInt(seed);
    this.next();
  }

  /** In [0, 1). */
  next(): number {
    const old = this.#state;
    this.#state = BigInt.asUintN(64, old * 6364136223846793005n + 1442695040888963407n);
    const shifted = Number(BigInt.asUintN(32, ((old >> 18n) ^ old) >> 27n));
    const turn = Number(old >> 59n);
    return (((shifted >>> turn) | (shifted << (-turn & 31))) >>> 0) / 2 ** 32;
  }

  /** In (-1, 1), near 0 mostly: the mean of three. */
  around(): number {
    return ((this.next() + this.next() + this.next()) * 2) / 3 - 1;
  }
}

/** `count` drawings, each of a digit that the seed chooses. Only sums, products, quotients and roots: the same on every machine. */
export function drawDigits(count: number, seed: number): Digits {
  const random = new Random(seed);
  const pixels = new Uint8Array(count * SIDE * SIDE);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = Math.floor(random.next() * CLASSES);
    draw(labels[i]!, random, pixels.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE));
  }
  return { pixels, labels };
}

/** A hand is never the same: every point wanders, the whole is stretched, slanted and moved, the pen is broad or fine. */
function draw(digit: number, random: Random, target: Uint8Array): void {
  const [stretch, slant, lean, squeeze] = [1, 0, 0, 1].map((value) => value + 0.38 * random.around());
  const [right, down] = [0.14 * random.around(), 0.14 * random.around()];
  const pen = 0.055 + 0.045 * random.next();
  const ink = 150 + 105 * random.next();
  const noise = 20 + 80 * random.next();
  const lines = STROKES[digit]!.map((points) => {
    const moved: number[] = [];
    for (let i = 0; i < points.length; i += 2) {
      const x = points[i]! - 0.5 + 0.07 * random.around();
      const y = points[i + 1]! - 0.5 + 0.07 * random.around();
      moved.push(stretch! * x + slant! * y + 0.5 + right, lean! * x + squeeze! * y + 0.5 + down);
    }
    return moved;
  });
  for (let at = 0; at < target.length; at++) {
    const x = ((at % SIDE) + 0.5) / SIDE;
    const y = (Math.floor(at / SIDE) + 0.5) / SIDE;
    let distance = 1;
    for (const line of lines) {
      for (let i = 0; i + 3 < line.length; i += 2) {
        distance = Math.min(distance, toSegment(x, y, line[i]!, line[i + 1]!, line[i + 2]!, line[i + 3]!));
      }
    }
    const covered = Math.max(0, Math.min(1, (pen - distance) * SIDE + 0.5));
    target[at] = Math.max(0, Math.min(255, Math.floor(ink * covered + noise * random.around())));
  }
}

function toSegment(x: number, y: number, fromX: number, fromY: number, toX: number, toY: number): number {
  const [dx, dy] = [toX - fromX, toY - fromY];
  const along = Math.max(0, Math.min(1, ((x - fromX) * dx + (y - fromY) * dy) / (dx * dx + dy * dy + 1e-12)));
  const [offX, offY] = [x - fromX - along * dx, y - fromY - along * dy];
  return Math.sqrt(offX * offX + offY * offY);
}
