/** A clip that is drawn when nobody brings one: balls of glass and chalk that circle over a chequered floor, ray by ray. */

/** Sizes of a drawn clip. `width` and `height` must be even. */
export interface ClipShape {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly frames: number;
}

type Vector = readonly [x: number, y: number, z: number];

const BALLS = 3;
const RADIUS = 0.9;
const EYE: Vector = [0, 1.6, -6.5];
const SUN: Vector = normal([0.5, 0.9, -0.55]);
const COLOURS: readonly Vector[] = [
  [0.95, 0.36, 0.22],
  [0.2, 0.62, 0.95],
  [0.98, 0.83, 0.3],
];
const BOUNCES = 2;
/** How much of the light a ball reflects. */
const SHINE = 0.35;

function normal([x, y, z]: Vector): Vector {
  const length = Math.sqrt(x * x + y * y + z * z);
  return [x / length, y / length, z / length];
}
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const along = (from: Vector, way: Vector, far: number): Vector => [
  from[0] + far * way[0],
  from[1] + far * way[1],
  from[2] + far * way[2],
];
const mix = (a: Vector, b: Vector, share: number): Vector => along([0, 0, 0], along(scaled(a, 1 - share), b, share), 1);
const scaled = (a: Vector, by: number): Vector => [a[0] * by, a[1] * by, a[2] * by];

/** Where the balls are after `seconds`. */
const ballsAt = (seconds: number): Vector[] =>
  Array.from({ length: BALLS }, (_, i) => {
    const angle = seconds * 1.1 + (i * 2 * Math.PI) / BALLS;
    return [2.1 * Math.cos(angle), RADIUS + 0.8 * Math.abs(Math.sin(2 * seconds + i)), 2.1 * Math.sin(angle)];
  });

/** The nearest ball on a ray, and how far it is. */
function hit(from: Vector, way: Vector, balls: readonly Vector[]): { ball: number; far: number } | undefined {
  let found: { ball: number; far: number } | undefined;
  balls.forEach((centre, ball) => {
    const to = along(from, centre, -1);
    const half = dot(to, way);
    const root = half * half - dot(to, to) + RADIUS * RADIUS;
    const far = -half - Math.sqrt(Math.max(0, root));
    if (root > 0 && far > 1e-3 && (found === undefined || far < found.far)) found = { ball, far };
  });
  return found;
}

/** The light that comes along a ray, 0 … 1 for red, green and blue. */
function light(from: Vector, way: Vector, balls: readonly Vector[], bounces: number): Vector {
  const found = hit(from, way, balls);
  if (found !== undefined) {
    const at = along(from, way, found.far);
    const up = scaled(along(at, balls[found.ball]!, -1), 1 / RADIUS);
    const lit = 0.25 + 0.75 * Math.max(0, dot(up, SUN));
    const own = scaled(COLOURS[found.ball % COLOURS.length]!, lit);
    if (bounces === 0) return own;
    return mix(own, light(at, along(way, up, -2 * dot(way, up)), balls, bounces - 1), SHINE);
  }
  const sky: Vector = [0.45 + 0.3 * way[1], 0.62 + 0.25 * way[1], 0.86 + 0.1 * way[1]];
  if (way[1] >= -1e-3) return sky;
  const far = -from[1] / way[1];
  const at = along(from, way, far);
  const tile = (Math.floor(at[0]) + Math.floor(at[2])) & 1;
  const shade = hit(at, SUN, balls) === undefined ? 1 : 0.45;
  const floor = scaled(tile === 0 ? [0.86, 0.85, 0.82] : [0.3, 0.33, 0.38], shade);
  return mix(floor, sky, Math.min(1, (far / 30) ** 2));
}

/** Draws a clip as Y4M (YUV 4:2:0, BT.601, limited range), which any program for video reads. */
export function drawClip({ width, height, fps, frames }: ClipShape): Uint8Array {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const head = encode(`YUV4MPEG2 W${width} H${height} F${fps}:1 Ip A1:1 C420jpeg\n`);
  const mark = encode('FRAME\n');
  const pixels = width * height;
  const size = mark.length + pixels * 1.5;
  const clip = new Uint8Array(head.length + frames * size);
  clip.set(head);
  for (let frame = 0; frame < frames; frame += 1) {
    const start = head.length + frame * size;
    clip.set(mark, start);
    drawFrame(clip.subarray(start + mark.length, start + size), { width, height }, ballsAt(frame / fps));
  }
  return clip;
}

function drawFrame(planes: Uint8Array, { width, height }: { width: number; height: number }, balls: Vector[]): void {
  const pixels = width * height;
  const chroma = new Float64Array(pixels / 2);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const way = normal([(2 * x + 1 - width) / height, -(2 * y + 1 - height) / height - 0.12, 2]);
      const [r, g, b] = light(EYE, way, balls, BOUNCES);
      const luma = 0.299 * r + 0.587 * g + 0.114 * b;
      planes[y * width + x] = 16 + 219 * Math.min(1, luma);
      const at = (y >> 1) * (width >> 1) + (x >> 1);
      chroma[at] = chroma[at]! + (b - luma) / 1.772 / 4;
      chroma[pixels / 4 + at] = chroma[pixels / 4 + at]! + (r - luma) / 1.402 / 4;
    }
  }
  chroma.forEach((value, i) => (planes[pixels + i] = Math.max(16, Math.min(240, 128 + 224 * value))));
}
