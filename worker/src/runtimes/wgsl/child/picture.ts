/**
 * A PNG of 8-bit RGB whose data are stored and not packed: the same pixels give the same bytes on every machine, whatever
 * compressor it has. PNG, third edition, W3C; zlib, RFC 1950; deflate, RFC 1951, section 3.2.4.
 */

const STORED_BYTES = 65_535;
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let value = -1;
  for (let i = 0; i < bytes.length; i += 1) value = CRC[(value ^ bytes[i]!) & 0xff]! ^ (value >>> 8);
  return ~value >>> 0;
}

/** Adler-32 of RFC 1950; sums stay below 2^32 for 5,552 bytes at a time. */
function adler32(bytes: Uint8Array): number {
  let [low, high] = [1, 0];
  for (let from = 0; from < bytes.length; from += 5_552) {
    const end = Math.min(bytes.length, from + 5_552);
    for (let i = from; i < end; i += 1) {
      low += bytes[i]!;
      high += low;
    }
    low %= 65_521;
    high %= 65_521;
  }
  return ((high << 16) | low) >>> 0;
}

/** Rows of a filter byte and three bytes a pixel, from four bytes a pixel. */
function rows(rgba: Uint8Array, width: number, height: number): Uint8Array {
  const stride = width * 3 + 1;
  const bytes = new Uint8Array(stride * height);
  for (let y = 0, from = 0; y < height; y += 1) {
    for (let to = y * stride + 1; to < (y + 1) * stride; to += 3, from += 4) {
      bytes[to] = rgba[from]!;
      bytes[to + 1] = rgba[from + 1]!;
      bytes[to + 2] = rgba[from + 2]!;
    }
  }
  return bytes;
}

/** A zlib stream that holds `bytes` as they are. */
function stored(bytes: Uint8Array): Uint8Array {
  const blocks = Math.ceil(bytes.length / STORED_BYTES);
  const stream = new Uint8Array(2 + bytes.length + 5 * blocks + 4);
  const view = new DataView(stream.buffer);
  view.setUint16(0, 0x7801);
  let at = 2;
  for (let from = 0; from < bytes.length; from += STORED_BYTES) {
    const piece = bytes.subarray(from, from + STORED_BYTES);
    stream[at] = from + piece.length === bytes.length ? 1 : 0;
    view.setUint16(at + 1, piece.length, true);
    view.setUint16(at + 3, ~piece.length & 0xffff, true);
    stream.set(piece, at + 5);
    at += 5 + piece.length;
  }
  view.setUint32(at, adler32(bytes));
  return stream;
}

function chunk(kind: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i += 1) bytes[4 + i] = kind.charCodeAt(i);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** The pieces of a PNG file of `width` by `height` pixels, four bytes each, of which the fourth is left out. */
export function encodePicture(rgba: Uint8Array, width: number, height: number): readonly Uint8Array[] {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2], 8);
  const data = stored(rows(rgba, width, height));
  return [Uint8Array.from(SIGNATURE), chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', new Uint8Array(0))];
}
