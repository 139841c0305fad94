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

const isBigEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

/** A copy of whole elements that starts where typed arrays may start, in this machine's byte order. */
function aligned(bytes: Uint8Array, size: number): ArrayBuffer {
  const copy = new Uint8Array(bytes.length - (bytes.length % size));
  copy.set(bytes.subarray(0, copy.length));
  if (isBigEndian) for (let at = 0; at < copy.length; at += size) copy.subarray(at, at + size).reverse();
  return copy.buffer;
}

/** The whole elements of `bytes`, for types that doubles hold exactly. */
export function readScores(type: ScoreType, bytes: Uint8Array): ArrayLike<number> {
  const buffer = aligned(bytes, SCALAR_BYTES[type]);
  switch (type) {
    case 'u8':
      return new Uint8Array(buffer);
    case 'i8':
      return new Int8Array(buffer);
    case 'u16':
      return new Uint16Array(buffer);
    case 'i16':
      return new Int16Array(buffer);
    case 'u32':
      return new Uint32Array(buffer);
    case 'i32':
      return new Int32Array(buffer);
    case 'f16':
      return Float64Array.from(new Uint16Array(buffer), f16ToNumber);
    case 'bf16':
      return Float64Array.from(new Uint16Array(buffer), bf16ToNumber);
    case 'f32':
      return new Float32Array(buffer);
    case 'f64':
      return new Float64Array(buffer);
  }
}

/** The whole elements of `bytes` as whole numbers of 64 bits. */
export function readWide(type: 'u64' | 'i64', bytes: Uint8Array): ArrayLike<bigint> {
  const buffer = aligned(bytes, SCALAR_BYTES[type]);
  return type === 'u64' ? new BigUint64Array(buffer) : new BigInt64Array(buffer);
}

/** A view of the bytes, wherever they lie. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
