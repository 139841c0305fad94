/**
 * The stream behind `random_get`: block i is `sha256(seed ‖ uint32 shard ‖ uint64 i)`, big endian, read from the first
 * byte of block 0 on. Every node draws the same bytes for the same shard.
 */
export class RandomStream {
  readonly #seed: Uint8Array;
  readonly #shard: number;
  #block = 0n;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(seed: Uint8Array, shard: number) {
    this.#seed = seed;
    this.#shard = shard;
  }

  /** Fills `target` with the next bytes of the stream. */
  fill(target: Uint8Array): void {
    let at = 0;
    while (at < target.length) {
      if (this.#rest.length === 0) this.#rest = this.#next();
      const piece = this.#rest.subarray(0, target.length - at);
      target.set(piece, at);
      at += piece.length;
      this.#rest = this.#rest.subarray(piece.length);
    }
  }

  #next(): Uint8Array {
    // Loaded when it is needed: most modules draw nothing, and loading it takes longer than many of them run.
    const { createHash } = process.getBuiltinModule('node:crypto');
    const tail = Buffer.alloc(12);
    tail.writeUInt32BE(this.#shard, 0);
    tail.writeBigUInt64BE(this.#block++, 4);
    return createHash('sha256').update(this.#seed).update(tail).digest();
  }
}
