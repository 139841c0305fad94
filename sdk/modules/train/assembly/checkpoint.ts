// What jobs of a training hand to each other: the weights, and what every round before has brought. docs/jobs.md has the format.
import { Bytes, allocate, fail, readInput } from '../../lib/assembly/wasi';
import { Weights } from './network';

/** "DPUW", little endian. */
const MAGIC: u32 = 0x57555044;
const FLOATS: u32 = 1;
/** Whole numbers with 24 bits after the point. */
const FIXED: u32 = 2;
const ONE: f32 = 16777216;
const HEAD: i32 = 32;
const ROW: i32 = 16;
const MAX_ROUNDS: u32 = 1024;
/** Largest hidden layer and number of classes. */
export const MAX_HIDDEN: i64 = 4096;
export const MAX_CLASSES: i64 = 256;

/** What one round has brought. Losses are in millionths of a nat. */
export class Round {
  constructor(
    public trainLoss: u32,
    public testLoss: u32,
    /** Test images that were answered right, and all of them. */
    public correct: u32,
    public tested: u32,
  ) {}
}

/** A loss in millionths, as it is kept. Ends the shard when it is no number. */
export function millionths(loss: f64): u32 {
  if (!(loss < 4000)) fail('the training diverged: the loss is no number any more. Choose a lower rate.');
  return <u32>(loss * 1000000 + 0.5);
}

/** Weights with their history. */
export class Checkpoint {
  rounds: Array<Round> = [];
  /** Loss of the shard that made it, in its last pass over its images; 0 for an average. */
  trainLoss: u32 = 0;
  /** The same weights as whole numbers, where that is what they are; 0 where they are floats. */
  fixed: usize = 0;

  constructor(public weights: Weights) {}

  /** Makes the floats of the whole numbers anew. */
  refresh(): void {
    for (let i: usize = 0; i < <usize>this.weights.count; ++i) {
      store<f32>(this.weights.w1 + 4 * i, <f32>load<i32>(this.fixed + 4 * i) / ONE);
    }
  }

  encode(): Bytes {
    const inputs = this.weights.inputs;
    const hidden = this.weights.hidden;
    const classes = this.weights.classes;
    const count = this.weights.count;
    const numbers = this.fixed == 0 ? this.weights.w1 : this.fixed;
    const version = this.fixed == 0 ? FLOATS : FIXED;
    const file = allocate(HEAD + ROW * this.rounds.length + 4 * count);
    const head: StaticArray<u32> = [MAGIC, version, inputs, hidden, classes, this.rounds.length, this.trainLoss, 0];
    memory.copy(file.pointer, changetype<usize>(head), HEAD);
    let at = file.pointer + HEAD;
    for (let i = 0; i < this.rounds.length; ++i, at += ROW) {
      const trainLoss = this.rounds[i].trainLoss;
      const testLoss = this.rounds[i].testLoss;
      const correct = this.rounds[i].correct;
      const tested = this.rounds[i].tested;
      store<u32>(at, trainLoss);
      store<u32>(at, testLoss, 4);
      store<u32>(at, correct, 8);
      store<u32>(at, tested, 12);
    }
    memory.copy(at, numbers, 4 * <usize>count);
    return file;
  }
}

/** Reads `/in/<name>`. */
export function readCheckpoint(name: string): Checkpoint {
  const file = readInput(name);
  if (file == null) fail('/in/' + name + ' is missing');
  const at = file!.pointer;
  if (file!.size < HEAD || load<u32>(at) != MAGIC) {
    fail('/in/' + name + ': not the weights of a training');
  }
  const version = load<u32>(at, 4);
  if (version != FLOATS && version != FIXED)
    fail('/in/' + name + ': weights of a version that this module does not know');
  const inputs = load<u32>(at, 8);
  const hidden = load<u32>(at, 12);
  const classes = load<u32>(at, 16);
  const rounds = load<u32>(at, 20);
  if (inputs > 65536 || hidden > <u32>MAX_HIDDEN || classes > <u32>MAX_CLASSES || rounds > MAX_ROUNDS) {
    fail('/in/' + name + ': its sizes are beyond what this module can hold');
  }
  const weights = new Weights(<i32>inputs, <i32>hidden, <i32>classes);
  const from = HEAD + ROW * <i32>rounds;
  if (file!.size != from + 4 * weights.count) fail('/in/' + name + ': it has another size than its head says');
  const found = new Checkpoint(weights);
  if (version == FIXED) {
    found.fixed = allocate(4 * weights.count).pointer;
    memory.copy(found.fixed, at + <usize>from, 4 * <usize>weights.count);
    found.refresh();
  } else {
    memory.copy(weights.w1, at + <usize>from, 4 * <usize>weights.count);
  }
  found.trainLoss = load<u32>(at, 24);
  for (let i: usize = 0; i < <usize>rounds; ++i) {
    const row = at + HEAD + ROW * i;
    found.rounds.push(new Round(load<u32>(row), load<u32>(row, 4), load<u32>(row, 8), load<u32>(row, 12)));
  }
  return found;
}
