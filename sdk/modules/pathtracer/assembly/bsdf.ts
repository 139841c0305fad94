// Reflection at opaque surfaces: a diffuse base under a GGX coat, sampled by visible normals.
import { luminance } from './material';

const INVERSE_PI: f32 = 0.31830988618379067;
const HALF_PI: f32 = 1.5707963267948966;

/** The surface at hand: shading frame, colours, and the chance that a sample is taken of the coat. */
let tx: f32 = 0;
let ty: f32 = 0;
let tz: f32 = 0;
let bx: f32 = 0;
let by: f32 = 0;
let bz: f32 = 0;
let nx: f32 = 0;
let ny: f32 = 0;
let nz: f32 = 0;
let kdR: f32 = 0;
let kdG: f32 = 0;
let kdB: f32 = 0;
let f0R: f32 = 0;
let f0G: f32 = 0;
let f0B: f32 = 0;
let a2: f32 = 0;
let alpha: f32 = 0;
let coatChance: f32 = 0;
let vx: f32 = 0;
let vy: f32 = 0;
let vz: f32 = 0;

/** Results of `evaluate` and `sampleDirection`: value times cosine, density per solid angle, direction. */
export let valueR: f32 = 0;
export let valueG: f32 = 0;
export let valueB: f32 = 0;
export let density: f32 = 0;
export let outX: f32 = 0;
export let outY: f32 = 0;
export let outZ: f32 = 0;

/** Sine and cosine of the last `turn`. */
let sine: f32 = 0;
let cosine: f32 = 0;

/** Sine and cosine of `u` full turns, u in [0, 1), by polynomials good to f32. */
function turn(u: f32): void {
  const quarter = u * 4;
  const q = <i32>quarter;
  // Half a quarter to either side of zero keeps the polynomials short.
  const x = (quarter - <f32>q - 0.5) * HALF_PI;
  const x2 = x * x;
  const s = x * (1 + x2 * (-0.16666667 + x2 * (0.008333333 - x2 * 0.0001984127)));
  const c: f32 = 1 + x2 * (-0.5 + x2 * (0.041666668 + x2 * (-0.0013888889 + x2 * 0.000024801587)));
  const root: f32 = 0.70710678;
  const s1: f32 = (s + c) * root;
  const c1: f32 = (c - s) * root;
  sine = q == 0 ? s1 : q == 1 ? c1 : q == 2 ? -s1 : -c1;
  cosine = q == 0 ? c1 : q == 1 ? -s1 : q == 2 ? -c1 : s1;
}

/** Sets the shading normal, of unit length, and a frame around it. */
export function setFrame(x: f32, y: f32, z: f32): void {
  nx = x;
  ny = y;
  nz = z;
  const sign = copysign<f32>(1, z);
  const a: f32 = -1 / (sign + z);
  const b: f32 = x * y * a;
  tx = 1 + sign * x * x * a;
  ty = sign * b;
  tz = -sign * x;
  bx = b;
  by = sign + y * y * a;
  bz = -y;
}

/** Sets the surface's colours and the direction towards the viewer, which must be on the normal's side. */
export function setSurface(
  diffuseR: f32,
  diffuseG: f32,
  diffuseB: f32,
  coatR: f32,
  coatG: f32,
  coatB: f32,
  roughness: f32,
  towardsX: f32,
  towardsY: f32,
  towardsZ: f32,
): void {
  vx = towardsX * tx + towardsY * ty + towardsZ * tz;
  vy = towardsX * bx + towardsY * by + towardsZ * bz;
  vz = max<f32>(1e-3, towardsX * nx + towardsY * ny + towardsZ * nz);
  f0R = coatR;
  f0G = coatG;
  f0B = coatB;
  alpha = roughness;
  a2 = alpha * alpha;
  const coat = luminance(coatR, coatG, coatB);
  if (coat <= 0) {
    kdR = diffuseR;
    kdG = diffuseG;
    kdB = diffuseB;
    coatChance = 0;
    return;
  }
  // The base gets what the coat leaves, by the view's angle alone: simple, and never more than comes in.
  const grazing = power5(1 - vz);
  kdR = diffuseR * (1 - coatR - (1 - coatR) * grazing);
  kdG = diffuseG * (1 - coatG - (1 - coatG) * grazing);
  kdB = diffuseB * (1 - coatB - (1 - coatB) * grazing);
  const reflected = coat + (1 - coat) * grazing;
  const base = luminance(kdR, kdG, kdB);
  coatChance = base <= 0 ? 1 : max<f32>(0.1, reflected / (reflected + base));
}
function power5(x: f32): f32 {
  const c = max<f32>(0, x);
  const c2 = c * c;
  return c2 * c2 * c;
}

