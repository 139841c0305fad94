// A bounding volume hierarchy over the mesh, built by the binned surface area heuristic.
import { allocate } from '../../lib/assembly/wasi';
import { Mesh, NORMAL_BYTES, TRIANGLE_BYTES } from './mesh';

/** Bytes of a node: per axis the children's bounds (min a, min b, max a, max b: one vector), then the two references. */
export const NODE_BYTES: usize = 64;
/** Deepest stack that walking the hierarchy can need. */
export const MAX_DEPTH = 96;
const BINS = 16;
const MAX_LEAF = 4;
/** Below this depth triangles are halved by count, so that the depth stays bounded for any model. */
const SPLIT_BY_COUNT_DEPTH = 56;
/** Cost of one step down against one triangle test. */
const STEP_COST: f32 = 0.8;

/** First node. */
export let nodes: usize = 0;
/** A reference is a node's index, or for a leaf ~(first triangle << 3 | triangles). */
export let root: i32 = 0;

let nodeCount = 0;
let mesh: Mesh = new Mesh();
/** Boxes of the triangles, 6 f32 each, in the mesh's order. */
let boxes: usize = 0;
/** The triangles' order, which the build sorts. */
let order: usize = 0;
const bins: usize = memory.data(BINS * 28, 16);
const rightArea: usize = memory.data(BINS * 4, 16);
function boxOf(i: i32): usize {
  return boxes + <usize>load<i32>(order + ((<usize>i) << 2)) * 24;
}

/** Twice the middle of a box along `axis` (as a byte offset). */
function centre(box: usize, axis: usize): f32 {
  return load<f32>(box + axis) + load<f32>(box + axis, 12);
}

function emptyBox(at: usize): void {
  for (let axis: usize = 0; axis < 12; axis += 4) {
    store<f32>(at + axis, f32.MAX_VALUE);
    store<f32>(at + axis, -f32.MAX_VALUE, 12);
  }
}
function growBox(at: usize, by: usize): void {
  for (let axis: usize = 0; axis < 12; axis += 4) {
    store<f32>(at + axis, min(load<f32>(at + axis), load<f32>(by + axis)));
    store<f32>(at + axis, max(load<f32>(at + axis, 12), load<f32>(by + axis, 12)), 12);
  }
}

function areaOf(at: usize): f32 {
  const x = load<f32>(at, 12) - load<f32>(at);
  const y = load<f32>(at, 16) - load<f32>(at, 4);
  const z = load<f32>(at, 20) - load<f32>(at, 8);
  return x * y + y * z + z * x;
}

function prepareBoxes(): void {
  for (let i = 0; i < mesh.count; ++i) {
    const t = mesh.triangles + <usize>i * TRIANGLE_BYTES;
    const box = boxes + <usize>i * 24;
    for (let axis: usize = 0; axis < 12; axis += 4) {
      const a = load<f32>(t + axis);
      const b = a + load<f32>(t + axis, 12);
      const c = a + load<f32>(t + axis, 24);
      // A hair wider than the triangle, so that rounding cannot make a ray miss a flat box.
      const slack: f32 = 1e-6;
      store<f32>(box + axis, min(a, min(b, c)) - slack);
      store<f32>(box + axis, max(a, max(b, c)) + slack, 12);
    }
    store<i32>(order + ((<usize>i) << 2), i);
  }
}

const span: usize = memory.data(24, 16);
let splitAxis: usize = 0;
let splitBin = 0;
let splitScale: f32 = 0;
let splitCost: f32 = 0;
function binOf(box: usize, axis: usize, low: f32, scale: f32): i32 {
  return min(BINS - 1, max(0, <i32>((centre(box, axis) - low) * scale)));
}

/** Finds the cheapest of the bins' borders on the longest axis of the centres, into the split variables. */
function findSplit(first: i32, count: i32): bool {
  emptyBox(span);
  for (let i = first; i < first + count; ++i) {
    const box = boxOf(i);
    for (let axis: usize = 0; axis < 12; axis += 4) {
      const c = centre(box, axis);
      store<f32>(span + axis, min(load<f32>(span + axis), c));
      store<f32>(span + axis, max(load<f32>(span + axis, 12), c), 12);
    }
  }
  splitCost = f32.MAX_VALUE;
  for (let axis: usize = 0; axis < 12; axis += 4) tryAxis(first, count, axis);
  return splitCost < f32.MAX_VALUE;
}

