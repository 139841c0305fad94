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

/** The nearest triangle on the ray between `NEAR` and `limit`, or -1. */
export function nearest(ox: f32, oy: f32, oz: f32, dx: f32, dy: f32, dz: f32, limit: f32): i32 {
  const ix: f32 = 1 / divisor(dx);
  const iy: f32 = 1 / divisor(dy);
  const iz: f32 = 1 / divisor(dz);
  const sx: f32 = ox * ix;
  const sy: f32 = oy * iy;
  const sz: f32 = oz * iz;
  const nearX: usize = ix < 0 ? 12 : 0;
  const nearY: usize = iy < 0 ? 16 : 4;
  const nearZ: usize = iz < 0 ? 20 : 8;
  const farX: usize = 12 - nearX;
  const farY: usize = 20 - nearY;
  const farZ: usize = 28 - nearZ;

  let best: i32 = -1;
  let bestT = limit;
  let top: usize = stack;
  let reference = root;
  while (true) {
    if (reference >= 0) {
      const a = nodes + <usize>reference * NODE_BYTES;
      const b = a + 24;
      const aIn = max(
        max(load<f32>(a + nearX) * ix - sx, load<f32>(a + nearY) * iy - sy),
        max<f32>(load<f32>(a + nearZ) * iz - sz, 0),
      );
      const aOut = min(
        min(load<f32>(a + farX) * ix - sx, load<f32>(a + farY) * iy - sy),
        min(load<f32>(a + farZ) * iz - sz, bestT),
      );
      const bIn = max(
        max(load<f32>(b + nearX) * ix - sx, load<f32>(b + nearY) * iy - sy),
        max<f32>(load<f32>(b + nearZ) * iz - sz, 0),
      );
      const bOut = min(
        min(load<f32>(b + farX) * ix - sx, load<f32>(b + farY) * iy - sy),
        min(load<f32>(b + farZ) * iz - sz, bestT),
      );
      const left = load<i32>(a, 48);
      const right = load<i32>(a, 52);
      if (aIn <= aOut) {
        if (bIn <= bOut) {
          const swap = bIn < aIn;
          store<i32>(top, swap ? left : right);
          store<f32>(top, swap ? aIn : bIn, 4);
          top += 8;
          reference = swap ? right : left;
        } else {
          reference = left;
        }
        continue;
      }
      if (bIn <= bOut) {
        reference = right;
        continue;
      }
    } else {
      const leaf = ~reference;
      let index = leaf >> 3;
      for (let left = leaf & 7; left > 0; --left, ++index) {
        const t = triangles + <usize>index * TRIANGLE_BYTES;
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
        const u: f32 = (fx * px + fy * py + fz * pz) * scale;
        // Comparisons are written so that the NaN and infinities of an edge-on triangle are misses.
        if (!(u >= 0 && u <= 1)) continue;
        const qx = fy * uz - fz * uy;
        const qy = fz * ux - fx * uz;
        const qz = fx * uy - fy * ux;
        const v: f32 = (dx * qx + dy * qy + dz * qz) * scale;
        if (!(v >= 0 && u + v <= 1)) continue;
        const distance: f32 = (vx * qx + vy * qy + vz * qz) * scale;
        if (!(distance > NEAR && distance < bestT)) continue;
        bestT = distance;
        best = index;
        hitU = u;
        hitV = v;
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
  const ix: f32 = 1 / divisor(dx);
  const iy: f32 = 1 / divisor(dy);
  const iz: f32 = 1 / divisor(dz);
  const sx: f32 = ox * ix;
  const sy: f32 = oy * iy;
  const sz: f32 = oz * iz;
  const nearX: usize = ix < 0 ? 12 : 0;
  const nearY: usize = iy < 0 ? 16 : 4;
  const nearZ: usize = iz < 0 ? 20 : 8;
  const farX: usize = 12 - nearX;
  const farY: usize = 20 - nearY;
  const farZ: usize = 28 - nearZ;
  passR = 1;
  passG = 1;
  passB = 1;

  let top: usize = stack;
  let reference = root;
  while (true) {
    if (reference >= 0) {
      const a = nodes + <usize>reference * NODE_BYTES;
      const b = a + 24;
      const aIn = max(
        max(load<f32>(a + nearX) * ix - sx, load<f32>(a + nearY) * iy - sy),
        max<f32>(load<f32>(a + nearZ) * iz - sz, 0),
      );
      const aOut = min(
        min(load<f32>(a + farX) * ix - sx, load<f32>(a + farY) * iy - sy),
        min(load<f32>(a + farZ) * iz - sz, limit),
      );
      const bIn = max(
        max(load<f32>(b + nearX) * ix - sx, load<f32>(b + nearY) * iy - sy),
        max<f32>(load<f32>(b + nearZ) * iz - sz, 0),
      );
      const bOut = min(
        min(load<f32>(b + farX) * ix - sx, load<f32>(b + farY) * iy - sy),
        min(load<f32>(b + farZ) * iz - sz, limit),
      );
      const left = load<i32>(a, 48);
      const right = load<i32>(a, 52);
      if (aIn <= aOut) {
        if (bIn <= bOut) {
          store<i32>(top, right);
          top += 8;
        }
        reference = left;
        continue;
      }
      if (bIn <= bOut) {
        reference = right;
        continue;
      }
    } else {
      const leaf = ~reference;
      let index = leaf >> 3;
      for (let left = leaf & 7; left > 0; --left, ++index) {
        const t = triangles + <usize>index * TRIANGLE_BYTES;
        const ux = load<f32>(t, 12);
        const uy = load<f32>(t, 16);
        const uz = load<f32>(t, 20);
        const vx = load<f32>(t, 24);
        const vy = load<f32>(t, 28);
        const vz = load<f32>(t, 32);
        const px = dy * vz - dz * vy;
        const py = dz * vx - dx * vz;
        const pz = dx * vy - dy * vx;
        const determinant = ux * px + uy * py + uz * pz;
        const scale: f32 = 1 / determinant;
        const fx = ox - load<f32>(t);
        const fy = oy - load<f32>(t, 4);
        const fz = oz - load<f32>(t, 8);
        const u: f32 = (fx * px + fy * py + fz * pz) * scale;
        if (!(u >= 0 && u <= 1)) continue;
        const qx = fy * uz - fz * uy;
        const qy = fz * ux - fx * uz;
        const qz = fx * uy - fy * ux;
        const v: f32 = (dx * qx + dy * qy + dz * qz) * scale;
        if (!(v >= 0 && u + v <= 1)) continue;
        const distance: f32 = (vx * qx + vy * qy + vz * qz) * scale;
        if (!(distance > NEAR && distance < limit)) continue;
        const material = materials + <usize>load<i32>(t, 36) * MATERIAL_BYTES;
        if (load<i32>(material) != GLASS) return false;
        // The determinant is the ray's cosine times the length of the edges' cross product.
        const nx = uy * vz - uz * vy;
        const ny = uz * vx - ux * vz;
        const nz = ux * vy - uy * vx;
        const cosine = abs(determinant) / sqrt<f32>(nx * nx + ny * ny + nz * nz);
        const share = glassShare(cosine);
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
function glassShare(cosine: f32): f32 {
  const square = cosine * cosine;
  return 0.2 + 1.05 * square * square;
}
