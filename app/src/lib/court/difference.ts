/** What two results have in common, for eyes. Whether they are the same work is the comparator's to say. */

/** How bytes are shown. */
export type Look = 'image' | 'text' | 'bytes';

const PNG = [0x89, 0x50, 0x4e, 0x47];
/** Longer texts are shown from their first difference on. */
const MOST_TEXT = 200_000;

/** A picture, readable text, or bytes. */
export function lookOf(bytes: Uint8Array): Look {
  if (PNG.every((byte, at) => bytes[at] === byte)) return 'image';
  const head = bytes.subarray(0, 4_096);
  // A text has no zero bytes, and a cut through a character does no harm.
  return head.length > 0 && !head.includes(0) && isText(head) ? 'text' : 'bytes';
}

function isText(bytes: Uint8Array): boolean {
  const text = new TextDecoder().decode(bytes);
  const strange = [...text].filter((letter) => letter === '\u{fffd}').length;
  return strange <= 1;
}

/** A line of two texts. */
export interface LinePair {
  /** From 1. */
  number: number;
  /** Undefined where the text has ended. */
  left: string | undefined;
  right: string | undefined;
  same: boolean;
}

/** Lines side by side around their differences: `context` equal lines before and after each, at most `most` in all. */
export function differingLines(
  left: Uint8Array,
  right: Uint8Array,
  { context = 2, most = 200 } = {},
): { lines: LinePair[]; differing: number; total: number } {
  const [one, two] = [left, right].map((bytes) =>
    new TextDecoder().decode(bytes.subarray(0, MOST_TEXT)).split(/\r?\n/),
  ) as [string[], string[]];
  const total = Math.max(one.length, two.length);
  const differs = Array.from({ length: total }, (_, at) => one[at] !== two[at]);
  const near = (at: number): boolean =>
    differs.slice(Math.max(0, at - context), at + context + 1).some((differing) => differing);
  const lines: LinePair[] = [];
  for (let at = 0; at < total && lines.length < most; at += 1) {
    if (near(at)) lines.push({ number: at + 1, left: one[at], right: two[at], same: !differs[at] });
  }
  return { lines, differing: differs.filter(Boolean).length, total };
}

/** The first byte that differs, with its neighbours as hex; undefined when all are equal. */
export function firstDifference(
  left: Uint8Array,
  right: Uint8Array,
  around = 8,
): { offset: number; left: string; right: string } | undefined {
  const length = Math.max(left.length, right.length);
  for (let at = 0; at < length; at += 1) {
    if (left[at] === right[at]) continue;
    const from = Math.max(0, at - around);
    const show = (bytes: Uint8Array): string =>
      [...bytes.subarray(from, at + around)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    return { offset: at, left: show(left), right: show(right) };
  }
  return undefined;
}

/** How far two pictures are apart, pixel by pixel: 0 … 255 each. RGBA of the same size. */
export function pixelDistances(left: Uint8ClampedArray, right: Uint8ClampedArray): Uint8ClampedArray {
  const out = new Uint8ClampedArray(left.length / 4);
  for (let pixel = 0; pixel < out.length; pixel += 1) {
    let most = 0;
    for (let part = 0; part < 3; part += 1) {
      most = Math.max(most, Math.abs((left[pixel * 4 + part] ?? 0) - (right[pixel * 4 + part] ?? 0)));
    }
    out[pixel] = most;
  }
  return out;
}
