// A network of one hidden layer: scores = W2 · relu(W1 · x + b1) + b2, in 32-bit floats. Every sum has a fixed order, so
// that the same weights and images give the same bits on every machine.
import { allocate } from '../../lib/assembly/wasi';

/** Sum over `count` (a multiple of four) of a[i] · b[i]: four sums side by side, then those from first to last. */
function dot(a: usize, b: usize, count: i32): f32 {
  let sums = f32x4.splat(0);
  const end = a + 4 * <usize>count;
  while (a < end) {
    sums = f32x4.add(sums, f32x4.mul(v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
  }
  return (
    f32x4.extract_lane(sums, 0) +
    f32x4.extract_lane(sums, 1) +
    f32x4.extract_lane(sums, 2) +
    f32x4.extract_lane(sums, 3)
  );
}

/** target[i] += factor · source[i], `count` is a multiple of four. */
export function addScaled(target: usize, source: usize, factor: f32, count: i32): void {
  const factors = f32x4.splat(factor);
  const end = target + 4 * <usize>count;
  while (target < end) {
    v128.store(target, f32x4.add(v128.load(target), f32x4.mul(factors, v128.load(source))));
    target += 16;
    source += 16;
  }
}

/** The weights of one network, one after the other: W1 (hidden × inputs), b1, W2 (classes × hidden), b2. */
export class Weights {
  /** Weights in all; a multiple of four, of which the last few may stand for nothing. */
  padded: i32;
  w1: usize;
  b1: usize;
  w2: usize;
  b2: usize;

  constructor(
    public inputs: i32,
    public hidden: i32,
    public classes: i32,
  ) {
    this.padded = (this.count + 3) & ~3;
    this.w1 = allocate(4 * this.padded).pointer;
    this.b1 = this.w1 + 4 * <usize>(inputs * hidden);
    this.w2 = this.b1 + 4 * <usize>hidden;
    this.b2 = this.w2 + 4 * <usize>(hidden * classes);
  }

  get count(): i32 {
    return this.hidden * (this.inputs + 1) + this.classes * (this.hidden + 1);
  }
}

/** One image's way through the network, forth and back. */
export class Pass {
  /** The image, as `inputs` floats. */
  x: usize;
  scores: usize;
  /** Middle layer after the rectifier. */
  private h: usize;
  /** Chance of each class, then its distance from the truth. */
  private p: usize;
  /** What the middle layer has to do with that. */
  private d: usize;

  constructor(private weights: Weights) {
    this.x = allocate(4 * weights.inputs).pointer;
    this.h = allocate(4 * weights.hidden).pointer;
    this.d = allocate(4 * weights.hidden).pointer;
    this.scores = allocate(4 * weights.classes).pointer;
    this.p = allocate(4 * weights.classes).pointer;
  }

  /** Scores the image in `x`. */
  forward(): void {
    const inputs = this.weights.inputs;
    const hidden = this.weights.hidden;
    const classes = this.weights.classes;
    const w1 = this.weights.w1;
    const b1 = this.weights.b1;
    const w2 = this.weights.w2;
    const b2 = this.weights.b2;
    for (let j = 0; j < hidden; ++j) {
      const sum = dot(w1 + 4 * <usize>(j * inputs), this.x, inputs) + load<f32>(b1 + 4 * <usize>j);
      store<f32>(this.h + 4 * <usize>j, sum > 0 ? sum : 0);
    }
    for (let k = 0; k < classes; ++k) {
      const sum = dot(w2 + 4 * <usize>(k * hidden), this.h, hidden) + load<f32>(b2 + 4 * <usize>k);
      store<f32>(this.scores + 4 * <usize>k, sum);
    }
  }

  /** Class of the highest score, the first of several. */
  get answer(): i32 {
    let best = 0;
    for (let k = 1; k < this.weights.classes; ++k) {
      if (this.score(k) > this.score(best)) best = k;
    }
    return best;
  }

  private score(k: i32): f32 {
    return load<f32>(this.scores + 4 * <usize>k);
  }

  /** Cross entropy of the scores and the truth, in nats. Leaves each class's distance from the truth for `backward`. */
  loss(label: i32): f32 {
    const classes = this.weights.classes;
    const highest = this.score(this.answer);
    let sum: f32 = 0;
    for (let k = 0; k < classes; ++k) {
      const e = Mathf.exp(this.score(k) - highest);
      store<f32>(this.p + 4 * <usize>k, e);
      sum += e;
    }
    for (let k = 0; k < classes; ++k) {
      const at = this.p + 4 * <usize>k;
      store<f32>(at, load<f32>(at) / sum - (k == label ? <f32>1 : <f32>0));
    }
    return Mathf.log(sum) + highest - this.score(label);
  }

  /** Adds this image's gradient to `gradient`, after `forward` and `loss`. */
  backward(gradient: Weights): void {
    const inputs = this.weights.inputs;
    const hidden = this.weights.hidden;
    const classes = this.weights.classes;
    const w2 = this.weights.w2;
    memory.fill(this.d, 0, 4 * <usize>hidden);
    for (let k = 0; k < classes; ++k) {
      const far = load<f32>(this.p + 4 * <usize>k);
      const row = 4 * <usize>(k * hidden);
      addScaled(this.d, w2 + row, far, hidden);
      addScaled(gradient.w2 + row, this.h, far, hidden);
      const bias = gradient.b2 + 4 * <usize>k;
      store<f32>(bias, load<f32>(bias) + far);
    }
    for (let j = 0; j < hidden; ++j) {
      // Where the rectifier gave nothing, nothing can be learnt.
      if (load<f32>(this.h + 4 * <usize>j) == 0) continue;
      const far = load<f32>(this.d + 4 * <usize>j);
      addScaled(gradient.w1 + 4 * <usize>(j * inputs), this.x, far, inputs);
      const bias = gradient.b1 + 4 * <usize>j;
      store<f32>(bias, load<f32>(bias) + far);
    }
  }
}
