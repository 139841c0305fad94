/** Programs for the smallest container images: one that shows files, and one that draws. For Linux on x64. */
import { Code, elfOf } from './x64.ts';

const CALL = { read: 0, write: 1, open: 2, exit: 60 } as const;
const POINTER = 8;
const BUFFER = 65_536;

/** Writes the files that its arguments name to stdout, one after the other. Leaves out what cannot be opened, and then ends with 1. */
export function showFiles(): Uint8Array {
  const code = new Code()
    .op('mov', 'rbx', 'rsp')
    .add('rbx', POINTER)
    .add('rsp', -BUFFER)
    .set('r12', 0)
    .at('next')
    .add('rbx', POINTER)
    .load('rdi', 'rbx')
    .op('test', 'rdi', 'rdi')
    .jump('done', 'zero')
    .set('rsi', 0)
    .set('rdx', 0)
    .system(CALL.open)
    .op('test', 'rax', 'rax')
    .jump('failed', 'negative')
    .op('mov', 'rbp', 'rax')
    .at('piece')
    .op('mov', 'rdi', 'rbp')
    .op('mov', 'rsi', 'rsp')
    .set('rdx', BUFFER)
    .system(CALL.read)
    .op('test', 'rax', 'rax')
    .jump('next', 'notPositive')
    .op('mov', 'rdx', 'rax')
    .set('rdi', 1)
    .op('mov', 'rsi', 'rsp')
    .system(CALL.write)
    .jump('piece')
    .at('failed')
    .set('r12', 1)
    .jump('next')
    .at('done')
    .op('mov', 'rdi', 'r12')
    .system(CALL.exit);
  return elfOf(code.assemble());
}

/** Bits after the point of the fractal's coordinates. */
const FRACTION = 28;
const TABLE_COLOURS = 256;
const BITMAP_HEAD = 54;

/** What is drawn: the plane from `left` and `top` (units of 2⁻²⁸) on, `step` between pixels. */
export interface Fractal {
  readonly width: number;
  /** Rows of the whole picture, and of each shard. */
  readonly height: number;
  readonly rows: number;
  readonly left: number;
  readonly top: number;
  readonly step: number;
  /** At most 255. */
  readonly turns: number;
}

/**
 * Draws the rows of one shard, whose number is its argument, one byte a pixel. The first shard writes the head of a bitmap before its rows,
 * so that all shards one after the other are a BMP file.
 */
export function drawFractal(fractal: Fractal): Uint8Array {
  const { width, rows, left, top, step, turns } = fractal;
  const head = bitmapHead(fractal);
  const code = new Code()
    .op('mov', 'rbx', 'rsp')
    .add('rbx', 2 * POINTER)
    .load('rbx', 'rbx')
    .add('rsp', -BUFFER)
    .set('r12', 0)
    .at('digit')
    .loadByte('rax', 'rbx')
    .op('test', 'rax', 'rax')
    .jump('parsed', 'zero')
    .scale('r12', 10)
    .op('add', 'r12', 'rax')
    .add('r12', -48)
    .add('rbx', 1)
    .jump('digit')
    .at('parsed')
    .op('test', 'r12', 'r12')
    .jump('rows', 'notZero')
    .set('rdi', 1)
    .address('rsi', 'head')
    .set('rdx', head.length)
    .system(CALL.write)
    .at('rows')
    .scale('r12', rows)
    .set('r13', rows)
    .at('row')
    .set('r14', 0)
    .op('mov', 'r15', 'rsp')
    .at('pixel')
    .op('mov', 'r8', 'r14')
    .scale('r8', step)
    .add('r8', left)
    .op('mov', 'r9', 'r12')
    .scale('r9', -step)
    .add('r9', top)
    .set('r10', 0)
    .set('rbx', 0)
    .set('rbp', turns)
    .at('turn')
    .op('mov', 'rax', 'r10')
    .times('rax', 'rax')
    .shift('rax', FRACTION)
    .op('mov', 'rdx', 'rbx')
    .times('rdx', 'rdx')
    .shift('rdx', FRACTION)
    .op('mov', 'rsi', 'rax')
    .op('add', 'rsi', 'rdx')
    .compare('rsi', 2 ** (FRACTION + 2))
    .jump('gone', 'greater')
    .times('rbx', 'r10')
    .shift('rbx', FRACTION - 1)
    .op('add', 'rbx', 'r9')
    .op('sub', 'rax', 'rdx')
    .op('add', 'rax', 'r8')
    .op('mov', 'r10', 'rax')
    .add('rbp', -1)
    .jump('turn', 'notZero')
    .at('gone')
    .storeByte('r15', 'rbp')
    .add('r15', 1)
    .add('r14', 1)
    .compare('r14', width)
    .jump('pixel', 'below')
    .set('rdi', 1)
    .op('mov', 'rsi', 'rsp')
    .set('rdx', width)
    .system(CALL.write)
    .add('r12', 1)
    .add('r13', -1)
    .jump('row', 'notZero')
    .set('rdi', 0)
    .system(CALL.exit)
    .at('head')
    .data(head);
  return elfOf(code.assemble());
}

/** The head of a BMP file of one byte a pixel, its rows from the top down, and its colours: those that left late are bright. */
export function bitmapHead({ width, height, turns }: Pick<Fractal, 'width' | 'height' | 'turns'>): Uint8Array {
  const head = new Uint8Array(BITMAP_HEAD + 4 * TABLE_COLOURS);
  const view = new DataView(head.buffer);
  head.set([0x42, 0x4d]);
  view.setUint32(2, head.length + width * height, true);
  view.setUint32(10, head.length, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, -height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 8, true);
  view.setUint32(34, width * height, true);
  view.setUint32(46, TABLE_COLOURS, true);
  for (let left = 1; left < TABLE_COLOURS; left += 1) {
    const part = Math.max(0, 1 - left / turns);
    const [red, green, blue] = [
      9 * (1 - part) * part ** 3,
      15 * (1 - part) ** 2 * part ** 2,
      8.5 * (1 - part) ** 3 * part,
    ];
    head.set(
      [blue, green, red].map((share) => Math.round(255 * Math.min(1, share))),
      BITMAP_HEAD + 4 * left,
    );
  }
  return head;
}
