import { readPng } from '@dpu/sdk/compare/png';
import type { Preview } from '@dpu/sdk/gossip/topics';

import { encodePicture } from '../runtimes/wgsl/child/picture.ts';

/** Longest side of a preview, pixels: as it is stored unpacked, that is less than a preview may have. */
const MOST_SIDE = 56;
/**
 * A preview has at most this part of each side. It is told before the result is revealed, and nobody may learn from it what the result
 * is: whoever audits could copy that instead of computing.
 */
const LEAST_SHRINK = 4;
const LEAST_SIDE = 4;
/** Larger pictures are not made small: it would keep the node from its work. */
const MOST_PIXELS = 2 ** 21;

/** A small picture of a shard's output, where that is a picture that can be made small; undefined for everything else. */
export function previewOf(mediaType: string, output: Uint8Array): Preview | undefined {
  if (mediaType !== 'image/png') return undefined;
  try {
    return shrunk(output);
  } catch {
    // What a stranger's program calls a picture need not be one: that is for a judge to say, and no reason to fail here.
    return undefined;
  }
}

function shrunk(output: Uint8Array): Preview | undefined {
  const { width, height, rows } = readPng(output);
  if (width * height > MOST_PIXELS) return undefined;
  const shrink = Math.max(LEAST_SHRINK, Math.ceil(Math.max(width, height) / MOST_SIDE));
  const [across, down] = [Math.floor(width / shrink), Math.floor(height / shrink)];
  if (across < LEAST_SIDE || down < LEAST_SIDE) return undefined;
  const sums = new Float64Array(3 * across * down);
  let y = 0;
  for (const row of rows()) {
    const line = Math.floor(y / shrink);
    y += 1;
    if (line >= down) continue;
    for (let x = 0; x < across * shrink; x += 1) {
      const at = 3 * (line * across + Math.floor(x / shrink));
      for (let channel = 0; channel < 3; channel += 1) sums[at + channel]! += row[4 * x + channel]!;
    }
  }
  const rgba = new Uint8Array(4 * across * down);
  // Samples have 16 bits, a preview's 8: 257 = 65535 / 255.
  for (let i = 0; i < across * down; i += 1)
    for (let channel = 0; channel < 3; channel += 1)
      rgba[4 * i + channel] = Math.round(sums[3 * i + channel]! / (257 * shrink * shrink));
  return { type: 'image/png', bytes: Uint8Array.from(Buffer.concat(encodePicture(rgba, across, down))) };
}
