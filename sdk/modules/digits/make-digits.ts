// Draws the digits that the train template learns from: strokes, bent and turned at random, on noise. Plain arithmetic from a seed.

/** How many images there are to learn from and to test on, and their side in pixels. */
export const DIGITS = { train: 8_000, test: 2_000, side: 16 } as const;

type Point = readonly [x: number, y: number];

/** Points of an arc around (cx, cy), angles in turns, clockwise from the right; y grows downwards. */
function arc(cx: number, cy: number, rx: number, ry: number, from: number, to: number): Point[] {
  const steps = Math.max(2, Math.ceil(Math.abs(to - from) * 14));
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = 2 * Math.PI * (from + ((to - from) * i) / steps);
    return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)] as const;
  });
}

/** The strokes of each digit in a box from -1 to 1. */
const STROKES: readonly (readonly Point[])[][] = [
  [arc(0, 0, 0.6, 0.95, 0, 1)],
  [[[-0.35, -0.55], [0.1, -0.95], [0.1, 0.95]]], // prettier-ignore
  [[...arc(0, -0.45, 0.55, 0.5, 0.5, 1.1), [-0.6, 0.95], [0.65, 0.95]]], // prettier-ignore
  [arc(-0.05, -0.47, 0.55, 0.48, 0.55, 1.22), arc(-0.05, 0.47, 0.62, 0.5, -0.22, 0.45)],
  [[[0.25, 0.95], [0.25, -0.95], [-0.65, 0.35], [0.7, 0.35]]], // prettier-ignore
  [[[0.55, -0.95], [-0.45, -0.95], [-0.5, -0.1], ...arc(-0.05, 0.35, 0.62, 0.58, -0.3, 0.42)]], // prettier-ignore
  [[...arc(0.35, -0.1, 0.9, 0.85, 0.7, 0.5), ...arc(0, 0.42, 0.55, 0.52, 0.5, 1.5)]],
  [[[-0.6, -0.95], [0.6, -0.95], [-0.15, 0.95]]], // prettier-ignore
  [arc(0, -0.48, 0.48, 0.46, 0, 1), arc(0, 0.46, 0.58, 0.5, 0, 1)],
  [[...arc(0, -0.42, 0.55, 0.52, 0, 1), ...arc(-0.35, 0.1, 0.9, 0.85, 0, 0.2)]],
];

/** Numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function distance([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay];
  const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.sqrt((x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2);
}

/** One image of `digit`, a byte for each pixel: 0 is paper, 255 is ink. */
function draw(digit: number, side: number, random: () => number): Uint8Array {
  const spread = (most: number): number => (random() * 2 - 1) * most;
  const turn = spread(0.3);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const [wide, high, slant] = [0.62 + spread(0.16), 0.66 + spread(0.12), spread(0.3)];
  const [left, top, pen] = [spread(0.16), spread(0.16), 0.1 + random() * 0.1];
  const strokes = (STROKES[digit] ?? []).map((points) =>
    points.map(([px, py]): Point => {
      const [x, y] = [(px + spread(0.06) + slant * -py) * wide, (py + spread(0.06)) * high];
      return [x * cos - y * sin + left, x * sin + y * cos + top];
    }),
  );
  const [ink, noise] = [170 + random() * 85, 20 + random() * 50];
  const image = new Uint8Array(side * side);
  for (let i = 0; i < image.length; i += 1) {
    const at: Point = [(2 * ((i % side) + 0.5)) / side - 1, (2 * (Math.floor(i / side) + 0.5)) / side - 1];
    let nearest = Infinity;
    for (const points of strokes) {
      for (let p = 1; p < points.length; p += 1) {
        nearest = Math.min(nearest, distance(at, points[p - 1] as Point, points[p] as Point));
      }
    }
    const covered = Math.min(1, Math.max(0, ((pen - nearest) * side) / 2 + 0.5));
    image[i] = Math.min(255, Math.max(0, Math.round(covered * ink + (random() + random() - 1) * noise)));
  }
  return image;
}

function idx(magic: number, sizes: readonly number[], bytes: Uint8Array): Uint8Array {
  const file = new Uint8Array(4 + 4 * sizes.length + bytes.length);
  const view = new DataView(file.buffer);
  [magic, ...sizes].forEach((value, i) => view.setUint32(4 * i, value));
  file.set(bytes, file.length - bytes.length);
  return file;
}

function makeSet(count: number, seed: number): { images: Uint8Array; labels: Uint8Array } {
  const random = randomFrom(seed);
  const { side } = DIGITS;
  const images = new Uint8Array(count * side * side);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i += 1) {
    labels[i] = Math.floor(random() * 10);
    images.set(draw(labels[i] as number, side, random), i * side * side);
  }
  return { images: idx(0x0803, [count, side, side], images), labels: idx(0x0801, [count], labels) };
}

/** The files of the built-in data set, in the IDX format of MNIST. The two sets share no image. */
export function makeDigits(): Record<string, Uint8Array> {
  const [train, test] = [makeSet(DIGITS.train, 1), makeSet(DIGITS.test, 2)];
  return {
    'train-images.idx': train.images,
    'train-labels.idx': train.labels,
    'test-images.idx': test.images,
    'test-labels.idx': test.labels,
  };
}
