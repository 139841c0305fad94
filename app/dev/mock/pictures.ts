/** Small files that stand for results: pictures, tables, a mesh, a curve. Everything is drawn here, so nothing is shipped for it. */
import { deflateSync } from 'node:zlib';

import { crc32 } from '@dpu/sdk/compare/crc32';

/** Colour of a pixel, each part 0 … 255. */
type Colour = readonly [number, number, number];

/** An RGB picture as PNG. */
export function png(width: number, height: number, colourAt: (x: number, y: number) => Colour): Uint8Array {
  const rows = new Uint8Array((width * 3 + 1) * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) rows.set(colourAt(x, y), y * (width * 3 + 1) + 1 + x * 3);
  }
  const head = new DataView(new ArrayBuffer(13));
  head.setUint32(0, width);
  head.setUint32(4, height);
  head.setUint8(8, 8);
  head.setUint8(9, 2);
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return Buffer.concat([
    signature,
    chunk('IHDR', new Uint8Array(head.buffer)),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', new Uint8Array()),
  ]);
}

function chunk(name: string, body: Uint8Array): Uint8Array {
  const out = Buffer.alloc(body.length + 12);
  out.writeUInt32BE(body.length, 0);
  out.write(name, 4, 'latin1');
  out.set(body, 8);
  out.writeUInt32BE(crc32(out.subarray(4, body.length + 8)) >>> 0, body.length + 8);
  return out;
}

/** Balls on a floor under a low sun: the pixel at (`x`, `y`) of a picture of `width` by `height`. */
export function scene(x: number, y: number, width: number, height: number): Colour {
  const [u, v] = [(x / width - 0.5) * (width / height) * 2, (0.5 - y / height) * 2];
  for (const [cx, cy, r, hue] of BALLS) {
    const [dx, dy] = [(u - cx) / r, (v - cy) / r];
    const depth = 1 - dx * dx - dy * dy;
    if (depth <= 0) continue;
    const light = Math.max(0.12, dx * 0.5 + dy * 0.6 + Math.sqrt(depth) * 0.62);
    const shine = Math.max(0, dx * 0.45 + dy * 0.6 + Math.sqrt(depth) * 0.66 - 0.93) * 9;
    return [0, 1, 2].map((part) => Math.min(255, HUES[hue]![part]! * light + 255 * shine)) as unknown as Colour;
  }
  if (v > -0.15) return [168 - v * 70, 196 - v * 48, 222 - v * 18];
  const far = 0.28 / (-0.1 - v);
  const board = (Math.floor(u * far * 3) + Math.floor(far * 5)) % 2 === 0 ? 0.86 : 1;
  return [178 * board, 170 * board, 160 * board];
}

const BALLS = [
  [-0.62, -0.3, 0.46, 0],
  [0.42, -0.16, 0.62, 1],
  [1.2, -0.5, 0.3, 2],
  [-1.35, -0.45, 0.34, 3],
  [-0.05, -0.72, 0.2, 4],
] as const;
const HUES = [
  [226, 74, 50],
  [30, 152, 128],
  [240, 184, 60],
  [62, 104, 214],
  [208, 210, 216],
] as const;

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Accuracy and loss of a training, round by round. */
export function curve(rounds: number): Uint8Array {
  const rows = Array.from({ length: rounds }, (_, at) => {
    const loss = 2.3 * Math.exp(-at / 6) + 0.08 + 0.03 * Math.sin(at * 2.1);
    return `${at + 1},${loss.toFixed(4)},${(1 - loss / 2.6).toFixed(4)}`;
  });
  return text(`round,loss,accuracy\n${rows.join('\n')}\n`);
}

/** A table of `rows` answers, wrong in one row where `wrong` says so. */
export function answers(rows: number, wrong?: number): Uint8Array {
  const lines = Array.from({ length: rows }, (_, at) => {
    const kind = (at * 7) % 10;
    return `${at},${at === wrong ? (kind + 3) % 10 : kind},${(0.7 + ((at * 37) % 29) / 100).toFixed(2)}`;
  });
  return text(`item,class,score\n${lines.join('\n')}\n`);
}

/** A ball as a Wavefront OBJ. */
export function ball(rings = 14, sides = 24): Uint8Array {
  const lines: string[] = ['# a ball'];
  for (let ring = 0; ring <= rings; ring += 1) {
    for (let side = 0; side < sides; side += 1) {
      const [a, b] = [(ring / rings) * Math.PI, (side / sides) * 2 * Math.PI];
      const r = 1 + 0.16 * Math.sin(6 * b) * Math.sin(a) ** 3;
      const point = [r * Math.sin(a) * Math.cos(b), r * Math.cos(a), r * Math.sin(a) * Math.sin(b)];
      lines.push(`v ${point.map((part) => part.toFixed(4)).join(' ')}`);
    }
  }
  for (let ring = 0; ring < rings; ring += 1) {
    for (let side = 0; side < sides; side += 1) {
      const [at, next] = [ring * sides + side, ring * sides + ((side + 1) % sides)];
      lines.push(`f ${at + 1} ${next + 1} ${next + sides + 1} ${at + sides + 1}`);
    }
  }
  return text(`${lines.join('\n')}\n`);
}
