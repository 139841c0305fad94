// Everything that emits: a soft key light, a rim light and the sky are always there, emitting materials join them.
import { allocate } from '../../lib/assembly/wasi';
import { EMITTER, MATERIAL_BYTES, luminance, materials } from './material';
import { Mesh, TRIANGLE_BYTES } from './mesh';
import { FAR } from './walk';

/** Bytes of a light: corner, two edges, unit normal, radiance (12 f32), kind. */
const LIGHT_BYTES: usize = 64;
const PANELS = 2;
const PANEL = 0;
const TRIANGLE = 1;

/** The sky straight up, all around at the horizon, and what the glow behind the scene adds. */
const ZENITH_R: f32 = 0.02;
const ZENITH_G: f32 = 0.035;
const ZENITH_B: f32 = 0.085;
const HORIZON_R: f32 = 0.03;
const HORIZON_G: f32 = 0.05;
const HORIZON_B: f32 = 0.095;
const GLOW_R: f32 = 0.17;
const GLOW_G: f32 = 0.2;
const GLOW_B: f32 = 0.27;
/** Where the glow is: behind the scene, as the camera sees it. */
const GLOW_X: f32 = -0.387;
const GLOW_Z: f32 = -0.922;

let lights: usize = 0;
let count = 0;
/** Running sum of each light's power, for choosing one in proportion. */
let sums: usize = 0;
let total: f32 = 0;

/** The last sampled point: position, radiance, and the density per area with which it is chosen. */
export let pointX: f32 = 0;
export let pointY: f32 = 0;
export let pointZ: f32 = 0;
export let normalX: f32 = 0;
export let normalY: f32 = 0;
export let normalZ: f32 = 0;
export let radianceR: f32 = 0;
export let radianceG: f32 = 0;
export let radianceB: f32 = 0;
export let oneSided: bool = false;
export let density: f32 = 0;
/** Distance of the last panel hit. */
export let panelT: f32 = 0;

function put(at: usize, x: f32, y: f32, z: f32): void {
  store<f32>(at, x);
  store<f32>(at, y, 4);
  store<f32>(at, z, 8);
}

/** Adds the light whose first nine numbers are at `at`. */
function finish(at: usize, kind: i32, r: f32, g: f32, b: f32): void {
  const ux = load<f32>(at, 12);
  const uy = load<f32>(at, 16);
  const uz = load<f32>(at, 20);
  const vx = load<f32>(at, 24);
  const vy = load<f32>(at, 28);
  const vz = load<f32>(at, 32);
  const nx = uy * vz - uz * vy;
  const ny = uz * vx - ux * vz;
  const nz = ux * vy - uy * vx;
  const area = sqrt<f32>(nx * nx + ny * ny + nz * nz);
  put(at + 36, nx / area, ny / area, nz / area);
  put(at + 48, r, g, b);
  store<i32>(at, kind, 60);
  total += luminance(r, g, b) * (kind == TRIANGLE ? 0.5 * area : area);
  store<f32>(sums + ((<usize>count) << 2), total);
  ++count;
}

/** A square panel of half side `half` at (x, y, z) that shines towards (0, aim, 0). */
function addPanel(x: f32, y: f32, z: f32, aim: f32, half: f32, r: f32, g: f32, b: f32): void {
  const at = lights + <usize>count * LIGHT_BYTES;
  const length = sqrt<f32>(x * x + (y - aim) * (y - aim) + z * z);
  const nx = -x / length;
  const ny = (aim - y) / length;
  const nz = -z / length;
  // Sideways is level, so the panel hangs straight.
  const level = sqrt<f32>(nx * nx + nz * nz);
  const ux = nz / level;
  const uz = -nx / level;
  const vx = ny * uz;
  const vy = nz * ux - nx * uz;
  const vz = -ny * ux;
  put(at, x - half * (ux + vx), y - half * vy, z - half * (uz + vz));
  put(at + 12, 2 * half * ux, 0, 2 * half * uz);
  put(at + 24, 2 * half * vx, 2 * half * vy, 2 * half * vz);
  finish(at, PANEL, r, g, b);
}

/** Sets up the panels and the emitting triangles of `mesh`. */
export function prepareLights(mesh: Mesh): void {
  let emitting = 0;
  for (let i = 0; i < mesh.count; ++i) if (emitterOf(mesh, i) != 0) ++emitting;
  lights = allocate((PANELS + emitting) * <i32>LIGHT_BYTES).pointer;
  sums = allocate((PANELS + emitting) * 4).pointer;

  const aim = mesh.halfY;
  addPanel(-2.1, aim + 2.5, 1.7, aim, 0.85, 13.5, 11.6, 9.4);
  addPanel(2.6, aim + 1.5, -1.9, aim, 0.75, 5.2, 6.6, 9.0);
  for (let i = 0; i < mesh.count; ++i) {
    const material = emitterOf(mesh, i);
    if (material == 0) continue;
    const at = lights + <usize>count * LIGHT_BYTES;
    memory.copy(at, mesh.triangles + <usize>i * TRIANGLE_BYTES, 36);
    finish(at, TRIANGLE, load<f32>(material, 32), load<f32>(material, 36), load<f32>(material, 40));
  }
}

