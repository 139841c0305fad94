/** A pointer or length from the module does not lie in its memory. Becomes the error number `EFAULT`. */
export class BadPointer extends Error {}

/** Checked access to the module's memory. Growing replaces the buffer, so the views are made anew when it changed. */
export class GuestMemory {
  readonly #memory: () => WebAssembly.Memory;
  #view = new DataView(new ArrayBuffer(0));

  constructor(memory: () => WebAssembly.Memory) {
    this.#memory = memory;
  }

  #current(pointer: number, length: number): DataView {
    const { buffer } = this.#memory();
    if (this.#view.buffer !== buffer) this.#view = new DataView(buffer);
    if (pointer + length > buffer.byteLength) throw new BadPointer();
    return this.#view;
  }

  bytes(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.#current(pointer, length).buffer, pointer, length);
  }

  u32(pointer: number): number {
    return this.#current(pointer, 4).getUint32(pointer, true);
  }

  setU8(pointer: number, value: number): void {
    this.#current(pointer, 1).setUint8(pointer, value);
  }

  setU16(pointer: number, value: number): void {
    this.#current(pointer, 2).setUint16(pointer, value, true);
  }

  setU32(pointer: number, value: number): void {
    this.#current(pointer, 4).setUint32(pointer, value, true);
  }

  setU64(pointer: number, value: bigint): void {
    this.#current(pointer, 8).setBigUint64(pointer, value, true);
  }
}
