/** How long a clip is, told from its head without decoding anything: only for formats that say it plainly. */

/** Seconds that a clip says it lasts; undefined when its format does not say so plainly (then a person must). */
export function secondsOf(clip: Uint8Array): number | undefined {
  if (text(clip, 0, 10) === 'YUV4MPEG2 ') return secondsOfY4m(clip);
  if (text(clip, 4, 8) === 'ftyp') return secondsOfMp4(clip);
  return undefined;
}

const text = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));

/** A line of text, then for each frame a line that begins with FRAME, and its planes. Only 4:2:0 of 8 bits has a size that is plain here. */
function secondsOfY4m(clip: Uint8Array): number | undefined {
  const end = clip.subarray(0, 256).indexOf(10);
  const words = new Map(
    text(clip, 0, Math.max(0, end))
      .split(' ')
      .map((word) => [word[0], word.slice(1)]),
  );
  const [width, height] = [Number(words.get('W')), Number(words.get('H'))];
  const [rate = 0, per = 0] = (words.get('F') ?? '').split(':').map(Number);
  if (!/^420(jpeg|mpeg2|paldv)?$/.test(words.get('C') ?? '420') || !(width * height > 0) || !(rate * per > 0))
    return undefined;
  const frame = 6 + width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
  return (Math.floor((clip.length - end - 1) / frame) * per) / rate;
}

/** `moov/mvhd` has the duration and its unit: ISO/IEC 14496-12, section 8.2.2. */
function secondsOfMp4(clip: Uint8Array): number | undefined {
  const view = new DataView(clip.buffer, clip.byteOffset, clip.byteLength);
  const moov = box(view, 0, view.byteLength, 'moov');
  const mvhd = moov && box(view, moov.from, moov.to, 'mvhd');
  if (!mvhd || mvhd.to - mvhd.from < 32) return undefined;
  const isLong = view.getUint8(mvhd.from) === 1;
  const scale = view.getUint32(mvhd.from + (isLong ? 20 : 12));
  const duration = isLong ? Number(view.getBigUint64(mvhd.from + 24)) : view.getUint32(mvhd.from + 16);
  return scale > 0 && duration > 0 ? duration / scale : undefined;
}

/** The content of the first box of a type between two places. */
function box(view: DataView, from: number, to: number, type: string): { from: number; to: number } | undefined {
  for (let at = from; at + 8 <= to;) {
    const short = view.getUint32(at);
    const head = short === 1 ? 16 : 8;
    if (at + head > to) return undefined;
    const size = short === 0 ? to - at : short === 1 ? Number(view.getBigUint64(at + 8)) : short;
    if (size < head || at + size > to) return undefined;
    if (String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at + 4, 4)) === type)
      return { from: at + head, to: at + size };
    at += size;
  }
  return undefined;
}
