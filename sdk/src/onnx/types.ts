/** What this package says of ONNX tensors. Numbers of fields and types are those of onnx.proto, https://github.com/onnx/onnx. */
import type { ScalarType } from '../compare/scalar.ts';

/** `TensorProto.DataType` of the types that a model may take from a file or write to one. */
export const TYPE_CODES: Readonly<Record<Exclude<ScalarType, 'bf16'>, number>> = {
  f32: 1,
  u8: 2,
  i8: 3,
  u16: 4,
  i16: 5,
  i32: 6,
  i64: 7,
  f16: 10,
  f64: 11,
  u32: 12,
  u64: 13,
};

/** A type of a tensor that stands in a file. */
export type TensorType = keyof typeof TYPE_CODES;

/** The types, floats last. */
export const TENSOR_TYPES = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'u64',
  'i64',
  'f16',
  'f32',
  'f64',
] as const satisfies readonly TensorType[];

const BY_CODE: ReadonlyMap<number, TensorType> = new Map(TENSOR_TYPES.map((type) => [TYPE_CODES[type], type]));

/** The type with `code`; undefined for text, truth values, complex and packed numbers. */
export function typeOfCode(code: number): TensorType | undefined {
  return BY_CODE.get(code);
}

/** Whether numbers of this type have fractions. */
export function isFloat(type: TensorType): boolean {
  return type === 'f16' || type === 'f32' || type === 'f64';
}

/** Whether a `TensorProto.DataType` has fractions: all floats, complex numbers, and the formats of 8 and 4 bits. */
export function isFloatCode(code: number): boolean {
  return [1, 10, 11, 14, 15, 16, 17, 18, 19, 20, 23, 24].includes(code);
}

/** A side of a tensor: a number, or a name for one that the model leaves open, such as `N`. */
export type Side = number | string;
