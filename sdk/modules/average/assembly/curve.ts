// The course of a training and the answers of its network as comma-separated values.
import { Bytes, encode } from '../../lib/assembly/wasi';
import { Round } from '../../train/assembly/checkpoint';

/** `value / 10 ^ digits` with exactly that many digits after the point. */
export function digitsOf(value: u64, digits: i32): string {
  const text = value.toString().padStart(digits + 1, '0');
  return text.slice(0, text.length - digits) + '.' + text.slice(text.length - digits);
}

/** A line for each round. Losses are in nats for each image, the accuracy is a share of the test images. */
export function encodeCurve(rounds: Array<Round>): Bytes {
  let text = 'round,training loss,test loss,correct,tested,accuracy\n';
  for (let i = 0; i < rounds.length; ++i) {
    const trainLoss = rounds[i].trainLoss;
    const testLoss = rounds[i].testLoss;
    const correct = rounds[i].correct;
    const tested = rounds[i].tested;
    const share = (<u64>correct * 10000 + tested / 2) / max<u64>(tested, 1);
    text += (i + 1).toString() + ',' + digitsOf(trainLoss, 6) + ',' + digitsOf(testLoss, 6) + ',';
    text += correct.toString() + ',' + tested.toString() + ',' + digitsOf(share, 4) + '\n';
  }
  return encode(text);
}
