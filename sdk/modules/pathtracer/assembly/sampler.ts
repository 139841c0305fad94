// Owen-scrambled Sobol points, indexed along a Morton curve over the image: neighbouring pixels get points that fill each
// other's gaps, which turns the remaining noise into fine grain. Everything follows from pixel, sample and seed alone.

/** The two numbers in [0, 1) of the last `draw`. */
export let u0: f32 = 0;
export let u1: f32 = 0;

const TO_UNIT: f32 = 1.0 / 16777216.0;

let seed: u32 = 0;
let index: u32 = 0;
function mix(value: u32): u32 {
  value ^= value >>> 16;
  value *= 0x7feb352d;
  value ^= value >>> 15;
  value *= 0x846ca68b;
  return value ^ (value >>> 16);
}
function reverse(v: u32): u32 {
  v = ((v >>> 1) & 0x55555555) | ((v & 0x55555555) << 1);
  v = ((v >>> 2) & 0x33333333) | ((v & 0x33333333) << 2);
  v = ((v >>> 4) & 0x0f0f0f0f) | ((v & 0x0f0f0f0f) << 4);
  return bswap<u32>(v);
}

/** A hash in which each bit depends on lower bits only: on reversed bits it is a nested uniform scramble. */
function nested(v: u32, key: u32): u32 {
  v ^= v * 0x3d20adea;
  v += key;
  v *= (key >>> 16) | 1;
  v ^= v * 0x05526c56;
  v ^= v * 0x53a22864;
  return v;
}

/** Second Sobol dimension of reversed-bit index `v`, reversed: the polynomial of its bits shifted by one, over GF(2). */
function second(v: u32): u32 {
  v ^= v >>> 16;
  v ^= (v & 0xff00ff00) >>> 8;
  v ^= (v & 0xf0f0f0f0) >>> 4;
  v ^= (v & 0xcccccccc) >>> 2;
  return v ^ ((v & 0xaaaaaaaa) >>> 1);
}
function spread(v: u32): u32 {
  v &= 0xffff;
  v = (v | (v << 8)) & 0x00ff00ff;
  v = (v | (v << 4)) & 0x0f0f0f0f;
  v = (v | (v << 2)) & 0x33333333;
  return (v | (v << 1)) & 0x55555555;
}

/** Chooses another picture of the noise. */
export function setSeed(value: u32): void {
  seed = mix(value ^ 0x2545f491);
}

/** Goes to sample `sample` of pixel (x, y). `bits`: 2 ^ bits samples are set aside for each pixel. */
export function startSample(x: i32, y: i32, sample: i32, bits: i32): void {
  index = ((spread(x) | (spread(y) << 1)) << bits) | sample;
}

/** Draws the point of dimension pair `pair` into `u0` and `u1`. */
export function draw(pair: i32): void {
  const key = mix(seed + <u32>pair * 0x9e3779b9);
  const shuffled = reverse(nested(reverse(index), key));
  const first = nested(shuffled, mix(key ^ 0x68bc21eb));
  const other = nested(second(shuffled), mix(key ^ 0x02e5be93));
  u0 = <f32>(reverse(first) >>> 8) * TO_UNIT;
  u1 = <f32>(reverse(other) >>> 8) * TO_UNIT;
}
