// The reduce module of the train job: averages the shards' weights in their order, tests the network, and notes the round.
// After the last round it writes results for people and other jobs, a file for each shard.
import { allocate, Bytes, Arguments, encode, fail, log, output } from '../../lib/assembly/wasi';
import { Checkpoint, millionths, readCheckpoint, Round } from '../../train/assembly/checkpoint';
import { Examples } from '../../train/assembly/examples';
import { addScaled, Pass, Weights } from '../../train/assembly/network';
import { encodeChart } from './chart';
import { digitsOf, encodeCurve } from './curve';
import { encodeOnnx } from './onnx';

/** Where the spec's own arguments begin. */
const OWN_AT = 2;
/** Shards of the job after the last round: model, curve, chart, answers. */
const FILES: i32 = 4;

/** sums[i] += numbers[i], of 64 and of 32 bits. */
function addWhole(sums: usize, numbers: usize, count: i32): void {
  for (let i: usize = 0; i < <usize>count; ++i) {
    store<i64>(sums + 8 * i, load<i64>(sums + 8 * i) + <i64>load<i32>(numbers + 4 * i));
  }
}

/** A part of a sum, rounded to the nearest, halves upwards. */
function rounded(sum: i64, parts: i32): i64 {
  const moved = 2 * sum + <i64>parts;
  const whole = 2 * <i64>parts;
  return moved >= 0 ? moved / whole : -((whole - 1 - moved) / whole);
}

/** The mean of the weights in `/in/shards/0` to `/in/shards/<parts - 1>`: their sum from first to last, then its part. */
function average(parts: i32): Checkpoint {
  const first = readCheckpoint('shards/0');
  const inputs = first.weights.inputs;
  const hidden = first.weights.hidden;
  const classes = first.weights.classes;
  const padded = first.weights.padded;
  const weights = new Weights(inputs, hidden, classes);
  const mean = new Checkpoint(weights);
  mean.rounds = first.rounds;
  const share: f32 = 1 / <f32>parts;
  const sums = allocate(first.fixed == 0 ? 0 : 8 * weights.count).pointer;
  let losses: u64 = 0;
  for (let i = 0; i < parts; ++i) {
    const name = 'shards/' + i.toString();
    const part = i == 0 ? first : readCheckpoint(name);
    if (part.weights.inputs != inputs || part.weights.hidden != hidden || part.weights.classes != classes) {
      fail('/in/' + name + ': these weights are of another network');
    }
    if (part.rounds.length != first.rounds.length) fail('/in/' + name + ': these weights are of another round');
    if ((part.fixed != 0) != (first.fixed != 0)) {
      fail('/in/' + name + ': these weights are of another kind of numbers');
    }
    if (part.fixed == 0) addScaled(weights.w1, part.weights.w1, 1, padded);
    else addWhole(sums, part.fixed, weights.count);
    losses += part.trainLoss;
  }
  mean.trainLoss = <u32>(losses / <u64>parts);
  if (first.fixed != 0) {
    mean.fixed = allocate(4 * weights.count).pointer;
    for (let i: usize = 0; i < <usize>weights.count; ++i) {
      store<i32>(mean.fixed + 4 * i, <i32>rounded(load<i64>(sums + 8 * i), parts));
    }
    mean.refresh();
    return mean;
  }
  // Added to zero, so that the sum is multiplied and nothing else.
  const sum = new Weights(inputs, hidden, classes);
  memory.copy(sum.w1, weights.w1, 4 * <usize>padded);
  memory.fill(weights.w1, 0, 4 * <usize>padded);
  addScaled(weights.w1, sum.w1, share, padded);
  return mean;
}

/** Tests the network on every image, notes the round, and returns the answers, a line of comma-separated values each. */
function test(mean: Checkpoint): Array<string> {
  const data = new Examples('test', mean.weights.classes);
  if (data.pixels != mean.weights.inputs)
    fail('/in/test-images.idx: its images have another size than those to learn from');
  const way = new Pass(mean.weights);
  let losses: f64 = 0;
  let correct = 0;
  const answers: Array<string> = ['image,label,answer'];
  for (let i = 0; i < data.count; ++i) {
    data.copy(i, way.x);
    way.forward();
    losses += way.loss(data.label(i));
    const answer = way.answer;
    if (answer == data.label(i)) ++correct;
    answers.push(i.toString() + ',' + data.label(i).toString() + ',' + answer.toString());
  }
  mean.rounds.push(new Round(mean.trainLoss, millionths(losses / <f64>data.count), correct, data.count));
  mean.trainLoss = 0;
  return answers;
}

function fileOf(shard: i32, mean: Checkpoint, answers: Array<string>): Bytes {
  if (shard == 0) return encodeOnnx(mean.weights);
  if (shard == 1) return encodeCurve(mean.rounds);
  if (shard == 2) return encodeChart(mean.rounds);
  return encode(answers.join('\n') + '\n');
}

function main(): void {
  const args = new Arguments();
  const shards = <i32>args.integer(1, 'shards', 1, i32.MAX_VALUE);
  const shard = <i32>args.integer(0, 'shard', 0, shards - 1);
  const parts = <i32>args.integer(OWN_AT, 'parts', 1, 4096);
  const round = <i32>args.integer(OWN_AT + 1, 'round', 1, 1024);
  const rounds = <i32>args.integer(OWN_AT + 2, 'rounds', round, 1024);
  const files = round == rounds ? FILES : 1;
  if (shards != files)
    fail('round ' + round.toString() + ' of ' + rounds.toString() + ' has ' + files.toString() + ' shards');

  const mean = average(parts);
  if (mean.rounds.length != round - 1) fail('/in/shards/0: these weights are of another round');
  const answers = test(mean);
  output(round == rounds ? fileOf(shard, mean, answers) : mean.encode());
  const last = mean.rounds[round - 1];
  log(
    'round ' +
      round.toString() +
      ': ' +
      last.correct.toString() +
      ' of ' +
      last.tested.toString() +
      ' right, loss ' +
      digitsOf(last.testLoss, 6),
  );
}

main();
