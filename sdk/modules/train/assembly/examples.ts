// Labelled images in the IDX format of the MNIST data sets: http://yann.lecun.com/exdb/mnist describes it.
import { Bytes, fail, readInput } from '../../lib/assembly/wasi';

const IMAGES_MAGIC: u32 = 0x00000803;
const LABELS_MAGIC: u32 = 0x00000801;
const IMAGES_HEAD: i32 = 16;
const LABELS_HEAD: i32 = 8;
/** More pixels than this cannot be one image of a small network. */
const MAX_PIXELS: u32 = 65536;

function bigEndian(at: usize): u32 {
  return bswap<u32>(load<u32>(at));
}

function read(name: string, magic: u32, head: i32): Bytes {
  const file = readInput(name);
  if (file == null) fail('/in/' + name + ' is missing');
  if (file!.size < head || bigEndian(file!.pointer) != magic) fail('/in/' + name + ': not an IDX file of bytes');
  return file!;
}

/** Images of grey pixels, one byte each, and what each of them shows. */
export class Examples {
  count: i32;
  /** Pixels of one image; a multiple of four. */
  pixels: i32;
  private images: usize;
  private labels: usize;

  /** Reads `/in/<name>-images.idx` and `/in/<name>-labels.idx`. Labels are below `classes`. */
  constructor(name: string, classes: i32) {
    const images = read(name + '-images.idx', IMAGES_MAGIC, IMAGES_HEAD);
    const labels = read(name + '-labels.idx', LABELS_MAGIC, LABELS_HEAD);
    const count = bigEndian(images.pointer + 4);
    const height = bigEndian(images.pointer + 8);
    const width = bigEndian(images.pointer + 12);
    if (height > MAX_PIXELS || width > MAX_PIXELS || height * width > MAX_PIXELS || height * width == 0) {
      fail('/in/' + name + '-images.idx: its images are ' + height.toString() + ' x ' + width.toString() + ' pixels');
    }
    if ((height * width) % 4 != 0) fail('/in/' + name + '-images.idx: the pixels of an image must be a multiple of 4');
    if (<u64>images.size != <u64>IMAGES_HEAD + <u64>count * <u64>(height * width)) {
      fail('/in/' + name + '-images.idx: it has ' + images.size.toString() + ' bytes, not those of its images');
    }
    if (<u64>labels.size != <u64>LABELS_HEAD + <u64>count || bigEndian(labels.pointer + 4) != count) {
      fail('/in/' + name + '-labels.idx: it does not have a label for each of the ' + count.toString() + ' images');
    }
    if (count == 0) fail('/in/' + name + '-images.idx: it has no images');
    this.count = <i32>count;
    this.pixels = <i32>(height * width);
    this.images = images.pointer + IMAGES_HEAD;
    this.labels = labels.pointer + LABELS_HEAD;
    for (let i = 0; i < this.count; ++i) {
      if (this.label(i) < classes) continue;
      fail('/in/' + name + '-labels.idx: label ' + this.label(i).toString() + ' is not below ' + classes.toString());
    }
  }

  label(index: i32): i32 {
    return load<u8>(this.labels + <usize>index);
  }

  /** Writes image `index` as whole numbers from 0 to 256, of which 256 is white. */
  copyWhole(index: i32, target: StaticArray<i32>): void {
    const from = this.images + <usize>index * <usize>this.pixels;
    for (let i = 0; i < this.pixels; ++i) {
      const byte = <i32>load<u8>(from + <usize>i);
      target[i] = byte + (byte >> 7);
    }
  }

  /** Writes image `index` as numbers from 0 to 1 to `target`. */
  copy(index: i32, target: usize): void {
    const from = this.images + <usize>index * <usize>this.pixels;
    for (let i: usize = 0; i < <usize>this.pixels; ++i) {
      store<f32>(target + 4 * i, <f32>load<u8>(from + i) / 255);
    }
  }
}