function tryAxis(first: i32, count: i32, axis: usize): void {
  const low = load<f32>(span + axis);
  const extent = load<f32>(span + axis, 12) - low;
  if (!(extent > 1e-9)) return;
  const scale = (<f32>BINS * 0.9999) / extent;
  for (let bin: usize = 0; bin < <usize>BINS; ++bin) {
    emptyBox(bins + bin * 28);
    store<i32>(bins + bin * 28, 0, 24);
  }
  for (let i = first; i < first + count; ++i) {
    const box = boxOf(i);
    const at = bins + <usize>binOf(box, axis, low, scale) * 28;
    growBox(at, box);
    store<i32>(at, load<i32>(at, 24) + 1, 24);
  }
  const grown = memory.data(24, 16);
  emptyBox(grown);
  for (let bin = BINS - 1; bin > 0; --bin) {
    growBox(grown, bins + <usize>bin * 28);
    store<f32>(rightArea + ((<usize>bin) << 2), areaOf(grown));
  }
  emptyBox(grown);
  let left = 0;
  for (let bin = 0; bin < BINS - 1; ++bin) {
    growBox(grown, bins + <usize>bin * 28);
    left += load<i32>(bins + <usize>bin * 28, 24);
    if (left == 0 || left == count) continue;
    const cost = areaOf(grown) * <f32>left + load<f32>(rightArea + ((<usize>(bin + 1)) << 2)) * <f32>(count - left);
    if (cost < splitCost) {
      splitCost = cost;
      splitAxis = axis;
      splitBin = bin;
      splitScale = scale;
    }
  }
}

/** Moves the triangles left of the split to the front and returns where the right ones begin. */
function partition(first: i32, count: i32): i32 {
  const axis = splitAxis;
  const low = load<f32>(span + axis);
  let left = first;
  let right = first + count - 1;
  while (left <= right) {
    if (binOf(boxOf(left), axis, low, splitScale) <= splitBin) {
      ++left;
    } else {
      const a = order + ((<usize>left) << 2);
      const b = order + ((<usize>right) << 2);
      const kept = load<i32>(a);
      store<i32>(a, load<i32>(b));
      store<i32>(b, kept);
      --right;
    }
  }
  return left;
}

/** Boxes of the two children of each node on the way down. */
const childBoxes: usize = memory.data(MAX_DEPTH * 48, 16);

/** Builds over `order[first … first + count)`, writes its box to `box` and returns the reference. */
function build(first: i32, count: i32, depth: i32, box: usize): i32 {
  emptyBox(box);
  for (let i = first; i < first + count; ++i) growBox(box, boxOf(i));
  let middle = first + (count >> 1);
  if (count == 1) return leaf(first, count);
  if (depth < SPLIT_BY_COUNT_DEPTH && findSplit(first, count)) {
    const area = areaOf(box);
    if (count <= MAX_LEAF && splitCost + STEP_COST * area >= area * <f32>count) return leaf(first, count);
    middle = partition(first, count);
  } else if (count <= MAX_LEAF) {
    return leaf(first, count);
  }
  const index = nodeCount++;
  const a = childBoxes + <usize>depth * 48;
  const left = build(first, middle - first, depth + 1, a);
  const right = build(middle, first + count - middle, depth + 1, a + 24);
  putNode(index, a, a + 24, left, right);
  return index;
}

function putNode(index: i32, a: usize, b: usize, left: i32, right: i32): void {
  const node = nodes + <usize>index * NODE_BYTES;
  for (let axis: usize = 0; axis < 12; axis += 4) {
    store<f32>(node + 4 * axis, load<f32>(a + axis));
    store<f32>(node + 4 * axis, load<f32>(b + axis), 4);
    store<f32>(node + 4 * axis, load<f32>(a + axis, 12), 8);
    store<f32>(node + 4 * axis, load<f32>(b + axis, 12), 12);
  }
  store<i32>(node, left, 48);
  store<i32>(node, right, 52);
}

function leaf(first: i32, count: i32): i32 {
  return ~((first << 3) | count);
}

/** Puts the mesh's tables into the order of the leaves, so that a leaf's triangles lie side by side. */
function reorder(): void {
  const triangles = allocate(mesh.count * <i32>TRIANGLE_BYTES).pointer;
  const normals = allocate(mesh.count * <i32>NORMAL_BYTES).pointer;
  for (let i: usize = 0; i < <usize>mesh.count; ++i) {
    const from = <usize>load<i32>(order + (i << 2));
    memory.copy(triangles + i * TRIANGLE_BYTES, mesh.triangles + from * TRIANGLE_BYTES, TRIANGLE_BYTES);
    memory.copy(normals + i * NORMAL_BYTES, mesh.normals + from * NORMAL_BYTES, NORMAL_BYTES);
  }
  mesh.triangles = triangles;
  mesh.normals = normals;
}

/** Builds the hierarchy over `of` and reorders its triangles. */
export function buildHierarchy(whole: Mesh): void {
  mesh = whole;
  boxes = allocate(mesh.count * 24).pointer;
  order = allocate(mesh.count * 4).pointer;
  nodes = (allocate(mesh.count * <i32>NODE_BYTES + 64).pointer + 63) & ~63;
  prepareBoxes();
  root = build(0, mesh.count, 0, memory.data(24, 16));
  reorder();
}
