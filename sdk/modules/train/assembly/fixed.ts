// The network's training in whole numbers alone: the arithmetic of train.wgsl, bit for bit, so that a processor can check a GPU.
// Weights have 24 bits after the point, everything that lies between them 16; pixels are 0 to 256. Sums that do not fit wrap around.
import { allocate } from '../../lib/assembly/wasi';
import { Examples } from './examples';

/** 2 ^ -(1 / 2), 2 ^ -(1 / 4), … with 16 bits after the point. */
const ROOTS: StaticArray<u32> = [
  46341, 55109, 60097, 62757, 64132, 64830, 65182, 65359, 65447, 65492, 65514, 65525, 65530, 65533, 65535, 65535,
];

function scramble(x: u32): u32 {
  const state = x * 747796405 + 2891336453;
  const word = ((state >> ((state >> 28) + 4)) ^ state) * 277803737;
  return (word >> 22) ^ word;
}

/** a · b / 65536, rounded to the nearest. */
function mul(a: i32, b: i32): i32 {
  return <i32>((<i64>a * <i64>b + 0x8000) >> 16);
}

/** 24 bits after the point to 16. */
function narrow(weight: i32): i32 {
  return (weight + 128) >> 8;
}

/** e to the power of -x. */
function falling(x: u32): u32 {
  if (x >= 786432) return 0;
  const y = <u32>mul(<i32>x, 94548);
  let value: u32 = 65536;
  for (let i = 0; i < 16; ++i) {
    if (y & ((<u32>0x8000) >> i)) value = (value * ROOTS[i]) >> 16;
  }
  return value >> (y >> 16);
}

/** Logarithm to the base of two of a whole number from 1 on, 12 bits after the point. */
function binary(value: u32): u32 {
  const whole: u32 = 31 - clz<u32>(value);
  let x = whole > 15 ? value >> (whole - 15) : value << (15 - whole);
  let bits: u32 = 0;
  for (let i = 0; i < 12; ++i) {
    x = (x * x) >> 15;
    const one = x >> 16;
    bits = 2 * bits + one;
    x >>= one;
  }
  return (whole << 12) + bits;
}

/** What a training in whole numbers is told. */
export class FixedTraining {
  /** Mean loss of the last epoch, in millionths of a nat. */
  loss: u32 = 0;
  private order: StaticArray<u32>;
  private x: StaticArray<i32>;
  private middle: StaticArray<i32>;
  private far: StaticArray<i32>;
  private back: StaticArray<i32>;
  /** Sums of a batch, for each weight. */
  private sums: usize;
  private count: i32;

  /** `weights`: W1 (hidden × pixels), b1, W2 (classes × hidden), b2; `rate` has 16 bits after the point. */
  constructor(
    private weights: usize,
    private data: Examples,
    private hidden: i32,
    private classes: i32,
    private first: i32,
    images: i32,
    private batch: i32,
    private rate: i32,
  ) {
    this.count = hidden * (data.pixels + 1) + classes * (hidden + 1);
    this.order = new StaticArray<u32>(images);
    this.x = new StaticArray<i32>(data.pixels);
    this.middle = new StaticArray<i32>(hidden);
    this.far = new StaticArray<i32>(classes);
    this.back = new StaticArray<i32>(hidden);
    this.sums = allocate(4 * this.count).pointer;
  }

  /** Goes through the images `epochs` times, in an order that seed, round, shard and epoch choose. */
  run(epochs: i32, seed: u32, round: u32, shard: u32): void {
    const order = this.order;
    for (let i = 0; i < order.length; ++i) order[i] = this.first + i;
    for (let epoch = 0; epoch < epochs; ++epoch) {
      let state = scramble(seed ^ scramble(round ^ scramble(shard + 1 + scramble(epoch))));
      for (let i = order.length - 1; i > 0; --i) {
        state = scramble(state);
        const j = state % (i + 1);
        const moved = order[i];
        order[i] = order[j];
        order[j] = moved;
      }
      let losses: u32 = 0;
      for (let start = 0; start < order.length; start += this.batch) {
        losses += this.step(start, min(this.batch, order.length - start));
      }
      this.loss = ((losses / order.length) * 15625) / 64;
    }
  }

