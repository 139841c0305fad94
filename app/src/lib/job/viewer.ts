/** How a result is looked at. What a file is follows from its bytes and the name's ending, never from what a stranger says it is. */

/** `image` and `video` are shown by the browser, the others are drawn here as text or lines; `bytes` are only offered for download. */
export type View = 'image' | 'video' | 'mesh' | 'csv' | 'onnx' | 'text' | 'bytes';

const startsWith = (bytes: Uint8Array, ...magic: number[]): boolean => magic.every((byte, at) => bytes[at] === byte);

/** The media type of a picture or a film by its first bytes; undefined when it is neither. */
export function mediaTypeOf(bytes: Uint8Array): string | undefined {
  if (startsWith(bytes, 0x89, 0x50, 0x4e, 0x47)) return 'image/png';
  if (startsWith(bytes, 0xff, 0xd8, 0xff)) return 'image/jpeg';
  if (startsWith(bytes, 0x42, 0x4d)) return 'image/bmp';
  if (startsWith(bytes.subarray(4), 0x66, 0x74, 0x79, 0x70)) return 'video/mp4';
  if (startsWith(bytes, 0x1a, 0x45, 0xdf, 0xa3)) return 'video/webm';
  return undefined;
}

/** How these bytes under this name are looked at. */
export function viewOf(bytes: Uint8Array, name: string): View {
  const type = mediaTypeOf(bytes);
  if (type) return type.startsWith('image/') ? 'image' : 'video';
  const ending = name.toLowerCase().split('.').at(-1);
  if (ending === 'onnx') return 'onnx';
  const head = bytes.subarray(0, 4_096);
  if (head.length === 0 || head.includes(0)) return 'bytes';
  const strange = [...new TextDecoder().decode(head)].filter((letter) => letter === '\u{fffd}').length;
  // A character that is cut at the end does no harm.
  if (strange > 1) return 'bytes';
  if (ending === 'obj') return 'mesh';
  return ending === 'csv' ? 'csv' : 'text';
}

/** A table with its columns of numbers. */
export interface Table {
  head: string[];
  rows: string[][];
  /** Rows that the file has, also those that are not here. */
  total: number;
  /** Indices of columns in which every row has a number, the first one (which counts) left out. */
  numeric: number[];
}

/** Reads comma-separated values: quotes as in RFC 4180, at most `most` rows. */
export function readCsv(text: string, most = 5_000): Table {
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  const [head = [], ...rows] = lines.slice(0, most + 1).map(cellsOf);
  const numeric = head
    .map((_, column) => column)
    .filter((column) => column > 0 && rows.length > 0)
    .filter((column) => rows.every((row) => row[column]?.trim() && Number.isFinite(Number(row[column]))));
  return { head, rows, total: Math.max(0, lines.length - 1), numeric };
}

function cellsOf(line: string): string[] {
  const cells: string[] = [];
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    cells.push(match[1] === undefined ? (match[2] ?? '') : match[1].replaceAll('""', '"'));
  }
  return cells;
}

/** A mesh, moved and scaled so that it fits between -1 and 1. */
export interface Mesh {
  /** Three numbers a point. */
  points: Float32Array;
  /** Indices of the corners of each face. */
  faces: number[][];
}

/** Reads a Wavefront OBJ's points and faces; at most `most` faces. Undefined when there are none. */
export function readObj(text: string, most = 40_000): Mesh | undefined {
  const points: number[] = [];
  const faces: number[][] = [];
  for (const line of text.split('\n')) {
    const [kind, ...words] = line.trim().split(/\s+/);
    if (kind === 'v') points.push(...words.slice(0, 3).map(Number));
    if (kind !== 'f' || faces.length >= most) continue;
    const count = points.length / 3;
    const corners = words.map((word) => Number.parseInt(word, 10)).map((at) => (at < 0 ? count + at : at - 1));
    if (corners.length >= 3 && corners.every((at) => at >= 0 && at < count)) faces.push(corners);
  }
  if (faces.length === 0 || !points.every(Number.isFinite)) return undefined;
  return { points: fitted(points), faces };
}

function fitted(points: readonly number[]): Float32Array {
  const [low, high] = [
    [Infinity, Infinity, Infinity],
    [-Infinity, -Infinity, -Infinity],
  ] as [number[], number[]];
  points.forEach((value, at) => {
    low[at % 3] = Math.min(low[at % 3]!, value);
    high[at % 3] = Math.max(high[at % 3]!, value);
  });
  const size = Math.max(1e-9, ...high.map((value, at) => value - low[at]!)) / 2;
  return Float32Array.from(points, (value, at) => (value - (low[at % 3]! + high[at % 3]!) / 2) / size);
}
