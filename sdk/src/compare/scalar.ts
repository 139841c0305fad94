/** Little-endian arrays of numbers as outputs hold them. */

/** What an element may be. `f16` is IEEE 754 binary16, `bf16` the upper half of a binary32. */
export const SCALAR_TYPES = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'u64',
  'i64',
  'f16',
  'bf16',
  'f32',
  'f64',
] as const;
export type ScalarType = (typeof SCALAR_TYPES)[number];

/** What a score may be: whatever a double holds exactly. */
export const SCORE_TYPES = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f16', 'bf16', 'f32', 'f64'] as const;
export type ScoreType = (typeof SCORE_TYPES)[number];

/** Bytes of one element. */
export const SCALAR_BYTES: Readonly<Record<ScalarType, number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f16: 2,
  bf16: 2,
  f32: 4,
  f64: 8,
};

/** Powers of two by doubling, which is exact; `Math.pow` need not be. Index 0 is 2^-24, the least binary16. */
const F16_SCALES = Float64Array.from({ length: 31 }, (_, exponent) => {
  let scale = 2 ** -24;
  for (let i = 1; i < exponent; i++) scale *= 2;
  return scale;
});

const bits = new DataView(new ArrayBuffer(4));

/** The value of a binary16. */
export function f16ToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction : fraction + 0x400) * F16_SCALES[exponent]!;
}

/** The value of a bfloat16. */
export function bf16ToNumber(half: number): number {
  bits.setUint32(0, half * 0x1_0000);
  return bits.getFloat32(0);
}

const READERS: Readonly<Record<ScoreType, (view: DataView, offset: number) => number>> = {
  u8: (view, offset) => view.getUint8(offset),
  i8: (view, offset) => view.getInt8(offset),
  u16: (view, offset) => view.getUint16(offset, true),
  i16: (view, offset) => view.getInt16(offset, true),
  u32: (view, offset) => view.getUint32(offset, true),
  i32: (view, offset) => view.getInt32(offset, true),
  f16: (view, offset) => f16ToNumber(view.getUint16(offset, true)),
  bf16: (view, offset) => bf16ToNumber(view.getUint16(offset, true)),
  f32: (view, offset) => view.getFloat32(offset, true),
  f64: (view, offset) => view.getFloat64(offset, true),
};

/** How to read one element of a type that doubles hold exactly. */
export function scoreReader(type: ScoreType): (view: DataView, offset: number) => number {
  return READERS[type];
}

/** How to read one element of a 64-bit whole number. */
export function wideReader(type: 'u64' | 'i64'): (view: DataView, offset: number) => bigint {
  return type === 'u64'
    ? (view, offset) => view.getBigUint64(offset, true)
    : (view, offset) => view.getBigInt64(offset, true);
}

/** A view of the bytes, wherever they lie. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
