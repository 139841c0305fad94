/**
 * A strict reader of PNG (third edition, 2025) for comparisons: every checksum has to be right, the data have to be exactly
 * the image, and nothing may follow. What one machine reads, every machine reads, and to the same samples.
 */
import { crc32 } from './crc32.ts';
import { FULL_SCALE, MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE, STEP_8, UnreadableImage, type ImageReader } from './image.ts';
import { inflate } from './inflate.ts';
import { ByteQueue, unfilter } from './pngRows.ts';
import { viewOf } from './scalar.ts';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const GREY = 0;
const RGB = 2;
const PALETTE = 3;
const GREY_ALPHA = 4;
const RGBA = 6;
/** Samples of a pixel, and the depths that the specification allows, by colour type. */
const COLOURS: Readonly<Record<number, { readonly samples: number; readonly depths: readonly number[] }>> = {
  [GREY]: { samples: 1, depths: [1, 2, 4, 8, 16] },
  [RGB]: { samples: 3, depths: [8, 16] },
  [PALETTE]: { samples: 1, depths: [1, 2, 4, 8] },
  [GREY_ALPHA]: { samples: 2, depths: [8, 16] },
  [RGBA]: { samples: 4, depths: [8, 16] },
};
/** Chunks that change how samples are shown: equal samples with other ones of these are another picture. */
const LOOK = ['cHRM', 'cICP', 'cLLI', 'eXIf', 'gAMA', 'iCCP', 'mDCV', 'pHYs', 'sRGB'];
/** Chunks of animations, of which viewers would show what was not compared. */
const ANIMATION = ['acTL', 'fcTL', 'fdAT'];
/** Compressed data of a readable image: twice what it holds, and room for the streams of tiny images. */
const MAX_DATA_OVERHEAD_BYTES = 65_536;

const corrupt = (what: string): UnreadableImage => new UnreadableImage('corrupt', what);
const unsupported = (what: string): UnreadableImage => new UnreadableImage('unsupported', what);

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

interface Head {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  readonly samples: number;
  /** Bytes of a row without its filter. */
  readonly rowBytes: number;
}

/** Everything before the samples. */
interface Parts {
  readonly head: Head;
  readonly palette: Uint8Array | undefined;
  readonly transparency: Uint8Array | undefined;
  readonly look: ReadonlyMap<string, Uint8Array>;
  readonly data: readonly Uint8Array[];
}

/**
 * Reads a PNG file up to its samples. Palettes and transparent colours are applied; gamma and profiles are not, but
 * handed out as `look`. Not read: interlacing, animation, more than 33,554,432 pixels. Throws {@link UnreadableImage}.
 */
export function readPng(bytes: Uint8Array): ImageReader {
  const parts = readParts(bytes);
  const { width, height } = parts.head;
  return { width, height, look: parts.look, rows: () => rowsOf(parts) };
}

function* chunksOf(bytes: Uint8Array): Generator<Chunk, void, undefined> {
  const view = viewOf(bytes);
  for (let at = SIGNATURE.length; at < bytes.length;) {
    if (at + 12 > bytes.length) throw corrupt('it ends within a chunk');
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) throw corrupt('it ends within a chunk');
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (!/^[A-Za-z]{4}$/.test(type)) throw corrupt('a chunk has no type');
    if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end))
      throw corrupt(`the checksum of a ${type} chunk is wrong`);
    yield { type, data: bytes.subarray(at + 8, end) };
    at = end + 4;
  }
}

function readParts(bytes: Uint8Array): Parts {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte)) throw new UnreadableImage('not-png', 'it is no PNG file');
  let head: Head | undefined;
  let palette: Uint8Array | undefined;
  let transparency: Uint8Array | undefined;
  const look = new Map<string, Uint8Array>();
  const data: Uint8Array[] = [];
  let last = '';
  for (const { type, data: content } of chunksOf(bytes)) {
    if (last === 'IEND') throw corrupt('something follows its end');
    if ((last === '') !== (type === 'IHDR')) throw corrupt('its head is not its first chunk, or there twice');
    if (type === 'IHDR') head = readHead(content);
    else if (type === 'PLTE') {
      if (palette || transparency || data.length > 0) throw corrupt('its palette is there twice or too late');
      palette = content;
      checkPalette(head!, palette);
    } else if (type === 'tRNS') {
      if (transparency || data.length > 0) throw corrupt('its transparency is there twice or too late');
      transparency = content;
      checkTransparency(head!, transparency, palette);
    } else if (type === 'IDAT') {
      if (data.length > 0 && last !== 'IDAT') throw corrupt('its data are not in one place');
      data.push(content);
    } else if (type === 'IEND') {
      if (content.length > 0) throw corrupt('its end has content');
    } else if (ANIMATION.includes(type)) throw unsupported('it is animated');
    else if (LOOK.includes(type)) {
      if (look.has(type)) throw corrupt(`it has two ${type} chunks`);
      look.set(type, content);
    } else if (/^[A-Z]/.test(type)) throw unsupported(`it needs the unknown chunk ${type}`);
    last = type;
  }
  if (!head || last !== 'IEND') throw corrupt('it has no end');
  if (data.length === 0) throw corrupt('it has no data');
  if (head.colour === PALETTE && !palette) throw corrupt('it has no palette');
  const dataBytes = data.reduce((sum, part) => sum + part.length, 0);
  if (dataBytes > 2 * head.height * (head.rowBytes + 1) + MAX_DATA_OVERHEAD_BYTES)
    throw new UnreadableImage('too-large', 'its data are more than twice the size of its samples');
  return { head, palette, transparency, look, data };
}

