// Rays through the hierarchy: the nearest hit, and how much light passes between two points.
import { MAX_DEPTH, NODE_BYTES, nodes, root } from './bvh';
import { GLASS, MATERIAL_BYTES, materials } from './material';
import { Mesh, TRIANGLE_BYTES } from './mesh';

/** Hits nearer than this, in units of the model's radius, are the surface that the ray left. */
export const NEAR: f32 = 1e-4;
/** No ray is followed further than this. */
export const FAR: f32 = 1e9;

/** Distance of the last nearest hit, and its place on the triangle. */
export let hitT: f32 = 0;
export let hitU: f32 = 0;
export let hitV: f32 = 0;
/** What share of red, green and blue passed the last `passes`. */
export let passR: f32 = 0;
export let passG: f32 = 0;
export let passB: f32 = 0;

const stack: usize = memory.data(MAX_DEPTH * 8, 16);
let triangles: usize = 0;

/** Takes the mesh whose hierarchy was built last. */
export function prepareWalk(mesh: Mesh): void {
  triangles = mesh.triangles;
}

/** A direction's component that can be divided by. */
function divisor(d: f32): f32 {
  return abs(d) < 1e-12 ? copysign<f32>(1e-12, d) : d;
}

// Both children's boxes are tested at once, in vectors of (a enters, b enters, -a leaves, -b leaves): with the leaving
// distances negated, one maximum over the axes narrows all four.

/** What bounds along one axis are multiplied with to become distances. */
function slope(d: f32): v128 {
  const inverse: f32 = 1 / d;
  return f32x4(inverse, inverse, -inverse, -inverse);
}

/** What is added then, for a ray that starts at `o`. */
function start(o: f32, k: v128): v128 {
  return f32x4.mul(f32x4.splat(-o), k);
}