  /** One batch. Returns its loss in 4096ths of a nat. */
  private step(start: i32, size: i32): u32 {
    memory.fill(this.sums, 0, 4 * <usize>this.count);
    let losses: u32 = 0;
    for (let i = start; i < start + size; ++i) {
      this.data.copyWhole(this.order[i], this.x);
      this.forward();
      losses += this.compare(this.data.label(this.order[i]));
      this.blame();
    }
    for (let n = 0; n < this.count; ++n) {
      const at = 4 * <usize>n;
      store<i32>(this.weights + at, load<i32>(this.weights + at) - mul(load<i32>(this.sums + at), this.rate) / size);
    }
    return losses;
  }

  private forward(): void {
    const pixels = this.data.pixels;
    const x = this.x;
    let at = this.weights;
    const bias = at + 4 * <usize>(this.hidden * pixels);
    for (let j = 0; j < this.hidden; ++j) {
      let sum = narrow(load<i32>(bias + 4 * <usize>j));
      for (let i = 0; i < pixels; i += 4, at += 16) {
        const four =
          narrow(load<i32>(at)) * x[i] +
          narrow(load<i32>(at, 4)) * x[i + 1] +
          narrow(load<i32>(at, 8)) * x[i + 2] +
          narrow(load<i32>(at, 12)) * x[i + 3];
        sum += (four + 128) >> 8;
      }
      this.middle[j] = max(sum, 0);
    }
    at = bias + 4 * <usize>this.hidden;
    const last = at + 4 * <usize>(this.classes * this.hidden);
    for (let k = 0; k < this.classes; ++k) {
      let sum = narrow(load<i32>(last + 4 * <usize>k));
      for (let j = 0; j < this.hidden; ++j, at += 4) sum += mul(narrow(load<i32>(at)), this.middle[j]);
      this.far[k] = sum;
    }
  }

  /** Leaves each class's distance from the truth. */
  private compare(label: i32): u32 {
    const far = this.far;
    let highest = far[0];
    for (let k = 1; k < far.length; ++k) highest = max(highest, far[k]);
    let total: u32 = 0;
    for (let k = 0; k < far.length; ++k) {
      const chance = falling(<u32>(highest - far[k]));
      far[k] = <i32>chance;
      total += chance;
    }
    const right = max<u32>(<u32>far[label], 1);
    for (let k = 0; k < far.length; ++k) {
      far[k] = <i32>((((<u32>far[k]) << 15) / total) << 1) - (k == label ? 65536 : 0);
    }
    return ((binary(total) - binary(right)) * 2839) >> 12;
  }

  /** Adds what this image has to say to the sums. */
  private blame(): void {
    const pixels = this.data.pixels;
    const hidden = this.hidden;
    const second = 4 * <usize>(hidden * (pixels + 1));
    const bias = second + 4 * <usize>(this.classes * hidden);
    const back = this.back;
    for (let j = 0; j < hidden; ++j) back[j] = 0;
    for (let k = 0; k < this.classes; ++k) {
      const far = this.far[k];
      add(this.sums + bias + 4 * <usize>k, far << 8);
      for (let j = 0; j < hidden; ++j) {
        const at = second + 4 * <usize>(k * hidden + j);
        if (this.middle[j] > 0) back[j] += mul(narrow(load<i32>(this.weights + at)), far);
        add(this.sums + at, mul(far << 8, this.middle[j]));
      }
    }
    for (let j = 0; j < hidden; ++j) {
      const far = back[j];
      if (far == 0) continue;
      add(this.sums + 4 * <usize>(hidden * pixels + j), far << 8);
      let at = this.sums + 4 * <usize>(j * pixels);
      for (let i = 0; i < pixels; ++i, at += 4) add(at, far * this.x[i]);
    }
  }
}

function add(at: usize, value: i32): void {
  store<i32>(at, load<i32>(at) + value);
}
