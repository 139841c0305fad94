// The Mandelbrot set, one tile a shard, in whole numbers only: every GPU and every processor makes the same pixels.
// Coordinates are fixed point with 26 bits after the point, so they reach from -32 to 32.

struct Job {
  shard: u32, shards: u32, round: u32, step: u32,
  seed: array<vec4<u32>, 2>,
  args: array<vec4<u32>, 16>,
}

@group(0) @binding(0) var<uniform> job: Job;
/// Squares of red, green and blue, added up over the samples of a pixel.
@group(0) @binding(1) var<storage, read_write> sums: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> pixels: array<u32>;

const POINT = 26u;
const ONE = 1u << POINT;

fn arg(i: u32) -> u32 {
  return job.args[i >> 2u][i & 3u];
}

// Arguments, in the order in which the template gives them.
const COLUMNS = 0u; // tiles in a row
const TILE_WIDTH = 1u;
const TILE_HEIGHT = 2u;
const LEFT = 3u; // real part of the image's left edge
const TOP = 4u; // imaginary part of its upper edge
const PIXEL = 5u; // distance of two samples
const GRID = 6u; // samples of a pixel in one direction
const ITERATIONS = 7u;

/// a · b, cut off towards zero. The product must be below 32.
fn product(a: i32, b: i32) -> i32 {
  let x = u32(abs(a));
  let y = u32(abs(b));
  let xh = x >> 16u;
  let xl = x & 0xffffu;
  let yh = y >> 16u;
  let yl = y & 0xffffu;
  let size = ((xh * yh) << (32u - POINT)) + ((xh * yl + xl * yh + ((xl * yl) >> 16u)) >> (POINT - 16u));
  return select(i32(size), -i32(size), (a ^ b) < 0);
}

/// |x + iy|² with 20 bits after the point, for numbers below 32.
fn distance_squared(x: i32, y: i32) -> u32 {
  let a = u32(abs(x)) >> 16u;
  let b = u32(abs(y)) >> 16u;
  return a * a + b * b;
}

/// The binary logarithm of x > 0 with 16 bits after the point, by squaring.
fn log_two(x: u32) -> u32 {
  let whole = 31u - countLeadingZeros(x);
  // 15 bits after the point, from 1 up to 2.
  var rest = select(x << (15u - min(whole, 15u)), x >> (max(whole, 15u) - 15u), whole > 15u);
  var result = whole << 16u;
  for (var bit = 15u; bit >= 4u; bit -= 1u) {
    rest = (rest * rest) >> 15u;
    if rest >= 65536u {
      rest >>= 1u;
      result |= 1u << bit;
    }
  }
  return result;
}

/// From a to b, evenly, for t from 0 to 256.
fn blend(a: vec3<u32>, b: vec3<u32>, t: u32) -> vec3<u32> {
  return (a * (256u - t) + b * t + 128u) >> vec3<u32>(8u);
}

/// A circle of colours, t from 0 to 65535 once around.
fn palette(t: u32) -> vec3<u32> {
  var stops = array<vec3<u32>, 7>(
    vec3<u32>(6u, 8u, 44u), vec3<u32>(18u, 66u, 150u), vec3<u32>(70u, 160u, 214u), vec3<u32>(244u, 250u, 236u),
    vec3<u32>(252u, 178u, 52u), vec3<u32>(160u, 46u, 30u), vec3<u32>(34u, 8u, 40u),
  );
  let place = (t & 0xffffu) * 7u;
  let at = place >> 16u;
  let s = (place & 0xffffu) >> 8u;
  // 3s² - 2s³, so that no edge shows where two stops meet.
  let eased = (s * s * (768u - 2u * s)) >> 16u;
  return blend(stops[at], stops[(at + 1u) % 7u], eased);
}

/// The colour of a point that left after `turns`, when it was |z|² away: a smooth count of turns, by the logarithm of itself.
fn outside(turns: u32, away: u32) -> vec3<u32> {
  // n + 1 - log2(log2 |z| / log2 4), each with 16 bits after the point; `away` carries 20.
  let length = (log_two(away) - (20u << 16u)) >> 1u;
  let part = log_two(length >> 1u) - (16u << 16u);
  let smoothed = ((turns + 2u) << 16u) - min(part, 65535u);
  // A colour's turn for each 1.6 doublings of the count.
  return palette(((log_two(smoothed >> 4u) - (12u << 16u)) * 10u) / 16u);
}

/// The colour of a point that stayed, by how near it came to zero.
fn inside(nearest: u32) -> vec3<u32> {
  let glow = min(nearest >> 10u, 256u);
  return blend(vec3<u32>(10u, 12u, 30u), vec3<u32>(2u, 2u, 6u), glow);
}

/// Step k is sample k of every pixel of the tile.
@compute @workgroup_size(8, 8)
fn sample_tile(@builtin(global_invocation_id) id: vec3<u32>) {
  if id.x >= arg(TILE_WIDTH) || id.y >= arg(TILE_HEIGHT) {
    return;
  }
  let grid = arg(GRID);
  let column = (job.shard % arg(COLUMNS)) * arg(TILE_WIDTH) + id.x;
  let row = (job.shard / arg(COLUMNS)) * arg(TILE_HEIGHT) + id.y;
  let cx = i32(arg(LEFT)) + i32((column * grid + job.step % grid) * arg(PIXEL));
  let cy = i32(arg(TOP)) - i32((row * grid + job.step / grid) * arg(PIXEL));
  var x = 0;
  var y = 0;
  var away = 0u;
  var nearest = 0xffffffffu;
  var turns = 0u;
  for (; turns < arg(ITERATIONS); turns += 1u) {
    // x² - y² with one product; below 16, because the point is still here.
    let next = product(x + y, x - y) + cx;
    y = 2 * product(x, y) + cy;
    x = next;
    away = distance_squared(x, y);
    if away >= 16u << 20u {
      break;
    }
    nearest = min(nearest, away);
  }
  var colour = inside(nearest);
  if turns < arg(ITERATIONS) {
    colour = outside(turns, away);
  }
  let at = id.y * arg(TILE_WIDTH) + id.x;
  sums[at] += vec4<u32>(colour * colour, 0u);
}

fn root(x: u32) -> u32 {
  var low = 0u;
  for (var bit = 128u; bit > 0u; bit >>= 1u) {
    let tried = low | bit;
    low = select(low, tried, tried * tried <= x);
  }
  return low;
}

/// The root of the mean of squares: light adds up, its display does not.
@compute @workgroup_size(8, 8)
fn resolve(@builtin(global_invocation_id) id: vec3<u32>) {
  if id.x >= arg(TILE_WIDTH) || id.y >= arg(TILE_HEIGHT) {
    return;
  }
  let at = id.y * arg(TILE_WIDTH) + id.x;
  let mean = sums[at] / vec4<u32>(arg(GRID) * arg(GRID));
  pixels[at] = root(mean.x) | (root(mean.y) << 8u) | (root(mean.z) << 16u) | 0xff000000u;
}