function emitterOf(mesh: Mesh, triangle: i32): usize {
  const index = load<i32>(mesh.triangles + <usize>triangle * TRIANGLE_BYTES, 36);
  const material = materials + <usize>index * MATERIAL_BYTES;
  return load<i32>(material) == EMITTER ? material : 0;
}

/** Density per area of choosing a point on a light of this radiance: all lights share it by brightness. */
export function densityOf(r: f32, g: f32, b: f32): f32 {
  return luminance(r, g, b) / total;
}

/** Chooses a light by `choice` and a point on it by (a, b), all in [0, 1). */
export function samplePoint(choice: f32, a: f32, b: f32): void {
  const wanted = choice * total;
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<f32>(sums + ((<usize>middle) << 2)) > wanted) high = middle;
    else low = middle + 1;
  }
  const at = lights + <usize>low * LIGHT_BYTES;
  oneSided = load<i32>(at, 60) == PANEL;
  if (!oneSided && a + b > 1) {
    // The square's far half, folded back onto the triangle.
    a = 1 - a;
    b = 1 - b;
  }
  pointX = load<f32>(at) + a * load<f32>(at, 12) + b * load<f32>(at, 24);
  pointY = load<f32>(at, 4) + a * load<f32>(at, 16) + b * load<f32>(at, 28);
  pointZ = load<f32>(at, 8) + a * load<f32>(at, 20) + b * load<f32>(at, 32);
  normalX = load<f32>(at, 36);
  normalY = load<f32>(at, 40);
  normalZ = load<f32>(at, 44);
  radianceR = load<f32>(at, 48);
  radianceG = load<f32>(at, 52);
  radianceB = load<f32>(at, 56);
  density = densityOf(radianceR, radianceG, radianceB);
}

/** The panel that the ray hits on its bright side nearer than `limit`, filling the point variables, or false. */
export function hitsPanel(ox: f32, oy: f32, oz: f32, dx: f32, dy: f32, dz: f32, limit: f32): bool {
  panelT = limit;
  let found: usize = 0;
  for (let i = 0; i < PANELS; ++i) {
    const at = lights + <usize>i * LIGHT_BYTES;
    const facing = dx * load<f32>(at, 36) + dy * load<f32>(at, 40) + dz * load<f32>(at, 44);
    if (facing >= 0) continue;
    const px = load<f32>(at) - ox;
    const py = load<f32>(at, 4) - oy;
    const pz = load<f32>(at, 8) - oz;
    const t = (px * load<f32>(at, 36) + py * load<f32>(at, 40) + pz * load<f32>(at, 44)) / facing;
    if (!(t > 0 && t < panelT)) continue;
    const qx = dx * t - px;
    const qy = dy * t - py;
    const qz = dz * t - pz;
    const ux = load<f32>(at, 12);
    const uy = load<f32>(at, 16);
    const uz = load<f32>(at, 20);
    const vx = load<f32>(at, 24);
    const vy = load<f32>(at, 28);
    const vz = load<f32>(at, 32);
    const side = ux * ux + uy * uy + uz * uz;
    const a = qx * ux + qy * uy + qz * uz;
    const b = qx * vx + qy * vy + qz * vz;
    if (a < 0 || a > side || b < 0 || b > side) continue;
    panelT = t;
    found = at;
  }
  if (found == 0) return false;
  normalX = load<f32>(found, 36);
  normalY = load<f32>(found, 40);
  normalZ = load<f32>(found, 44);
  radianceR = load<f32>(found, 48);
  radianceG = load<f32>(found, 52);
  radianceB = load<f32>(found, 56);
  density = densityOf(radianceR, radianceG, radianceB);
  return panelT < FAR;
}

/** Radiance of the last `sky`. */
export let skyR: f32 = 0;
export let skyG: f32 = 0;
export let skyB: f32 = 0;

/** The sky towards a unit direction: dusk, with a warm glow behind the scene. */
export function sky(x: f32, y: f32, z: f32): void {
  const up: f32 = sqrt<f32>(max<f32>(0, min<f32>(1, y)));
  const near: f32 = max<f32>(0, x * GLOW_X + z * GLOW_Z);
  const near2: f32 = near * near;
  const near4: f32 = near2 * near2;
  const glow: f32 = near4 * near4 * near4;
  skyR = HORIZON_R + (ZENITH_R - HORIZON_R) * up + GLOW_R * glow;
  skyG = HORIZON_G + (ZENITH_G - HORIZON_G) * up + GLOW_G * glow;
  skyB = HORIZON_B + (ZENITH_B - HORIZON_B) * up + GLOW_B * glow;
}
