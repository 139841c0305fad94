// The map module of the train job: trains a network on this shard's part of the images, from the weights of the round before.
import { Random } from '../../lib/assembly/random';
import { Arguments, fail, log, output } from '../../lib/assembly/wasi';
import { Checkpoint, MAX_CLASSES, MAX_HIDDEN, millionths, readCheckpoint } from './checkpoint';
import { Examples } from './examples';
import { FixedTraining } from './fixed';
import { addScaled, Pass, Weights } from './network';

/** Where the spec's own arguments begin. */
const OWN_AT = 2;

/** First weights: even between ± √(6 / inputs of the layer), as He et al. 2015 advise for rectifiers; biases 0. */
function begin(inputs: i32, hidden: i32, classes: i32, seed: u64): Checkpoint {
  const weights = new Weights(inputs, hidden, classes);
  const random = new Random(seed, 0);
  const first = Mathf.sqrt(6 / <f32>inputs);
  for (let i = 0; i < inputs * hidden; ++i) store<f32>(weights.w1 + 4 * <usize>i, first * random.signed());
  const second = Mathf.sqrt(6 / <f32>hidden);
  for (let i = 0; i < hidden * classes; ++i) store<f32>(weights.w2 + 4 * <usize>i, second * random.signed());
  return new Checkpoint(weights);
}

function shuffle(order: StaticArray<i32>, random: Random): void {
  for (let i = order.length - 1; i > 0; --i) {
    const j = random.below(i + 1);
    const moved = order[i];
    order[i] = order[j];
    order[j] = moved;
  }
}

/** One pass over the images in `order`, in batches. Returns their mean loss as they were met. */
function pass(weights: Weights, data: Examples, order: StaticArray<i32>, batch: i32, rate: f32): f64 {
  const gradient = new Weights(weights.inputs, weights.hidden, weights.classes);
  const way = new Pass(weights);
  let losses: f64 = 0;
  for (let start = 0; start < order.length; start += batch) {
    const size = min(batch, order.length - start);
    memory.fill(gradient.w1, 0, 4 * <usize>gradient.padded);
    for (let i = start; i < start + size; ++i) {
      data.copy(order[i], way.x);
      way.forward();
      losses += way.loss(data.label(order[i]));
      way.backward(gradient);
    }
    addScaled(weights.w1, gradient.w1, -rate / <f32>size, weights.padded);
  }
  return losses / <f64>order.length;
}

function main(): void {
  const args = new Arguments();
  const shards = <i32>args.integer(1, 'shards', 1, i32.MAX_VALUE);
  const shard = <i32>args.integer(0, 'shard', 0, shards - 1);
  const round = <u64>args.integer(OWN_AT, 'round', 1, 1024);
  const hidden = <i32>args.integer(OWN_AT + 1, 'hidden', 4, MAX_HIDDEN);
  const classes = <i32>args.integer(OWN_AT + 2, 'classes', 2, MAX_CLASSES);
  const epochs = <i32>args.integer(OWN_AT + 3, 'epochs', 1, 1000);
  const batch = <i32>args.integer(OWN_AT + 4, 'batch', 1, 65536);
  const rate = <f32>args.integer(OWN_AT + 5, 'rate', 1, 1000000) / 1000000;
  const seed = <u64>args.integer(OWN_AT + 6, 'seed', 0, u32.MAX_VALUE);
  if (hidden % 4 != 0) fail('argument hidden must be a multiple of 4');

  const data = new Examples('train', classes);
  const first = <i32>((<i64>data.count * shard) / shards);
  const count = <i32>((<i64>data.count * (shard + 1)) / shards) - first;
  if (count == 0) fail('there are more shards than images');
  // A training in whole numbers brings its first weights, because a GPU cannot make them.
  const isFixed = args.length > OWN_AT + 7 && args.integer(OWN_AT + 7, 'fixed', 0, 1) == 1;
  const origin = round > 1 ? 'weights/0' : isFixed ? 'first.bin' : '';
  const checkpoint = origin == '' ? begin(data.pixels, hidden, classes, seed) : readCheckpoint(origin);
  const weights = checkpoint.weights;
  if (weights.inputs != data.pixels || weights.hidden != hidden || weights.classes != classes) {
    fail('/in/' + origin + ': these weights are of another network');
  }
  if (<u64>checkpoint.rounds.length != round - 1) fail('/in/' + origin + ': these weights are of another round');
  if (isFixed != (checkpoint.fixed != 0)) fail('/in/' + origin + ': these weights are of another kind of numbers');

  let loss: u32 = 0;
  if (isFixed) {
    const step = <i32>((<u64>args.integer(OWN_AT + 5, 'rate', 1, 1000000) * 65536 + 500000) / 1000000);
    const training = new FixedTraining(checkpoint.fixed, data, hidden, classes, first, count, batch, step);
    training.run(epochs, <u32>seed, <u32>round, shard);
    loss = training.loss;
  } else {
    const order = new StaticArray<i32>(count);
    for (let i = 0; i < count; ++i) order[i] = first + i;
    const random = new Random(seed, (round << 32) | (<u64>shard + 1));
    for (let epoch = 0; epoch < epochs; ++epoch) {
      shuffle(order, random);
      loss = millionths(pass(weights, data, order, batch, rate));
    }
  }
  checkpoint.trainLoss = loss;
  output(checkpoint.encode());
  log(
    'round ' +
      round.toString() +
      ': ' +
      count.toString() +
      ' images from ' +
      first.toString() +
      ', ' +
      epochs.toString() +
      ' times, loss ' +
      loss.toString() +
      ' millionths',
  );
}

main();
