// The benchmark of the capability proof for graphics cards: what capability/assembly/index.ts does, in four buffers and in whole numbers only.
// Arguments: log2 of all words, steps of a lane in one dispatch. The walk is dispatched until all steps are done; between dispatches a lane's place
// is in `lanes`.

struct Job {
  shard: u32, shards: u32, round: u32, step: u32,
  seed: array<vec4<u32>, 2>,
  args: array<vec4<u32>, 16>,
}

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read_write> b0: array<u32>;
@group(0) @binding(2) var<storage, read_write> b1: array<u32>;
@group(0) @binding(3) var<storage, read_write> b2: array<u32>;
@group(0) @binding(4) var<storage, read_write> b3: array<u32>;
@group(0) @binding(5) var<storage, read_write> lanes: array<u32>;

const BLOCK = 1024u;
/// Lanes of a row of workgroups: a direction has at most 65,535.
const ROW = 4096u * 64u;

fn seed(i: u32) -> u32 {
  return job.seed[i >> 2u][i & 3u];
}

/// "lowbias32" of Chris Wellons' hash prospector (public domain).
fn mix32(value: u32) -> u32 {
  var x = value;
  x ^= x >> 16u;
  x *= 0x7feb352du;
  x ^= x >> 15u;
  x *= 0x846ca68bu;
  return x ^ (x >> 16u);
}

/// One invocation fills one block, in the quarter that it belongs to.
@compute @workgroup_size(64)
fn fill(@builtin(global_invocation_id) id: vec3<u32>) {
  let bits = job.args[0].x;
  let block = id.x + id.y * ROW;
  if block >= (1u << bits) / BLOCK { return; }
  let quarter = block >> (bits - 12u); // of four, blocks of 2^10 words
  let at = (block & ((1u << (bits - 12u)) - 1u)) * BLOCK;
  var x = mix32(block ^ seed(0u)) ^ seed(1u);
  for (var j = 0u; j < BLOCK; j++) {
    x = mix32(x ^ seed(j & 7u));
    switch quarter {
      case 0u: { b0[at + j] = x; }
      case 1u: { b1[at + j] = x; }
      case 2u: { b2[at + j] = x; }
      default: { b3[at + j] = x; }
    }
  }
}

fn word(i: u32, bits: u32) -> u32 {
  let at = i & ((1u << (bits - 2u)) - 1u);
  switch i >> (bits - 2u) {
    case 0u: { return b0[at]; }
    case 1u: { return b1[at]; }
    case 2u: { return b2[at]; }
    default: { return b3[at]; }
  }
}

/// One invocation takes one lane some steps further.
@compute @workgroup_size(64)
fn walk(@builtin(global_invocation_id) id: vec3<u32>) {
  let lane = id.x + id.y * ROW;
  if lane >= arrayLength(&lanes) { return; }
  let bits = job.args[0].x;
  let steps = job.args[0].y;
  let mask = (1u << bits) - 1u;
  var x = lanes[lane];
  if job.step == 0u { x = mix32(lane ^ seed(2u)) ^ seed(3u); }
  let first = job.step * steps;
  for (var k = 0u; k < steps; k++) {
    x = mix32(x ^ word(x & mask, bits)) + first + k;
  }
  lanes[lane] = x;
}
