/**
 * An assembler for the few instructions that the smallest programs need. It makes what container images are tried with: nothing is
 * compiled, fetched or kept as a file that nobody can read. Encodings are those of the "Intel 64 and IA-32 Architectures Software
 * Developer's Manual", volume 2.
 */

/** General registers by their numbers. */
export const R = {
  ...{ rax: 0, rcx: 1, rdx: 2, rbx: 3, rsp: 4, rbp: 5, rsi: 6, rdi: 7 },
  ...{ r8: 8, r9: 9, r10: 10, r11: 11, r12: 12, r13: 13, r14: 14, r15: 15 },
} as const;
/** A register of 64 bits. */
export type Register = keyof typeof R;
/** When a jump is taken. */
export type Condition = 'always' | 'zero' | 'notZero' | 'negative' | 'notPositive' | 'greater' | 'below';

const CONDITIONS: Readonly<Record<Exclude<Condition, 'always'>, number>> = {
  ...{ zero: 0x84, notZero: 0x85, negative: 0x88, notPositive: 0x8e, greater: 0x8f, below: 0x82 },
};
const OPERATIONS = { add: 0x01, sub: 0x29, xor: 0x31, cmp: 0x39, test: 0x85, mov: 0x89 } as const;

/** Code as it is written. Jumps are to names that are given before or after. */
export class Code {
  readonly #bytes: number[] = [];
  readonly #places = new Map<string, number>();
  readonly #jumps: { at: number; to: string }[] = [];

  /** Gives this place a name. */
  at(name: string): this {
    this.#places.set(name, this.#bytes.length);
    return this;
  }

  /** `to = to op from`; `cmp` and `test` only set flags. */
  op(name: keyof typeof OPERATIONS, to: Register, from: Register): this {
    return this.#put(this.#rex(R[from], R[to]), OPERATIONS[name], 0xc0 | ((R[from] & 7) << 3) | (R[to] & 7));
  }

  /** `to = value`, of 32 bits with its sign. */
  set(to: Register, value: number): this {
    return this.#put(this.#rex(0, R[to]), 0xc7, 0xc0 | (R[to] & 7), ...word(value));
  }

  /** `to += value`, of 32 bits with its sign. */
  add(to: Register, value: number): this {
    return this.#put(this.#rex(0, R[to]), 0x81, 0xc0 | (R[to] & 7), ...word(value));
  }

  /** Compares with a value of 32 bits with its sign. */
  compare(left: Register, value: number): this {
    return this.#put(this.#rex(0, R[left]), 0x81, 0xf8 | (R[left] & 7), ...word(value));
  }

  /** `to *= from`, signed. */
  times(to: Register, from: Register): this {
    return this.#put(this.#rex(R[to], R[from]), 0x0f, 0xaf, 0xc0 | ((R[to] & 7) << 3) | (R[from] & 7));
  }

  /** `to = to * value`, signed, a value of 32 bits. */
  scale(to: Register, value: number): this {
    return this.#put(this.#rex(R[to], R[to]), 0x69, 0xc0 | ((R[to] & 7) << 3) | (R[to] & 7), ...word(value));
  }

  /** Shifts to the right and keeps the sign. */
  shift(to: Register, bits: number): this {
    return this.#put(this.#rex(0, R[to]), 0xc1, 0xf8 | (R[to] & 7), bits);
  }

  /** `to = [from]`, 64 bits; not for rsp, rbp, r12, r13 as the address. */
  load(to: Register, from: Register): this {
    return this.#put(this.#rex(R[to], R[from]), 0x8b, ((R[to] & 7) << 3) | (R[from] & 7));
  }

  /** `to = [from]`, one byte without a sign; the same registers as {@link load}. */
  loadByte(to: Register, from: Register): this {
    return this.#put(this.#rex(R[to], R[from]), 0x0f, 0xb6, ((R[to] & 7) << 3) | (R[from] & 7));
  }

  /** `[to] = from`, one byte; the same registers as {@link load}. */
  storeByte(to: Register, from: Register): this {
    return this.#put(this.#rex(R[from], R[to]), 0x88, ((R[from] & 7) << 3) | (R[to] & 7));
  }

  /** `to` = the address of a name. */
  address(to: Register, name: string): this {
    this.#put(this.#rex(R[to], 0), 0x8d, ((R[to] & 7) << 3) | 5);
    return this.#place(name);
  }

  jump(to: string, when: Condition = 'always'): this {
    if (when === 'always') this.#put(0xe9);
    else this.#put(0x0f, CONDITIONS[when]);
    return this.#place(to);
  }

  /** Calls the kernel: number in rax, arguments in rdi, rsi, rdx. Changes rax, rcx and r11. */
  system(number: number): this {
    return this.set('rax', number).#put(0x0f, 0x05);
  }

  /** Bytes as they are. */
  data(bytes: Uint8Array): this {
    return this.#put(...bytes);
  }

  /** The code, with every jump filled in. @throws RangeError for a name that was not given */
  assemble(): Uint8Array {
    const bytes = Uint8Array.from(this.#bytes);
    const view = new DataView(bytes.buffer);
    for (const { at, to } of this.#jumps) {
      const place = this.#places.get(to);
      if (place === undefined) throw new RangeError(`no place is called ${to}`);
      view.setInt32(at, place - (at + 4), true);
    }
    return bytes;
  }

  #place(to: string): this {
    this.#jumps.push({ at: this.#bytes.length, to });
    return this.#put(0, 0, 0, 0);
  }

  /** 64 bits, with the fourth bits of both registers. */
  #rex(register: number, base: number): number {
    return 0x48 | ((register >> 3) << 2) | (base >> 3);
  }

  #put(...bytes: number[]): this {
    for (const byte of bytes) this.#bytes.push(byte & 0xff);
    return this;
  }
}

function word(value: number): number[] {
  if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 31)
    throw new RangeError(`${value} is no whole number of 32 bits`);
  return [value, value >> 8, value >> 16, value >> 24];
}

const BASE = 0x400000;
const HEAD = 64 + 56;

/** A program for Linux that is nothing but `code`, which begins at its start and cannot change itself: an ELF file with one segment. */
export function elfOf(code: Uint8Array): Uint8Array {
  const file = new Uint8Array(HEAD + code.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  // ET_EXEC, EM_X86_64, version 1.
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(BASE + HEAD), true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  // PT_LOAD, readable and executable, the whole file.
  view.setUint32(64, 1, true);
  view.setUint32(68, 5, true);
  view.setBigUint64(80, BigInt(BASE), true);
  view.setBigUint64(88, BigInt(BASE), true);
  view.setBigUint64(96, BigInt(file.length), true);
  view.setBigUint64(104, BigInt(file.length), true);
  view.setBigUint64(112, 0x1000n, true);
  file.set(code, HEAD);
  return file;
}
