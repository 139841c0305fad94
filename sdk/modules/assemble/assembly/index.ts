// The reduce module of the render job: reads every tile under /in/tiles and writes the whole image.
import { Image, decodePng, encodePng } from '../../lib/assembly/png';
import { TileGrid } from '../../lib/assembly/tiles';
import { Arguments, allocate, fail, log, output, readInput } from '../../lib/assembly/wasi';

const BYTES_PER_PIXEL = 3;

function place(tile: Image, whole: Image, left: i32, top: i32): void {
  const row = <usize>(tile.width * BYTES_PER_PIXEL);
  for (let y = 0; y < tile.height; ++y) {
    const target = whole.pixels.pointer + <usize>(((top + y) * whole.width + left) * BYTES_PER_PIXEL);
    memory.copy(target, tile.pixels.pointer + <usize>y * row, row);
  }
}

function main(): void {
  const args = new Arguments();
  if (args.integer(1, 'shards', 1, i32.MAX_VALUE) != 1)
    fail('assembling is one piece of work: the spec must have 1 shard');
  const grid = new TileGrid(args, 2);
  const whole = new Image(grid.width, grid.height, allocate(grid.width * grid.height * BYTES_PER_PIXEL));
  for (let i = 0; i < grid.count; ++i) {
    const name = 'tiles/' + i.toString();
    const file = readInput(name);
    if (file == null) {
      fail('/in/' + name + ' is missing: the image needs ' + grid.count.toString() + ' tiles');
    } else {
      place(decodePng(file, grid.widthOf(i), grid.heightOf(i), '/in/' + name), whole, grid.left(i), grid.top(i));
    }
  }
  output(encodePng(whole));
  log('assembled ' + grid.count.toString() + ' tiles');
}

main();