function readHead(bytes: Uint8Array): Head {
  if (bytes.length !== 13) throw corrupt('its head has a wrong length');
  const view = viewOf(bytes);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colour, compression, filter, interlace] = [...bytes.subarray(8)] as [
    number,
    number,
    number,
    number,
    number,
  ];
  if (width === 0 || height === 0) throw corrupt('it has no pixels');
  const layout = COLOURS[colour];
  if (!layout?.depths.includes(depth)) throw corrupt('it has samples of an unknown kind');
  if (compression !== 0 || filter !== 0 || interlace > 1) throw corrupt('it is packed in an unknown way');
  if (interlace === 1) throw unsupported('it is interlaced');
  if (width > MAX_IMAGE_SIDE || height > MAX_IMAGE_SIDE || width * height > MAX_IMAGE_PIXELS)
    throw new UnreadableImage('too-large', `it has ${width} by ${height} pixels`);
  const rowBytes = Math.ceil((width * layout.samples * depth) / 8);
  return { width, height, depth, colour, samples: layout.samples, rowBytes };
}

function checkPalette({ colour, depth }: Head, palette: Uint8Array): void {
  if (colour === GREY || colour === GREY_ALPHA) throw corrupt('a grey image has a palette');
  const most = 3 * (colour === PALETTE ? 1 << depth : 256);
  if (palette.length === 0 || palette.length % 3 !== 0 || palette.length > most)
    throw corrupt('its palette has a wrong length');
}

function checkTransparency({ colour }: Head, transparency: Uint8Array, palette: Uint8Array | undefined): void {
  if (colour === GREY_ALPHA || colour === RGBA) throw corrupt('it has transparency twice');
  const isRight =
    colour === PALETTE
      ? palette !== undefined && transparency.length > 0 && transparency.length <= palette.length / 3
      : transparency.length === (colour === GREY ? 2 : 6);
  if (!isRight) throw corrupt('its transparency has a wrong length');
}

/** Rows of samples at full scale, with alpha. */
function* rowsOf({ head, palette, transparency, data }: Parts): Generator<Uint16Array, void, undefined> {
  const { width, height, depth, samples, rowBytes } = head;
  const queue = new ByteQueue(inflate(data));
  const pixelBytes = Math.ceil((samples * depth) / 8);
  let row = new Uint8Array(rowBytes);
  let above = new Uint8Array(rowBytes);
  const values = new Uint16Array(width * samples);
  const expand = expander(head, palette, transparency);
  const rgba = new Uint16Array(width * 4);
  const line = new Uint8Array(1 + rowBytes);
  for (let y = 0; y < height; y++) {
    queue.fill(line);
    row.set(line.subarray(1));
    unfilter(line[0]!, row, above, pixelBytes);
    unpack(row, depth, values);
    expand(values, rgba);
    yield rgba;
    [row, above] = [above, row];
  }
  queue.end();
}

/** Splits bytes into samples of `depth` bits. */
function unpack(row: Uint8Array, depth: number, values: Uint16Array): void {
  if (depth === 8) values.set(row.subarray(0, values.length));
  else if (depth === 16) for (let i = 0; i < values.length; i++) values[i] = row[2 * i]! * 256 + row[2 * i + 1]!;
  else {
    const mask = (1 << depth) - 1;
    const perByte = 8 / depth;
    for (let i = 0; i < values.length; i++) {
      const shift = 8 - depth * ((i % perByte) + 1);
      values[i] = (row[Math.floor(i / perByte)]! >> shift) & mask;
    }
  }
}

/** How samples of this image become red, green, blue and alpha at full scale. */
function expander(
  { colour, depth, samples }: Head,
  palette: Uint8Array | undefined,
  transparency: Uint8Array | undefined,
): (values: Uint16Array, rgba: Uint16Array) => void {
  if (colour === PALETTE) {
    return (values, rgba) => {
      for (let i = 0; i < values.length; i++) {
        const entry = values[i]!;
        if (3 * entry >= palette!.length) throw corrupt('it uses a colour that its palette lacks');
        for (let c = 0; c < 3; c++) rgba[4 * i + c] = palette![3 * entry + c]! * STEP_8;
        rgba[4 * i + 3] = (transparency?.[entry] ?? 255) * STEP_8;
      }
    };
  }
  // Exact for every depth: 65535 is divisible by 1, 3, 15, 255 and itself.
  const scale = FULL_SCALE / (2 ** depth - 1);
  const isGrey = colour === GREY || colour === GREY_ALPHA;
  const hasAlpha = colour === GREY_ALPHA || colour === RGBA;
  const colours = isGrey ? 1 : 3;
  const clear = transparency && Array.from({ length: colours }, (_, i) => viewOf(transparency).getUint16(2 * i));
  return (values, rgba) => {
    for (let from = 0, to = 0; from < values.length; from += samples, to += 4) {
      for (let c = 0; c < 3; c++) rgba[to + c] = values[from + (isGrey ? 0 : c)]! * scale;
      if (hasAlpha) rgba[to + 3] = values[from + colours]! * scale;
      else rgba[to + 3] = clear?.every((value, c) => value === values[from + c]) ? 0 : FULL_SCALE;
    }
  };
}
