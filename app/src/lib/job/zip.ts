import { crc32 } from '@dpu/sdk/compare/crc32';

/** A file in an archive. */
export interface ZipFile {
  name: string;
  bytes: Uint8Array;
}

/** 1 January 1980, the first day that the format knows: archives of equal files are equal. */
const DAY = 0x21;
const UTF8 = 0x0800;
const MOST_FILES = 0xffff;

/**
 * An archive of the files as they are, without compression: results are compressed already. ZIP as PKWARE's APPNOTE 6.3.3 describes it,
 * without its 64-bit extension.
 * @throws RangeError when there are more files, or more bytes, than the format holds.
 */
export function zip(files: readonly ZipFile[]): Blob {
  if (files.length > MOST_FILES) throw new RangeError(`An archive holds at most ${MOST_FILES} files. Download fewer.`);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const index: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (const { name, bytes } of files) {
    const label = new TextEncoder().encode(name);
    const facts = [UTF8, 0, 0, DAY, crc32(bytes), bytes.length, bytes.length, label.length, 0] as const;
    const head = packed('IHHHHHIIIHH', [0x04034b50, 20, ...facts]);
    const entry = packed('IHHHHHHIIIHHHHHII', [0x02014b50, 20, 20, ...facts, 0, 0, 0, 0, at]);
    parts.push(head, label, bytes as Uint8Array<ArrayBuffer>);
    index.push(entry, label);
    at += head.length + label.length + bytes.length;
    if (at > 0xffff_ffff) throw new RangeError('An archive holds at most 4 GB. Download the shards one by one.');
  }
  const size = index.reduce((sum, { length }) => sum + length, 0);
  const end = packed('IHHHHIIH', [0x06054b50, 0, 0, files.length, files.length, size, at, 0]);
  return new Blob([...parts, ...index, end], { type: 'application/zip' });
}

/** Numbers in little-endian order: `H` has two bytes, `I` four. */
function packed(format: string, values: readonly number[]): Uint8Array<ArrayBuffer> {
  const sizes = [...format].map((letter) => (letter === 'I' ? 4 : 2));
  const view = new DataView(new ArrayBuffer(sizes.reduce((sum, size) => sum + size, 0)));
  let at = 0;
  for (const [index, size] of sizes.entries()) {
    const value = values[index] ?? 0;
    if (size === 4) view.setUint32(at, value, true);
    else view.setUint16(at, value, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
}
