// The course of a training as a picture: accuracy from 0 to 100 %, and both losses on a scale of their own.
import { encodePng, Image } from '../../lib/assembly/png';
import { Bytes, allocate } from '../../lib/assembly/wasi';
import { Round } from '../../train/assembly/checkpoint';
import { digitsOf } from './curve';

const WIDTH: i32 = 720;
const HEIGHT: i32 = 400;
const LEFT: i32 = 64;
const RIGHT: i32 = 656;
const TOP: i32 = 48;
const BOTTOM: i32 = 352;
/** Colours as 0xRRGGBB. */
const PAPER: u32 = 0xffffff;
const GRID: u32 = 0xe4e6eb;
const TEXT: u32 = 0x5b6270;
const ACCURACY: u32 = 0x2563eb;
const TRAIN_LOSS: u32 = 0xf59e0b;
const TEST_LOSS: u32 = 0xdc2626;
const PEN: f32 = 2.5;
/** Size of a dot of a letter, and of a letter with its gap. */
const DOT: i32 = 2;
const LETTER: i32 = 4 * DOT;

/** Letters of three by five dots, a row for each digit of an octal number. */
const LETTERS = '0123456789%.ACDEGILNORSTUY';
const SHAPES: StaticArray<u32> = [
  0o75557, 0o26227, 0o71747, 0o71717, 0o55711, 0o74717, 0o74757, 0o71111, 0o75757, 0o75717, 0o51245, 0o00002, 0o25755,
  0o74447, 0o65556, 0o74747, 0o74557, 0o72227, 0o44447, 0o65555, 0o75557, 0o75765, 0o74717, 0o72222, 0o55557, 0o55222,
];

const picture = new Image(WIDTH, HEIGHT, allocate(WIDTH * HEIGHT * 3));

function blend(x: i32, y: i32, colour: u32, share: f32): void {
  if (x < 0 || y < 0 || x >= WIDTH || y >= HEIGHT) return;
  const at = picture.pixels.pointer + <usize>((y * WIDTH + x) * 3);
  for (let channel: u32 = 0; channel < 3; ++channel) {
    const below = <f32>load<u8>(at + channel);
    const above = <f32>((colour >> (16 - 8 * channel)) & 255);
    store<u8>(at + channel, <u8>(below + (above - below) * share + 0.5));
  }
}

function box(left: i32, top: i32, width: i32, height: i32, colour: u32): void {
  for (let y = top; y < top + height; ++y) {
    for (let x = left; x < left + width; ++x) blend(x, y, colour, 1);
  }
}

/** Writes capital letters and digits; `x` is where they begin. */
function write(text: string, x: i32, y: i32, colour: u32): void {
  for (let i = 0; i < text.length; ++i, x += LETTER) {
    const letter = LETTERS.indexOf(text.charAt(i));
    if (letter < 0) continue;
    for (let dot = 0; dot < 15; ++dot) {
      if (SHAPES[letter] & (1 << (14 - dot))) box(x + (dot % 3) * DOT, y + (dot / 3) * DOT, DOT, DOT, colour);
    }
  }
}

/** A line with soft edges. */
function line(ax: f32, ay: f32, bx: f32, by: f32, colour: u32, pen: f32): void {
  const dx = bx - ax;
  const dy = by - ay;
  const length = max<f32>(dx * dx + dy * dy, 0.0001);
  for (let y = <i32>(min(ay, by) - pen); y <= <i32>(max(ay, by) + pen) + 1; ++y) {
    for (let x = <i32>(min(ax, bx) - pen); x <= <i32>(max(ax, bx) + pen) + 1; ++x) {
      const px = <f32>x - ax;
      const py = <f32>y - ay;
      const along = max<f32>(0, min<f32>(1, (px * dx + py * dy) / length));
      const ox = px - along * dx;
      const oy = py - along * dy;
      const share = pen / 2 + 0.5 - Mathf.sqrt(ox * ox + oy * oy);
      if (share > 0) blend(x, y, colour, min<f32>(1, share));
    }
  }
}

function across(round: i32, rounds: i32): f32 {
  return rounds < 2 ? <f32>(LEFT + RIGHT) / 2 : <f32>LEFT + <f32>((RIGHT - LEFT) * round) / <f32>(rounds - 1);
}

function up(share: f32): f32 {
  return <f32>BOTTOM - <f32>(BOTTOM - TOP) * share;
}

/** What of a round is drawn, from 0 to 1. */
function valueOf(round: Round, which: i32, most: f32): f32 {
  if (which == 0) return <f32>round.correct / <f32>max<u32>(round.tested, 1);
  return <f32>(which == 1 ? round.trainLoss : round.testLoss) / most;
}

function curve(rounds: Array<Round>, which: i32, most: f32, colour: u32): void {
  for (let i = 0; i < rounds.length; ++i) {
    const x = across(i, rounds.length);
    const y = up(valueOf(rounds[i], which, most));
    if (i > 0) line(across(i - 1, rounds.length), up(valueOf(rounds[i - 1], which, most)), x, y, colour, PEN);
    line(x, y, x, y, colour, 3 * PEN);
  }
}

function key(name: string, x: i32, colour: u32): void {
  box(x, 20, 24, 4, colour);
  write(name, x + 32, 17, TEXT);
}

/** The picture of all rounds, as a PNG file. */
export function encodeChart(rounds: Array<Round>): Bytes {
  box(0, 0, WIDTH, HEIGHT, PAPER);
  let most: u32 = 1;
  for (let i = 0; i < rounds.length; ++i) most = max(most, max(rounds[i].trainLoss, rounds[i].testLoss));
  for (let quarter = 0; quarter <= 4; ++quarter) {
    const y = <i32>up(<f32>quarter / 4);
    box(LEFT, y, RIGHT - LEFT, 1, GRID);
    const share = (quarter * 25).toString() + '%';
    write(share, LEFT - 12 - share.length * LETTER, y - 5, TEXT);
    write(digitsOf((<u64>most * quarter) / 4 / 10000, 2), RIGHT + 14, y - 5, TEXT);
  }
  for (let i = 0; i < rounds.length; ++i) {
    const number = (i + 1).toString();
    write(number, <i32>across(i, rounds.length) - number.length * DOT * 2 + DOT / 2, BOTTOM + 18, TEXT);
  }
  key('ACCURACY', LEFT, ACCURACY);
  key('LOSS IN TRAINING', LEFT + 150, TRAIN_LOSS);
  key('LOSS IN TEST', LEFT + 360, TEST_LOSS);
  const scale = <f32>most;
  curve(rounds, 1, scale, TRAIN_LOSS);
  curve(rounds, 2, scale, TEST_LOSS);
  curve(rounds, 0, scale, ACCURACY);
  return encodePng(picture);
}
