/** Takes the two streams apart that an engine sends as one. */

const HEAD_BYTES = 8;
const STDOUT = 1;

/**
 * Frames of an attached container: one byte stream (1 stdout, 2 stderr), three zeros, uint32 length big endian, content. Nothing is kept but the
 * head of a frame, however long it says it is.
 */
export class Demultiplexer {
  readonly #onOutput: (piece: Buffer) => void;
  readonly #onLog: (piece: Buffer) => void;
  #head: Buffer = Buffer.alloc(0);
  #left = 0;
  #isOutput = false;

  constructor(onOutput: (piece: Buffer) => void, onLog: (piece: Buffer) => void) {
    this.#onOutput = onOutput;
    this.#onLog = onLog;
  }

  push(piece: Buffer): void {
    let rest = piece;
    while (rest.length > 0) {
      if (this.#left === 0) {
        const missing = HEAD_BYTES - this.#head.length;
        this.#head = Buffer.concat([this.#head, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (this.#head.length < HEAD_BYTES) return;
        this.#isOutput = this.#head[0] === STDOUT;
        this.#left = this.#head.readUInt32BE(4);
        this.#head = Buffer.alloc(0);
        continue;
      }
      const part = rest.subarray(0, this.#left);
      this.#left -= part.length;
      rest = rest.subarray(part.length);
      (this.#isOutput ? this.#onOutput : this.#onLog)(part);
    }
  }
}
