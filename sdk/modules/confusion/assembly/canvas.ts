// A picture that rectangles are painted on.
import { Image, encodePng } from '../../lib/assembly/png';
import { Bytes, allocate } from '../../lib/assembly/wasi';

/** Pixels of red, green and blue. Colours are 0xRRGGBB. */
export class Canvas {
  private pixels: Bytes;

  constructor(
    public width: i32,
    public height: i32,
    background: u32,
  ) {
    this.pixels = allocate(width * height * 3);
    this.fill(0, 0, width, height, background);
  }

  /** Paints a rectangle; what lies outside of the picture is left out. */
  fill(left: i32, top: i32, width: i32, height: i32, color: u32): void {
    const right = min(left + width, this.width);
    const bottom = min(top + height, this.height);
    for (let y = max(top, 0); y < bottom; ++y) {
      for (let x = max(left, 0); x < right; ++x) {
        const at = this.pixels.pointer + <usize>((y * this.width + x) * 3);
        store<u8>(at, <u8>(color >> 16));
        store<u8>(at, <u8>(color >> 8), 1);
        store<u8>(at, <u8>color, 2);
      }
    }
  }

  png(): Bytes {
    return encodePng(new Image(this.width, this.height, this.pixels));
  }
}

/** The colour that lies `part` (0 to 256) of the way from one to another. */
export function mix(from: u32, to: u32, part: i32): u32 {
  let color: u32 = 0;
  for (let shift = 0; shift < 24; shift += 8) {
    const a = <i32>((from >> shift) & 255);
    const b = <i32>((to >> shift) & 255);
    color |= (<u32>(a + (((b - a) * part) >> 8))) << shift;
  }
  return color;
}