/** Smith's shadowing for GGX in the form 2 / (1 + sqrt(...)). */
function shadowing(cos: f32): f32 {
  return (2 * cos) / (cos + sqrt<f32>(a2 + (1 - a2) * cos * cos));
}

/** Evaluates towards local direction (x, y, z), z > 0. */
function evaluateLocal(x: f32, y: f32, z: f32): void {
  const base = z * INVERSE_PI;
  valueR = kdR * base;
  valueG = kdG * base;
  valueB = kdB * base;
  density = (1 - coatChance) * base;
  if (coatChance <= 0) return;
  let hx = x + vx;
  let hy = y + vy;
  let hz = z + vz;
  const inverse: f32 = 1 / sqrt<f32>(hx * hx + hy * hy + hz * hz);
  hx *= inverse;
  hy *= inverse;
  hz *= inverse;
  const k = hx * hx + hy * hy + a2 * hz * hz;
  const distribution = (a2 * INVERSE_PI) / (k * k);
  const seen = shadowing(vz);
  const common = (distribution * seen) / (4 * vz);
  const grazing = power5(1 - (hx * x + hy * y + hz * z));
  const lit = common * shadowing(z);
  valueR += (f0R + (1 - f0R) * grazing) * lit;
  valueG += (f0G + (1 - f0G) * grazing) * lit;
  valueB += (f0B + (1 - f0B) * grazing) * lit;
  density += coatChance * common;
}

/** Evaluates towards (x, y, z). False when that is below the surface. */
export function evaluate(x: f32, y: f32, z: f32): bool {
  const up = x * nx + y * ny + z * nz;
  if (up <= 0) return false;
  evaluateLocal(x * tx + y * ty + z * tz, x * bx + y * by + z * bz, up);
  return true;
}

/** Samples a direction by (a, b), `choice` picking coat or base, and evaluates it. False when it goes nowhere. */
export function sampleDirection(choice: f32, a: f32, b: f32): bool {
  turn(a);
  let x: f32;
  let y: f32;
  let z: f32;
  if (choice < coatChance) {
    // A normal among those seen: a point on the cap of reflections in the unstretched space.
    let wx = alpha * vx;
    let wy = alpha * vy;
    let wz = vz;
    const inverse: f32 = 1 / sqrt<f32>(wx * wx + wy * wy + wz * wz);
    wx *= inverse;
    wy *= inverse;
    wz *= inverse;
    const height: f32 = (1 - b) * (1 + wz) - wz;
    const radius: f32 = sqrt<f32>(max<f32>(0, 1 - height * height));
    let hx = alpha * (radius * cosine + wx);
    let hy = alpha * (radius * sine + wy);
    let hz: f32 = max<f32>(0, height + wz);
    const length: f32 = 1 / sqrt<f32>(max<f32>(1e-20, hx * hx + hy * hy + hz * hz));
    hx *= length;
    hy *= length;
    hz *= length;
    const twice: f32 = 2 * (vx * hx + vy * hy + vz * hz);
    x = twice * hx - vx;
    y = twice * hy - vy;
    z = twice * hz - vz;
  } else {
    const radius = sqrt<f32>(b);
    x = radius * cosine;
    y = radius * sine;
    z = sqrt<f32>(max<f32>(0, 1 - b));
  }
  if (!(z > 1e-5)) return false;
  evaluateLocal(x, y, z);
  if (!(density > 1e-9)) return false;
  outX = x * tx + y * bx + z * nx;
  outY = x * ty + y * by + z * ny;
  outZ = x * tz + y * bz + z * nz;
  return true;
}