/** The order in which a node's bounds along one axis are met: maxima first where the ray runs backwards. */
function turn(d: f32): v128 {
  return d < 0
    ? i8x16(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
    : i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

/** The part of the ray from its start to `limit`, in the same form. */
function window(limit: f32): v128 {
  return f32x4(0, 0, -limit, -limit);
}

/** Distance at which the ray meets triangle `t`, with its place in `hitU` and `hitV`; -1 outside (`NEAR`, limit). */
function meet(t: usize, ox: f32, oy: f32, oz: f32, dx: f32, dy: f32, dz: f32, limit: f32): f32 {
  const ux = load<f32>(t, 12);
  const uy = load<f32>(t, 16);
  const uz = load<f32>(t, 20);
  const vx = load<f32>(t, 24);
  const vy = load<f32>(t, 28);
  const vz = load<f32>(t, 32);
  const px = dy * vz - dz * vy;
  const py = dz * vx - dx * vz;
  const pz = dx * vy - dy * vx;
  const scale: f32 = 1 / (ux * px + uy * py + uz * pz);
  const fx = ox - load<f32>(t);
  const fy = oy - load<f32>(t, 4);
  const fz = oz - load<f32>(t, 8);
  const u = (fx * px + fy * py + fz * pz) * scale;
  // Comparisons are written so that the NaN and infinities of an edge-on triangle are misses.
  if (!(u >= 0 && u <= 1)) return -1;
  const qx = fy * uz - fz * uy;
  const qy = fz * ux - fx * uz;
  const qz = fx * uy - fy * ux;
  const v = (dx * qx + dy * qy + dz * qz) * scale;
  if (!(v >= 0 && u + v <= 1)) return -1;
  const distance = (vx * qx + vy * qy + vz * qz) * scale;
  if (!(distance > NEAR && distance < limit)) return -1;
  hitU = u;
  hitV = v;
  return distance;
}

/** The nearest triangle on the ray between `NEAR` and `limit`, or -1. */
export function nearest(ox: f32, oy: f32, oz: f32, dx: f32, dy: f32, dz: f32, limit: f32): i32 {
  const kx = slope(divisor(dx));
  const ky = slope(divisor(dy));
  const kz = slope(divisor(dz));
  const ox4 = start(ox, kx);
  const oy4 = start(oy, ky);
  const oz4 = start(oz, kz);
  const turnX = turn(dx);
  const turnY = turn(dy);
  const turnZ = turn(dz);

  let best: i32 = -1;
  let bestT = limit;
  let limits = window(limit);
  let top: usize = stack;
  let reference = root;
  while (true) {
    if (reference >= 0) {
      const node = nodes + <usize>reference * NODE_BYTES;
      const tx = f32x4.add(f32x4.mul(i8x16.swizzle(v128.load(node), turnX), kx), ox4);
      const ty = f32x4.add(f32x4.mul(i8x16.swizzle(v128.load(node, 16), turnY), ky), oy4);
      const tz = f32x4.add(f32x4.mul(i8x16.swizzle(v128.load(node, 32), turnZ), kz), oz4);
      const span = f32x4.pmax(f32x4.pmax(tx, ty), f32x4.pmax(tz, limits));
      const hits = i32x4.bitmask(f32x4.le(span, f32x4.neg(v128.shuffle<f32>(span, span, 2, 3, 2, 3)))) & 3;
      if (hits == 3) {
        const left = load<i32>(node, 48);
        const right = load<i32>(node, 52);
        const leftIn = f32x4.extract_lane(span, 0);
        const rightIn = f32x4.extract_lane(span, 1);
        const swap = rightIn < leftIn;
        store<i32>(top, swap ? left : right);
        store<f32>(top, swap ? leftIn : rightIn, 4);
        top += 8;
        reference = swap ? right : left;
        continue;
      }
      if (hits != 0) {
        reference = load<i32>(node + (hits == 1 ? 48 : 52));
        continue;
      }
    } else {
      const leaf = ~reference;
      let index = leaf >> 3;
      for (let left = leaf & 7; left > 0; --left, ++index) {
        const t = triangles + <usize>index * TRIANGLE_BYTES;
        const distance = meet(t, ox, oy, oz, dx, dy, dz, bestT);
        if (distance < 0) continue;
        bestT = distance;
        limits = window(distance);
        best = index;
      }
    }
    // Boxes that were pushed before a nearer hit was found are passed over.
    do {
      if (top == stack) {
        hitT = bestT;
        return best;
      }
      top -= 8;
    } while (load<f32>(top, 4) > bestT);
    reference = load<i32>(top);
  }
}

/**
 * Whether light passes along the ray up to `limit`. Glass lets through a share that falls towards grazing angles
 * instead of bending it: that gives bright-centred shadows without the noise of true caustics.
 */
export function passes(ox: f32, oy: f32, oz: f32, dx: f32, dy: f32, dz: f32, limit: f32): bool {
  const kx = slope(divisor(dx));
  const ky = slope(divisor(dy));
  const kz = slope(divisor(dz));
  const ox4 = start(ox, kx);
  const oy4 = start(oy, ky);
  const oz4 = start(oz, kz);
  const turnX = turn(dx);
  const turnY = turn(dy);
  const turnZ = turn(dz);
  const limits = window(limit);
  passR = 1;
  passG = 1;
  passB = 1;

  let top: usize = stack;
  let reference = root;
  while (true) {
    if (reference >= 0) {
      const node = nodes + <usize>reference * NODE_BYTES;
      const tx = f32x4.add(f32x4.mul(i8x16.swizzle(v128.load(node), turnX), kx), ox4);
      const ty = f32x4.add(f32x4.mul(i8x16.swizzle(v128.load(node, 16), turnY), ky), oy4);
      const tz = f32x4.add(f32x4.mul(i8x16.swizzle(v128.load(node, 32), turnZ), kz), oz4);
      const span = f32x4.pmax(f32x4.pmax(tx, ty), f32x4.pmax(tz, limits));
      const hits = i32x4.bitmask(f32x4.le(span, f32x4.neg(v128.shuffle<f32>(span, span, 2, 3, 2, 3)))) & 3;
      if (hits == 3) {
        store<i32>(top, load<i32>(node, 52));
        top += 8;
        reference = load<i32>(node, 48);
        continue;
      }
      if (hits != 0) {
        reference = load<i32>(node + (hits == 1 ? 48 : 52));
        continue;
      }
    } else {
      const leaf = ~reference;
      let index = leaf >> 3;
      for (let left = leaf & 7; left > 0; --left, ++index) {
        const t = triangles + <usize>index * TRIANGLE_BYTES;
        if (meet(t, ox, oy, oz, dx, dy, dz, limit) < 0) continue;
        const material = materials + <usize>load<i32>(t, 36) * MATERIAL_BYTES;
        if (load<i32>(material) != GLASS) return false;
        const share = glassShare(t, dx, dy, dz);
        passR *= load<f32>(material, 4) * share;
        passG *= load<f32>(material, 8) * share;
        passB *= load<f32>(material, 12) * share;
      }
    }
    if (top == stack) return passR + passG + passB > 1e-3;
    top -= 8;
    reference = load<i32>(top);
  }
}

/** What one surface of glass lets through in a shadow: more than all in the middle, where a lens gathers it. */
function glassShare(t: usize, dx: f32, dy: f32, dz: f32): f32 {
  const ux = load<f32>(t, 12);
  const uy = load<f32>(t, 16);
  const uz = load<f32>(t, 20);
  const vx = load<f32>(t, 24);
  const vy = load<f32>(t, 28);
  const vz = load<f32>(t, 32);
  const nx = uy * vz - uz * vy;
  const ny = uz * vx - ux * vz;
  const nz = ux * vy - uy * vx;
  const facing = dx * nx + dy * ny + dz * nz;
  const square: f32 = (facing * facing) / (nx * nx + ny * ny + nz * nz);
  return 0.2 + 1.05 * square * square;
}
