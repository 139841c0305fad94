// PNG for 8-bit RGB images: what the map job's shards write and the reduce job reads.
import { crc32 } from './checksum';
import { compress } from './deflate';
import { decompress } from './inflate';
import { Bytes, allocate, fail } from './wasi';

const BYTES_PER_PIXEL = 3;
const FILTERS = 5;
const SIGNATURE: u64 = 0x0a1a0a0d474e5089;
const IHDR: u32 = 0x49484452;
const IDAT: u32 = 0x49444154;
const IEND: u32 = 0x49454e44;

/** An image in memory: `width * height` pixels of red, green and blue, row after row, no padding. */
export class Image {
  constructor(
    public width: i32,
    public height: i32,
    public pixels: Bytes,
  ) {}
}
function paeth(left: i32, up: i32, corner: i32): i32 {
  const estimate = left + up - corner;
  const byLeft = abs(estimate - left);
  const byUp = abs(estimate - up);
  const byCorner = abs(estimate - corner);
  return byLeft <= byUp && byLeft <= byCorner ? left : byUp <= byCorner ? up : corner;
}

/** What filter `kind` predicts for byte `i` of a row. `up` is 0 for the first row. */
function predict(kind: i32, row: usize, up: usize, i: i32): i32 {
  const left: i32 = i >= BYTES_PER_PIXEL ? load<u8>(row + <usize>(i - BYTES_PER_PIXEL)) : 0;
  const above: i32 = up != 0 ? load<u8>(up + <usize>i) : 0;
  if (kind == 1) return left;
  if (kind == 2) return above;
  if (kind == 3) return (left + above) >> 1;
  if (kind == 4) {
    const corner: i32 = up != 0 && i >= BYTES_PER_PIXEL ? load<u8>(up + <usize>(i - BYTES_PER_PIXEL)) : 0;
    return paeth(left, above, corner);
  }
  return 0;
}

/** Filters one row with the kind whose differences are smallest in sum, the usual guess at what packs best. */
function filterRow(row: usize, up: usize, stride: i32, target: usize): void {
  let bestKind = 0;
  let bestSum = i32.MAX_VALUE;
  for (let kind = 0; kind < FILTERS; ++kind) {
    let sum = 0;
    for (let i = 0; i < stride && sum < bestSum; ++i) {
      sum += abs(<i32>(<i8>(<i32>load<u8>(row + <usize>i) - predict(kind, row, up, i))));
    }
    if (sum < bestSum) {
      bestSum = sum;
      bestKind = kind;
    }
  }
  store<u8>(target, <u8>bestKind);
  for (let i = 0; i < stride; ++i) {
    store<u8>(target + 1 + <usize>i, <u8>(<i32>load<u8>(row + <usize>i) - predict(bestKind, row, up, i)));
  }
}

/** Writes a chunk and returns where the next one begins. */
function putChunk(at: usize, kind: u32, data: usize, size: i32): usize {
  store<u32>(at, bswap<u32>(size));
  store<u32>(at, bswap<u32>(kind), 4);
  memory.copy(at + 8, data, <usize>size);
  store<u32>(at + 8 + <usize>size, bswap<u32>(crc32(at + 4, size + 4)));
  return at + 12 + <usize>size;
}

/** The PNG file of `image`. The same pixels always give the same bytes. */
export function encodePng(image: Image): Bytes {
  const stride = image.width * BYTES_PER_PIXEL;
  const filtered = allocate((stride + 1) * image.height);
  for (let y = 0; y < image.height; ++y) {
    const row = image.pixels.pointer + <usize>(y * stride);
    filterRow(row, y > 0 ? row - <usize>stride : 0, stride, filtered.pointer + <usize>(y * (stride + 1)));
  }
  const packed = compress(filtered);

  const header = allocate(13);
  store<u32>(header.pointer, bswap<u32>(image.width));
  store<u32>(header.pointer, bswap<u32>(image.height), 4);
  store<u8>(header.pointer, 8, 8); // bits per channel
  store<u8>(header.pointer, 2, 9); // colour type RGB

  const file = allocate(8 + 25 + 12 + packed.size + 12);
  store<u64>(file.pointer, SIGNATURE);
  let at = putChunk(file.pointer + 8, IHDR, header.pointer, header.size);
  at = putChunk(at, IDAT, packed.pointer, packed.size);
  putChunk(at, IEND, at, 0);
  return file;
}

function unfilter(data: usize, image: Image, name: string): void {
  const stride = image.width * BYTES_PER_PIXEL;
  for (let y = 0; y < image.height; ++y) {
    const from = data + <usize>(y * (stride + 1));
    const row = image.pixels.pointer + <usize>(y * stride);
    const up = y > 0 ? row - <usize>stride : 0;
    const kind = <i32>load<u8>(from);
    if (kind >= FILTERS) fail(name + ': row ' + y.toString() + ' has an unknown filter');
    for (let i = 0; i < stride; ++i) {
      store<u8>(row + <usize>i, <u8>(<i32>load<u8>(from + 1 + <usize>i) + predict(kind, row, up, i)));
    }
  }
}

/**
 * The pixels of a PNG file as `encodePng` makes them: 8-bit RGB, not interlaced. Anything else, a wrong size or damage
 * ends the shard with a message that begins with `name`.
 */
export function decodePng(file: Bytes, width: i32, height: i32, name: string): Image {
  if (file.size < 45 || load<u64>(file.pointer) != SIGNATURE) fail(name + ': not a PNG file');
  const packed = new Bytes(heap.alloc(<usize>file.size), 0);
  let at = file.pointer + 8;
  for (let first = true, ended = false; !ended; first = false) {
    if (file.end - at < 12) fail(name + ': the file ends inside a chunk');
    const size = bswap<u32>(load<u32>(at));
    const kind = bswap<u32>(load<u32>(at, 4));
    if (<usize>size > file.end - at - 12) fail(name + ': the file ends inside a chunk');
    const data = at + 8;
    if (bswap<u32>(load<u32>(data + <usize>size)) != crc32(at + 4, <i32>size + 4))
      fail(name + ": a chunk's CRC is wrong");
    if (first != (kind == IHDR)) fail(name + ': the header is not the first chunk');
    if (kind == IHDR) {
      const w = bswap<u32>(load<u32>(data));
      const h = bswap<u32>(load<u32>(data, 4));
      // Depth, colour type, compression and filter method in one comparison, then interlacing.
      if (size != 13 || load<u32>(data, 8) != 0x0208 || load<u8>(data, 12) != 0) fail(name + ': not 8-bit RGB');
      if (w != width || h != height) {
        fail(
          name +
            ': is ' +
            w.toString() +
            ' x ' +
            h.toString() +
            ' pixels, not ' +
            width.toString() +
            ' x ' +
            height.toString(),
        );
      }
    } else if (kind == IDAT) {
      memory.copy(packed.end, data, <usize>size);
      packed.size += <i32>size;
    } else if (kind == IEND) {
      ended = true;
    } else if ((kind & 0x20000000) == 0) {
      fail(name + ': has a chunk this reader does not know');
    }
    at = data + <usize>size + 4;
  }

  const image = new Image(width, height, allocate(width * height * BYTES_PER_PIXEL));
  const filtered = allocate((width * BYTES_PER_PIXEL + 1) * height);
  decompress(packed, filtered, name);
  unfilter(filtered.pointer, image, name);
  return image;
}
