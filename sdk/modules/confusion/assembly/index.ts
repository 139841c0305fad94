// The reduce module of the inference job: reads scores from /in/scores/<shard> and what is right from /in/labels.bin, and writes
// how often each class was taken for which, as a table and as a picture.
import { Bytes, Arguments, encode, fail, log, output, readInput } from '../../lib/assembly/wasi';
import { Canvas, mix } from './canvas';
import { HEIGHT, widthOf, write } from './font';

const MAX_CLASSES: i64 = 64;
const MAX_PARTS: i64 = 16_777_215;
const INK: u32 = 0x172033;
const PAPER: u32 = 0xffffff;
const EMPTY: u32 = 0xf1f4f9;
const RIGHT: u32 = 0x1d6b4f;
const WRONG: u32 = 0xc2410c;

/** Counts by label and answer, row by row. */
class Matrix {
  counts: StaticArray<u32>;
  items: u32 = 0;
  right: u32 = 0;

  constructor(public classes: i32) {
    this.counts = new StaticArray<u32>(classes * classes);
  }

  add(label: i32, answer: i32): void {
    this.counts[label * this.classes + answer] += 1;
    this.items += 1;
    if (label == answer) this.right += 1;
  }

  at(label: i32, answer: i32): u32 {
    return this.counts[label * this.classes + answer];
  }

  /** Right answers of a thousand items. */
  get perMille(): u32 {
    return this.items == 0 ? 0 : <u32>((<u64>this.right * 1000 + this.items / 2) / this.items);
  }
}

function score(type: string, at: usize): f64 {
  if (type == 'f32') return <f64>load<f32>(at);
  if (type == 'f64') return load<f64>(at);
  if (type == 'i32') return <f64>load<i32>(at);
  if (type == 'i8') return <f64>load<i8>(at);
  return <f64>load<u8>(at);
}

function sizeOf(type: string): i32 {
  if (type == 'f32' || type == 'i32') return 4;
  if (type == 'f64') return 8;
  if (type == 'i8' || type == 'u8') return 1;
  fail("argument type must be f32, f64, i32, i8 or u8, not '" + type + "'");
  return 0;
}

/** The class with the highest score; the first of several. NaN is never higher than anything. */
function best(row: usize, classes: i32, type: string, size: i32): i32 {
  let found = 0;
  let highest = -Infinity;
  for (let i = 0; i < classes; ++i) {
    const value = score(type, row + <usize>(i * size));
    if (value > highest) {
      highest = value;
      found = i;
    }
  }
  return found;
}

function count(parts: i32, classes: i32, type: string, labels: Bytes): Matrix {
  const matrix = new Matrix(classes);
  const size = sizeOf(type);
  const rowBytes = classes * size;
  let item = 0;
  for (let part = 0; part < parts; ++part) {
    const name = 'scores/' + part.toString();
    const file = readInput(name);
    if (file == null) {
      fail('/in/' + name + ' is missing: there must be ' + parts.toString() + ' files of scores');
    } else {
      if (file.size % rowBytes != 0)
        fail('/in/' + name + ' does not hold whole rows of ' + classes.toString() + ' scores');
      for (let at = file.pointer; at < file.end; at += <usize>rowBytes, ++item) {
        if (item >= labels.size) fail('there are more scores than labels');
        const label = <i32>load<u8>(labels.pointer + <usize>item);
        if (label >= classes) fail('label ' + label.toString() + ' of item ' + item.toString() + ' is no class');
        matrix.add(label, best(at, classes, type, size));
      }
    }
  }
  if (item != labels.size) {
    fail('there are ' + labels.size.toString() + ' labels, but scores of ' + item.toString() + ' items');
  }
  return matrix;
}

/** Comma-separated: a row for each class, a column for each answer. */
function table(matrix: Matrix): string {
  let text = 'true\\predicted';
  for (let answer = 0; answer < matrix.classes; ++answer) text += ',' + answer.toString();
  for (let label = 0; label < matrix.classes; ++label) {
    text += '\n' + label.toString();
    for (let answer = 0; answer < matrix.classes; ++answer) text += ',' + matrix.at(label, answer).toString();
  }
  return text + '\n';
}

function percent(perMille: u32): string {
  return (perMille / 10).toString() + '.' + (perMille % 10).toString() + '%';
}

/** Writes in the middle of a rectangle. */
function center(
  canvas: Canvas,
  text: string,
  left: i32,
  top: i32,
  width: i32,
  height: i32,
  size: i32,
  color: u32,
): void {
  const x = left + (width - widthOf(text, size)) / 2;
  write(canvas, text, x, top + (height - HEIGHT * size) / 2, size, color);
}

function picture(matrix: Matrix): Canvas {
  const classes = matrix.classes;
  const cell = classes <= 16 ? 52 : classes <= 32 ? 34 : 28;
  const size = classes <= 16 ? 2 : 1;
  const left = 110;
  const top = 96;
  const canvas = new Canvas(left + classes * cell + 40, top + classes * cell + 40, PAPER);
  center(canvas, 'PREDICTED', left, 16, classes * cell, 20, 2, INK);
  write(canvas, 'TRUE', 20, top + (classes * cell - HEIGHT * 2) / 2, 2, INK);
  write(canvas, 'ACCURACY ' + percent(matrix.perMille), left, 46, 1, INK);
  for (let label = 0; label < classes; ++label) {
    let items: u32 = 0;
    for (let answer = 0; answer < classes; ++answer) items += matrix.at(label, answer);
    center(canvas, label.toString(), left + label * cell, top - 30, cell, 24, size, INK);
    center(canvas, label.toString(), left - 34, top + label * cell, 28, cell, size, INK);
    for (let answer = 0; answer < classes; ++answer) {
      const times = matrix.at(label, answer);
      // Mistakes are rare: the root brings out what a share alone would leave white.
      const share = items == 0 ? 0.0 : <f64>times / <f64>items;
      const part = <i32>(256.0 * (label == answer ? share : Math.sqrt(share)));
      const color = mix(EMPTY, label == answer ? RIGHT : WRONG, part);
      canvas.fill(left + answer * cell + 1, top + label * cell + 1, cell - 2, cell - 2, color);
      if (times == 0) continue;
      const text = times.toString();
      const fitting = widthOf(text, size) <= cell - 6 ? size : 1;
      center(canvas, text, left + answer * cell, top + label * cell, cell, cell, fitting, part > 110 ? PAPER : INK);
    }
  }
  return canvas;
}

function main(): void {
  const args = new Arguments();
  const shards = <i32>args.integer(1, 'shards', 1, i32.MAX_VALUE);
  const shard = <i32>args.integer(0, 'shard', 0, shards - 1);
  const parts = <i32>args.integer(2, 'parts', 1, MAX_PARTS);
  const classes = <i32>args.integer(3, 'classes', 2, MAX_CLASSES);
  const type = args.text(4, 'type');
  const report = args.text(5, 'report');
  if (report != 'image' && report != 'table' && report != 'both') {
    fail("argument report must be image, table or both, not '" + report + "'");
  }
  const files = report == 'both' ? 2 : 1;
  if (shards != files) {
    fail(
      'a confusion matrix as ' + report + ' is of ' + files.toString() + ' shards, the spec has ' + shards.toString(),
    );
  }
  const labels = readInput('labels.bin');
  if (labels == null) {
    fail('/in/labels.bin is missing');
  } else {
    const matrix = count(parts, classes, type, labels);
    const text = table(matrix) + 'accuracy,' + percent(matrix.perMille);
    if (report == 'table' || shard == 1) output(encode(text + '\n'));
    else output(picture(matrix).png());
    log(text);
  }
}

main();
