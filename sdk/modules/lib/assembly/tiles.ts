// How an image is cut into tiles: row-major, the last column and row cut off at the image's edge.
import { Arguments } from './wasi';

/** Largest width or height of an image, in pixels. */
export const MAX_SIDE: i64 = 8192;

/** The grid given by the arguments `width, height, tileWidth, tileHeight`. */
export class TileGrid {
  width: i32;
  height: i32;
  tileWidth: i32;
  tileHeight: i32;

  /** Reads the four numbers from `at` on. */
  constructor(args: Arguments, at: i32) {
    this.width = <i32>args.integer(at, 'width', 1, MAX_SIDE);
    this.height = <i32>args.integer(at + 1, 'height', 1, MAX_SIDE);
    this.tileWidth = <i32>args.integer(at + 2, 'tileWidth', 1, MAX_SIDE);
    this.tileHeight = <i32>args.integer(at + 3, 'tileHeight', 1, MAX_SIDE);
  }

  get columns(): i32 {
    return (this.width + this.tileWidth - 1) / this.tileWidth;
  }

  get rows(): i32 {
    return (this.height + this.tileHeight - 1) / this.tileHeight;
  }

  get count(): i32 {
    return this.columns * this.rows;
  }

  /** First column of pixels of tile `index`. */
  left(index: i32): i32 {
    return (index % this.columns) * this.tileWidth;
  }

  /** First row of pixels of tile `index`. */
  top(index: i32): i32 {
    return (index / this.columns) * this.tileHeight;
  }

  /** Width of tile `index` in pixels. */
  widthOf(index: i32): i32 {
    return min(this.tileWidth, this.width - this.left(index));
  }

  /** Height of tile `index` in pixels. */
  heightOf(index: i32): i32 {
    return min(this.tileHeight, this.height - this.top(index));
  }
}
