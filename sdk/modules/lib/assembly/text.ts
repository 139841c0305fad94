// A cursor over text files of lines and blank-separated words, as OBJ and MTL files are.
import { Bytes, fail } from './wasi';

const TAB: u8 = 9;
const NEWLINE: u8 = 10;
const RETURN: u8 = 13;
const SPACE: u8 = 32;
const HASH: u8 = 35;
const PLUS: u8 = 43;
const MINUS: u8 = 45;
const DOT: u8 = 46;
const BACKSLASH: u8 = 92;
/** Digits beyond this many cannot change the value: the mantissa is kept in 64 bits. */
const MAX_DIGITS = 18;

/** Reads one file from front to back. */
export class Cursor {
  at: usize;
  end: usize;
  /** Current line, from 1. */
  line: i32 = 1;

  constructor(
    file: Bytes,
    private name: string,
  ) {
    this.at = file.pointer;
    this.end = file.end;
  }

  /** Ends the shard with a message that says where in the file it went wrong. */
  fail(message: string): void {
    fail(this.name + ' line ' + this.line.toString() + ': ' + message);
  }
  private get byte(): u8 {
    return this.at < this.end ? load<u8>(this.at) : NEWLINE;
  }

  /** Moves past blanks, and past line ends that a backslash hides. True when a word follows on this line. */
  word(): bool {
    while (true) {
      const byte = this.byte;
      if (byte == SPACE || byte == TAB || byte == RETURN) {
        ++this.at;
      } else if (byte == BACKSLASH && this.hidesLineEnd()) {
        while (this.byte != NEWLINE) ++this.at;
        if (this.at < this.end) ++this.at;
        ++this.line;
      } else {
        return byte != NEWLINE && byte != HASH;
      }
    }
  }

  private hidesLineEnd(): bool {
    let next = this.at + 1;
    if (next < this.end && load<u8>(next) == RETURN) ++next;
    return next >= this.end || load<u8>(next) == NEWLINE;
  }

  /** True when the cursor is at the end of a word. */
  get atWordEnd(): bool {
    const byte = this.byte;
    return byte <= SPACE || byte == HASH;
  }

  /** Moves past the rest of the word and returns it. */
  takeWord(): Bytes {
    const start = this.at;
    while (!this.atWordEnd) ++this.at;
    return new Bytes(start, <i32>(this.at - start));
  }

  /** Moves past `keyword` if it is the next whole word. */
  takeKeyword(keyword: string): bool {
    const size = <usize>keyword.length;
    if (this.end - this.at < size) return false;
    for (let i = 0; i < keyword.length; ++i) {
      if (<i32>load<u8>(this.at + <usize>i) != keyword.charCodeAt(i)) return false;
    }
    if (this.at + size < this.end && load<u8>(this.at + size) > SPACE) return false;
    this.at += size;
    return true;
  }

  /** Moves past `byte` if it is next. */
  takeByte(byte: u8): bool {
    if (this.byte != byte) return false;
    ++this.at;
    return true;
  }

  /** The rest of the line without the blanks around it: names may hold blanks. */
  takeLine(): Bytes {
    this.word();
    const start = this.at;
    while (this.byte != NEWLINE) ++this.at;
    let end = this.at;
    while (end > start && load<u8>(end - 1) <= SPACE) --end;
    return new Bytes(start, <i32>(end - start));
  }

  /** Moves to the start of the next line. False at the end of the file. */
  nextLine(): bool {
    while (this.byte != NEWLINE) ++this.at;
    if (this.at >= this.end) return false;
    ++this.at;
    ++this.line;
    return this.at < this.end;
  }

  /** The next word as a whole number, up to the first byte that is not a digit. */
  integer(): i32 {
    const negative = this.takeByte(MINUS);
    if (!negative) this.takeByte(PLUS);
    let value: i64 = 0;
    let digits = 0;
    for (; this.isDigit; ++this.at, ++digits) {
      value = value * 10 + (<i64>this.byte - 48);
      if (value > <i64>i32.MAX_VALUE) this.fail('a number is too large');
    }
    if (digits == 0) this.fail('a whole number is expected');
    return <i32>(negative ? -value : value);
  }
  private get isDigit(): bool {
    return <u32>this.byte - 48 < 10;
  }

  /** The next word as a finite decimal number. */
  float(): f32 {
    if (!this.word()) this.fail('a number is missing');
    const negative = this.takeByte(MINUS);
    if (!negative) this.takeByte(PLUS);
    let mantissa: u64 = 0;
    let digits = 0;
    let exponent = 0;
    let any = false;
    let fraction = false;
    while (true) {
      if (this.isDigit) {
        any = true;
        if (digits < MAX_DIGITS) {
          mantissa = mantissa * 10 + (<u64>this.byte - 48);
          if (mantissa != 0) ++digits;
          if (fraction) --exponent;
        } else if (!fraction) {
          ++exponent;
        }
        ++this.at;
      } else if (!fraction && this.takeByte(DOT)) {
        fraction = true;
      } else {
        break;
      }
    }
    if (!any) this.fail('a finite number is expected');
    if ((this.byte | 32) == 101) {
      ++this.at;
      exponent += max(-9999, min(9999, this.integer()));
    }
    if (!this.atWordEnd) this.fail('a finite number is expected');
    const value = scale(<f64>mantissa, exponent);
    if (!(value <= <f64>f32.MAX_VALUE)) this.fail('a number is too large');
    return <f32>(negative ? -value : value);
  }
}

/** `value * 10 ^ exponent` by squaring, which is the same on every machine. */
function scale(value: f64, exponent: i32): f64 {
  if (value == 0) return 0;
  let power: f64 = 1;
  let base: f64 = 10;
  for (let n = min(abs(exponent), 400); n > 0; n >>= 1) {
    if (n & 1) power *= base;
    base *= base;
  }
  return exponent < 0 ? value / power : value * power;
}

/** Whether two runs of bytes are the same text. */
export function sameText(a: Bytes, b: Bytes): bool {
  return a.size == b.size && memory.compare(a.pointer, b.pointer, <usize>a.size) == 0;
}

/** The text of `bytes`, for messages. */
export function toText(bytes: Bytes): string {
  return String.UTF8.decodeUnsafe(bytes.pointer, <usize>min(bytes.size, 80));
}
