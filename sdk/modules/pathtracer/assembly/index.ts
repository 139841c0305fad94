// The map module of the render job: path-traces one tile of the image of /in/scene.obj and writes it as PNG.
import { Image, encodePng } from '../../lib/assembly/png';
import { TileGrid } from '../../lib/assembly/tiles';
import { Arguments, allocate, fail, log, output, readInput } from '../../lib/assembly/wasi';
import { buildHierarchy } from './bvh';
import { cameraRay, eyeX, eyeY, eyeZ, frame, rayX, rayY, rayZ } from './camera';
import { prepareLights } from './light';
import { readMaterials } from './material';
import { Mesh, makeMesh } from './mesh';
import { readObj } from './obj';
import { draw, setSeed, startSample, u0, u1 } from './sampler';
import { prepareTone, putPixel } from './tone';
import { outB, outG, outR, prepareTrace, trace } from './trace';

/** Where the spec's own arguments begin. */
const GRID_AT = 2;
const MAX_SAMPLES: i64 = 4096;
const MAX_BOUNCES: i64 = 32;
/** Parts of a tile after each of which the log says how far it is. */
const QUARTERS: i32 = 4;

function loadMesh(): Mesh {
  const colours = readInput('scene.mtl');
  if (colours != null) readMaterials(colours);
  const file = readInput('scene.obj');
  if (file == null) fail('/in/scene.obj is missing');
  return makeMesh(readObj(file!));
}

/** Whether the scene stands on an endless floor: argument 7, absent means yes. */
function wantsFloor(args: Arguments): bool {
  if (args.length <= GRID_AT + 7) return true;
  const word = args.text(GRID_AT + 7, 'ground');
  if (word != 'ground' && word != 'none') fail("argument ground must be 'ground' or 'none', not '" + word + "'");
  return word == 'ground';
}

function main(): void {
  const args = new Arguments();
  const grid = new TileGrid(args, GRID_AT);
  const shard = <i32>args.integer(0, 'shard', 0, i32.MAX_VALUE);
  const shards = <i32>args.integer(1, 'shards', 1, i32.MAX_VALUE);
  const samples = <i32>args.integer(GRID_AT + 4, 'samples', 1, MAX_SAMPLES);
  const bounces = <i32>args.integer(GRID_AT + 5, 'maxBounces', 0, MAX_BOUNCES);
  const seed = args.integer(GRID_AT + 6, 'seed', 0, u32.MAX_VALUE);
  if (shards != grid.count) {
    fail('the image has ' + grid.count.toString() + ' tiles, but the job has ' + shards.toString() + ' shards');
  }
  if (shard >= shards) fail('shard ' + shard.toString() + ' is not below ' + shards.toString());

  const floor = wantsFloor(args);
  const mesh = loadMesh();
  buildHierarchy(mesh);
  prepareLights(mesh);
  frame(mesh, grid.width, grid.height);
  prepareTrace(mesh, floor, bounces);
  prepareTone();
  setSeed(<u32>seed);

  let bits = 0;
  while (1 << bits < samples) ++bits;
  const left = grid.left(shard);
  const top = grid.top(shard);
  const width = grid.widthOf(shard);
  const height = grid.heightOf(shard);
  const image = new Image(width, height, allocate(width * height * 3));
  for (let y = 0; y < height; ++y) {
    // A line of the log in this form is how a module says how far it is.
    if (y > 0 && y % max(1, height / QUARTERS) == 0) log('progress ' + y.toString() + '/' + height.toString());
    for (let x = 0; x < width; ++x) {
      let r: f32 = 0;
      let g: f32 = 0;
      let b: f32 = 0;
      for (let sample = 0; sample < samples; ++sample) {
        startSample(left + x, top + y, sample, bits);
        draw(0);
        cameraRay(left + x, top + y, u0, u1);
        trace(eyeX, eyeY, eyeZ, rayX, rayY, rayZ);
        r += outR;
        g += outG;
        b += outB;
      }
      const share: f32 = 1 / <f32>samples;
      putPixel(image.pixels.pointer + <usize>((y * width + x) * 3), r * share, g * share, b * share);
    }
  }
  output(encodePng(image));
  log(
    'tile ' +
      shard.toString() +
      ' of ' +
      shards.toString() +
      ': ' +
      width.toString() +
      ' x ' +
      height.toString() +
      ' pixels, ' +
      samples.toString() +
      ' samples, ' +
      mesh.count.toString() +
      ' triangles',
  );
}

main();
