/** Writes protobuf messages: https://protobuf.dev/programming-guides/encoding. The same calls give the same bytes. */

const WIRE = { varint: 0, bytes: 2, fixed32: 5 } as const;

/** One message. Fields stand in the order of the calls. */
export class ProtoWriter {
  readonly #pieces: Uint8Array[] = [];

  /** A whole number, two's complement when negative. */
  integer(field: number, value: number | bigint): this {
    this.#varint((BigInt(field) << 3n) | BigInt(WIRE.varint));
    this.#varint(BigInt.asUintN(64, BigInt(value)));
    return this;
  }

  /** A binary32. */
  float(field: number, value: number): this {
    this.#varint((BigInt(field) << 3n) | BigInt(WIRE.fixed32));
    this.#pieces.push(floatBytes([value]));
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#varint((BigInt(field) << 3n) | BigInt(WIRE.bytes));
    this.#varint(BigInt(value.length));
    this.#pieces.push(value);
    return this;
  }

  /** Packed whole numbers. */
  integers(field: number, values: readonly (number | bigint)[]): this {
    const packed = new ProtoWriter();
    for (const value of values) packed.#varint(BigInt.asUintN(64, BigInt(value)));
    return this.bytes(field, packed.finish());
  }

  /** Packed binary32. */
  floats(field: number, values: readonly number[]): this {
    return this.bytes(field, floatBytes(values));
  }

  message(field: number, write: (message: ProtoWriter) => void): this {
    const inner = new ProtoWriter();
    write(inner);
    return this.bytes(field, inner.finish());
  }

  finish(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  #varint(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.#pieces.push(Uint8Array.from(bytes));
  }
}

function floatBytes(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setFloat32(index * 4, value, true));
  return bytes;
}
