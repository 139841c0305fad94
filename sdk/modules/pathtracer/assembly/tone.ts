// From radiance to 8-bit sRGB.

const EXPOSURE: f32 = 1.1;
/** Steps of the table from linear to sRGB: fine enough that every 8-bit value is met. */
const STEPS = 4096;
const table: usize = memory.data(STEPS, 16);

/** Fills the table; call once. */
export function prepareTone(): void {
  for (let i = 0; i < STEPS; ++i) {
    const linear = <f64>i / <f64>(STEPS - 1);
    const squared = linear * linear;
    const encoded = squared <= 0.0031308 ? 12.92 * squared : 1.055 * Math.pow(squared, 1 / 2.4) - 0.055;
    store<u8>(table + <usize>i, <u8>(encoded * 255 + 0.5));
  }
}

/** A filmic curve: soft in the shadows, rolling off in the highlights. The table is indexed by the square root. */
function channel(radiance: f32): u8 {
  const x = max<f32>(0, radiance * EXPOSURE);
  const film = (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14);
  return load<u8>(table + <usize>(sqrt<f32>(min<f32>(1, film)) * <f32>(STEPS - 1) + 0.5));
}

/** Writes one pixel. */
export function putPixel(at: usize, r: f32, g: f32, b: f32): void {
  store<u8>(at, channel(r));
  store<u8>(at, channel(g), 1);
  store<u8>(at, channel(b), 2);
}
