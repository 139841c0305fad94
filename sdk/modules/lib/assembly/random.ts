// Random numbers that are the same on every machine: PCG (O'Neill 2014, XSH-RR 64/32).

const MULTIPLIER: u64 = 6364136223846793005;

/** A stream of 32-bit numbers, chosen by a seed and a stream number. */
export class Random {
  private state: u64;
  private step: u64;

  constructor(seed: u64, stream: u64) {
    this.step = (stream << 1) | 1;
    this.state = 0;
    this.next();
    this.state += seed;
    this.next();
  }

  /** The next 32 bits. */
  next(): u32 {
    const before = this.state;
    this.state = before * MULTIPLIER + this.step;
    return rotr<u32>(<u32>(((before >> 18) ^ before) >> 27), <u32>(before >> 59));
  }

  /** A number in [-1, 1), in steps of 2 ^ -23. */
  signed(): f32 {
    return <f32>(<i32>(this.next() >> 8) - 0x800000) / <f32>0x800000;
  }

  /** A whole number below `bound`, which is far below 2 ^ 32. */
  below(bound: u32): u32 {
    return <u32>((<u64>this.next() * bound) >> 32);
  }
}
