/** Reads protobuf messages that strangers wrote: nothing is copied, nothing is believed, and there is an end to the work. */

/** Thrown for a file that is not a model, or a model that is not taken. The message is a clause without a subject's capital or a full stop. */
export class OnnxError extends Error {
  readonly retryable = false;

  constructor(message: string) {
    super(message);
    this.name = 'OnnxError';
  }
}

/** How many fields may still be read, all messages of a file together. */
export interface FieldBudget {
  left: number;
}

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
const decoder = new TextDecoder('utf-8', { fatal: true });

/** The fields of one message, one after the other. */
export class ProtoReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #budget: FieldBudget;
  #at = 0;
  #wire = 0;
  /** Number of the current field. */
  field = 0;

  constructor(bytes: Uint8Array, budget: FieldBudget) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#budget = budget;
  }

  /** Moves to the next field. False at the end. Each field must be read or skipped once. */
  next(): boolean {
    if (this.#at === this.#bytes.length) return false;
    if (--this.#budget.left < 0) throw new OnnxError('it has more parts than a model may have');
    const tag = this.#varint();
    if (tag > 0xffffffffn) throw new OnnxError('it has a field number that does not exist');
    this.field = Number(tag >> 3n);
    this.#wire = Number(tag & 7n);
    if (this.field === 0) throw new OnnxError('it has a field number that does not exist');
    return true;
  }

  /** A whole number, signed, of 64 bits. */
  integer(): bigint {
    this.#expect(WIRE.varint);
    return BigInt.asIntN(64, this.#varint());
  }

  /** A whole number that a count or a size may be: 0 or more and exact in a double. */
  count(what: string): number {
    const value = this.integer();
    if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw new OnnxError(`${value} is not ${what}`);
    return Number(value);
  }

  bytes(): Uint8Array {
    this.#expect(WIRE.bytes);
    const length = this.#varint();
    if (length > BigInt(this.#bytes.length - this.#at)) throw new OnnxError('it ends in the middle of something');
    const from = this.#at;
    this.#at += Number(length);
    return this.#bytes.subarray(from, this.#at);
  }

  text(most: number): string {
    const bytes = this.bytes();
    if (bytes.length > most) throw new OnnxError(`it has a name of ${bytes.length} bytes, the most is ${most}`);
    try {
      return decoder.decode(bytes);
    } catch {
      throw new OnnxError('it has a name that is not UTF-8');
    }
  }

  message(): ProtoReader {
    return new ProtoReader(this.bytes(), this.#budget);
  }

  /** Repeated whole numbers as this field brings them, packed or one alone. */
  integers(most: number): bigint[] {
    if (this.#wire === WIRE.varint) return [this.integer()];
    const packed = new ProtoReader(this.bytes(), this.#budget);
    const values: bigint[] = [];
    while (packed.#at < packed.#bytes.length) {
      if (values.length === most) throw new OnnxError(`it has a list of more than ${most} numbers`);
      values.push(BigInt.asIntN(64, packed.#varint()));
    }
    return values;
  }

  /** As `integers`, but undefined, and skipped, when there are more than `most`. */
  integersUpTo(most: number): bigint[] | undefined {
    if (this.#wire === WIRE.varint) return [this.integer()];
    const bytes = this.bytes();
    // A number takes ten bytes at most.
    if (bytes.length > most * 10) return undefined;
    const packed = new ProtoReader(bytes, this.#budget);
    const values: bigint[] = [];
    while (packed.#at < bytes.length) values.push(BigInt.asIntN(64, packed.#varint()));
    return values.length <= most ? values : undefined;
  }

  skip(): void {
    if (this.#wire === WIRE.varint) this.#varint();
    else if (this.#wire === WIRE.bytes) this.bytes();
    else if (this.#wire === WIRE.fixed64) this.#move(8);
    else if (this.#wire === WIRE.fixed32) this.#move(4);
    else throw new OnnxError('it has a kind of field that is not used any more');
  }

  #expect(wire: number): void {
    if (this.#wire !== wire) throw new OnnxError(`its field ${this.field} is of the wrong kind`);
  }

  #move(bytes: number): void {
    if (this.#bytes.length - this.#at < bytes) throw new OnnxError('it ends in the middle of something');
    this.#at += bytes;
  }

  #varint(): bigint {
    // Nearly all are short, and whole numbers of the language are slow when they are long.
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new OnnxError('it has a number of more than 64 bits');
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw new OnnxError('it ends in the middle of something');
    return this.#view.getUint8(this.#at++);
  }
}
