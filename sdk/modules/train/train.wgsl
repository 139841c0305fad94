// Trains a network of one hidden layer, scores = W2 · relu(W1 · x + b1) + b2, in whole numbers alone, so that every GPU gives the same
// bits: sdk/modules/train/assembly/fixed.ts is the same arithmetic for processors, docs/jobs.md says what the numbers are.
// Weights have 24 bits after the point, everything that lies between them 16; pixels are 0 to 256. Sums that do not fit wrap around.

struct Job {
  shard: u32, shards: u32, round: u32, step: u32,
  seed: array<vec4<u32>, 2>,
  // images, pixels, hidden, classes; epochs, batch, rate (16 bits after the point), seed; round of the training, steps of an epoch
  args: array<vec4<u32>, 16>,
}
@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
// W1 (hidden × pixels), b1, W2 (classes × hidden), b2.
@group(0) @binding(3) var<storage, read_write> weights: array<i32>;
// The file's head: its seventh word is the loss.
@group(0) @binding(4) var<storage, read_write> head: array<u32>;
// The images of this shard in the epoch's order; then the epoch's loss so far, then that of each image of the batch.
@group(0) @binding(5) var<storage, read_write> order: array<u32>;
// For each image of the batch: the middle layer, each class's distance from the truth, what the middle layer has to do with it.
@group(0) @binding(6) var<storage, read_write> middle: array<i32>;
@group(0) @binding(7) var<storage, read_write> far: array<i32>;
@group(0) @binding(8) var<storage, read_write> back: array<i32>;

fn pixels() -> u32 { return job.args[0].y; }
fn hidden() -> u32 { return job.args[0].z; }
fn classes() -> u32 { return job.args[0].w; }
fn batch() -> u32 { return job.args[1].y; }
fn steps() -> u32 { return job.args[2].y; }

// Where this shard's images begin, and how many they are.
fn first() -> u32 { return job.args[0].x * job.shard / job.shards; }
fn count() -> u32 { return job.args[0].x * (job.shard + 1u) / job.shards - first(); }

// Images of this step, and where in the order they begin. The last step of a shard with one image less may have none.
fn start() -> u32 { return min((job.round % steps()) * batch(), count()); }
fn size() -> u32 { return min(batch(), count() - start()); }

// PCG-RXS-M-XS, 32 bits.
fn scramble(x: u32) -> u32 {
  let state = x * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

// a · b / 65536, rounded to the nearest, by halves: there are no numbers of 64 bits.
fn mul(a: i32, b: i32) -> i32 {
  let al = bitcast<u32>(a) & 0xffffu;
  let bl = bitcast<u32>(b) & 0xffffu;
  return (a >> 16u) * b + bitcast<i32>(al) * (b >> 16u) + bitcast<i32>((al * bl + 0x8000u) >> 16u);
}

// 24 bits after the point to 16.
fn narrow(weight: i32) -> i32 { return (weight + 128) >> 8u; }

// A pixel from 0 to 256: 255 is white.
fn pixel(image: u32, place: u32) -> i32 {
  let byte = (images[(image * pixels() + place) / 4u] >> (8u * (place % 4u))) & 255u;
  return bitcast<i32>(byte + (byte >> 7u));
}

fn label(image: u32) -> u32 { return (labels[image / 4u] >> (8u * (image % 4u))) & 255u; }

fn part(value: u32, bits: u32, bit: u32, factor: u32) -> u32 {
  return select(value, (value * factor) >> 16u, (bits & bit) != 0u);
}

// e to the power of -x.
fn falling(x: u32) -> u32 {
  if (x >= 786432u) { return 0u; }
  let y = bitcast<u32>(mul(bitcast<i32>(x), 94548));
  var value = 65536u;
  value = part(value, y, 0x8000u, 46341u);
  value = part(value, y, 0x4000u, 55109u);
  value = part(value, y, 0x2000u, 60097u);
  value = part(value, y, 0x1000u, 62757u);
  value = part(value, y, 0x0800u, 64132u);
  value = part(value, y, 0x0400u, 64830u);
  value = part(value, y, 0x0200u, 65182u);
  value = part(value, y, 0x0100u, 65359u);
  value = part(value, y, 0x0080u, 65447u);
  value = part(value, y, 0x0040u, 65492u);
  value = part(value, y, 0x0020u, 65514u);
  value = part(value, y, 0x0010u, 65525u);
  value = part(value, y, 0x0008u, 65530u);
  value = part(value, y, 0x0004u, 65533u);
  value = part(value, y, 0x0002u, 65535u);
  value = part(value, y, 0x0001u, 65535u);
  return value >> (y >> 16u);
}

// Logarithm to the base of two of a whole number from 1 on, 12 bits after the point.
fn binary(value: u32) -> u32 {
  var whole = 0u;
  for (var left = value; left > 1u; left = left >> 1u) { whole += 1u; }
  var x = select(value << (15u - min(whole, 15u)), value >> (max(whole, 15u) - 15u), whole > 15u);
  var bits = 0u;
  for (var i = 0u; i < 12u; i += 1u) {
    x = (x * x) >> 15u;
    let one = x >> 16u;
    bits = 2u * bits + one;
    x = x >> one;
  }
  return (whole << 12u) + bits;
}

// The order of the images, anew in each epoch.
@compute @workgroup_size(1)
fn shuffle() {
  if (job.round % steps() != 0u) { return; }
  let epoch = job.round / steps();
  let all = count();
  if (epoch == 0u) {
    for (var i = 0u; i < all; i += 1u) { order[i] = first() + i; }
  }
  order[all] = 0u;
  var state = scramble(job.args[1].w ^ scramble(job.args[2].x ^ scramble(job.shard + 1u + scramble(epoch))));
  for (var i = all - 1u; i > 0u; i -= 1u) {
    state = scramble(state);
    let j = state % (i + 1u);
    let moved = order[i];
    order[i] = order[j];
    order[j] = moved;
  }
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= size() * hidden()) { return; }
  let unit = id.x % hidden();
  let image = order[start() + id.x / hidden()];
  var sum = narrow(weights[hidden() * pixels() + unit]);
  for (var i = 0u; i < pixels(); i += 4u) {
    let at = unit * pixels() + i;
    let four = narrow(weights[at]) * pixel(image, i) + narrow(weights[at + 1u]) * pixel(image, i + 1u)
      + narrow(weights[at + 2u]) * pixel(image, i + 2u) + narrow(weights[at + 3u]) * pixel(image, i + 3u);
    sum += (four + 128) >> 8u;
  }
  middle[id.x] = max(sum, 0);
}

