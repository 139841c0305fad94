import { ModuleRejected } from './rejection.ts';

/** Reads a wasm binary from front to back. Every read is bounds-checked and throws {@link ModuleRejected}. */
export class Reader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    if (this.at >= this.end) throw new ModuleRejected('the module ends in the middle of something', this.at);
    return this.bytes[this.at++]!;
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw new ModuleRejected('the module ends in the middle of something', this.at);
    this.at += count;
  }

  take(count: number): Uint8Array {
    const from = this.at;
    this.skip(count);
    return this.bytes.subarray(from, this.at);
  }

  /** Unsigned LEB128, at most 32 bits in at most five bytes. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      if (shift === 28 && byte > 0x0f) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new ModuleRejected('a number is longer than 32 bits', this.at);
  }

  /** Steps over a signed LEB128 of at most `maxBytes` bytes; its value is V8's business. */
  skipSigned(maxBytes: number): void {
    for (let i = 0; i < maxBytes; i++) if (this.u8() < 0x80) return;
    throw new ModuleRejected('a number is too long', this.at);
  }

  /** A count of things, refused over `limit`. Each thing takes a byte at least, so a lie about the count ends here. */
  count(limit: number, what: string): number {
    const at = this.at;
    const count = this.u32();
    if (count > limit) throw new ModuleRejected(`${count} ${what}, at most ${limit} are allowed`, at);
    if (count > this.end - this.at) throw new ModuleRejected(`${count} ${what} do not fit into the module`, at);
    return count;
  }

  name(limit: number): string {
    const at = this.at;
    const bytes = this.take(this.count(limit, 'bytes in a name'));
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new ModuleRejected('a name is not UTF-8', at);
    }
  }
}
