// What jobs of a training hand to each other: the weights, and what every round before has brought. docs/jobs.md has the format.
import { Bytes, allocate, fail, readInput } from '../../lib/assembly/wasi';
import { Weights } from './network';

/** "DPUW", little endian. */
const MAGIC: u32 = 0x57555044;
const VERSION: u32 = 1;
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

  constructor(public weights: Weights) {}

  encode(): Bytes {
    const inputs = this.weights.inputs;
    const hidden = this.weights.hidden;
    const classes = this.weights.classes;
    const count = this.weights.count;
    const w1 = this.weights.w1;
    const file = allocate(HEAD + ROW * this.rounds.length + 4 * count);
    const head: StaticArray<u32> = [MAGIC, VERSION, inputs, hidden, classes, this.rounds.length, this.trainLoss, 0];
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
    memory.copy(at, w1, 4 * <usize>count);
    return file;
  }
}

/** Reads `/in/<name>`. */
export function readCheckpoint(name: string): Checkpoint {
  const file = readInput(name);
  if (file == null) fail('/in/' + name + ' is missing');
  const at = file!.pointer;
  if (file!.size < HEAD || load<u32>(at) != MAGIC || load<u32>(at, 4) != VERSION) {
    fail('/in/' + name + ': not the weights of a training');
  }
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
  memory.copy(weights.w1, at + <usize>from, 4 * <usize>weights.count);

  const found = new Checkpoint(weights);
  found.trainLoss = load<u32>(at, 24);
  for (let i: usize = 0; i < <usize>rounds; ++i) {
    const row = at + HEAD + ROW * i;
    found.rounds.push(new Round(load<u32>(row), load<u32>(row, 4), load<u32>(row, 8), load<u32>(row, 12)));
  }
  return found;
}