@compute @workgroup_size(64)
fn score(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= size() * classes()) { return; }
  let item = id.x / classes();
  let k = id.x % classes();
  let second = hidden() * (pixels() + 1u);
  var sum = narrow(weights[second + classes() * hidden() + k]);
  for (var j = 0u; j < hidden(); j += 1u) {
    sum += mul(narrow(weights[second + k * hidden() + j]), middle[item * hidden() + j]);
  }
  far[id.x] = sum;
}

@compute @workgroup_size(64)
fn compare(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= size()) { return; }
  let row = id.x * classes();
  var highest = far[row];
  for (var k = 1u; k < classes(); k += 1u) { highest = max(highest, far[row + k]); }
  var total = 0u;
  for (var k = 0u; k < classes(); k += 1u) {
    let chance = falling(bitcast<u32>(highest - far[row + k]));
    far[row + k] = bitcast<i32>(chance);
    total += chance;
  }
  let truth = label(order[start() + id.x]);
  let right = max(bitcast<u32>(far[row + truth]), 1u);
  order[count() + 1u + id.x] = ((binary(total) - binary(right)) * 2839u) >> 12u;
  for (var k = 0u; k < classes(); k += 1u) {
    let share = bitcast<i32>(((bitcast<u32>(far[row + k]) << 15u) / total) << 1u);
    far[row + k] = share - select(0, 65536, k == truth);
  }
}

@compute @workgroup_size(64)
fn blame(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= size() * hidden()) { return; }
  let item = id.x / hidden();
  let unit = id.x % hidden();
  let second = hidden() * (pixels() + 1u);
  var sum = 0;
  // Where the rectifier gave nothing, nothing can be learnt.
  if (middle[id.x] > 0) {
    for (var k = 0u; k < classes(); k += 1u) {
      sum += mul(narrow(weights[second + k * hidden() + unit]), far[item * classes() + k]);
    }
  }
  back[id.x] = sum;
}

@compute @workgroup_size(64)
fn learn(@builtin(global_invocation_id) id: vec3<u32>) {
  let n = id.x;
  let items = size();
  if (n == 0u) {
    for (var item = 0u; item < items; item += 1u) { order[count()] += order[count() + 1u + item]; }
    // Of the last epoch, in millionths.
    if (job.round + 1u == job.args[1].x * steps()) { head[6] = order[count()] / count() * 15625u / 64u; }
  }
  let first_layer = hidden() * pixels();
  let second = first_layer + hidden();
  let bias = second + classes() * hidden();
  if (n >= bias + classes() || items == 0u) { return; }
  var sum = 0;
  for (var item = 0u; item < items; item += 1u) {
    if (n < first_layer) {
      sum += back[item * hidden() + n / pixels()] * pixel(order[start() + item], n % pixels());
    } else if (n < second) {
      sum += back[item * hidden() + n - first_layer] << 8u;
    } else if (n < bias) {
      sum += mul(far[item * classes() + (n - second) / hidden()] << 8u, middle[item * hidden() + (n - second) % hidden()]);
    } else {
      sum += far[item * classes() + n - bias] << 8u;
    }
  }
  weights[n] -= mul(sum, bitcast<i32>(job.args[1].z)) / bitcast<i32>(items);
}
