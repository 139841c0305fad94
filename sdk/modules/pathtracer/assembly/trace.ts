// The path tracer: follows one ray until it leaves the scene, adding up the light that reaches it.
import * as bsdf from './bsdf';
import * as light from './light';
import { EMITTER, GLASS, MATERIAL_BYTES, luminance, materials } from './material';
import { Mesh, NORMAL_BYTES, TRIANGLE_BYTES } from './mesh';
import { draw, u0, u1 } from './sampler';
import { FAR, NEAR, hitT, hitU, hitV, nearest, passB, passG, passR, passes, prepareWalk } from './walk';

/** Radiance of the last `trace`. */
export let outR: f32 = 0;
export let outG: f32 = 0;
export let outB: f32 = 0;

/** Passages through glass that do not count as bounces. */
const MAX_GLASS = 8;
/** Bounces after which a path is ended by chance. */
const ROULETTE_FROM = 2;
/** Most that one indirect contribution may add: what is brighter is noise before it is light. */
const MAX_INDIRECT: f32 = 0.9;
/** After a bounce off anything but glass, coats count as at least this rough: sharp caustics would be specks. */
const INDIRECT_ALPHA: f32 = 0.55;
/** Dimension pairs of the sampler: the first belongs to the pixel, then four per step. */
const PAIRS_PER_STEP = 4;
/** Roulette's pairs lie beyond all those of steps. */
const ROULETTE_PAIRS = 1000;
/** Distances from the middle between which the floor turns into the horizon. */
const FLOOR_FADES: f32 = 1.2;
const FLOOR_ENDS: f32 = 6;
/** How far rays start from the surface they leave. */
const LIFT: f32 = 2e-4;

/** The floor's colour and the strength and roughness of its coat. */
const FLOOR_R: f32 = 0.15;
const FLOOR_G: f32 = 0.165;
const FLOOR_B: f32 = 0.19;
const FLOOR_COAT: f32 = 0.05;
const FLOOR_ALPHA: f32 = 0.14;

let mesh: Mesh = new Mesh();
let withFloor = true;
let maxBounces = 0;

/** The path so far: the ray at hand, what share of light its end still brings, and how it came here. */
let ox: f32 = 0;
let oy: f32 = 0;
let oz: f32 = 0;
let dx: f32 = 0;
let dy: f32 = 0;
let dz: f32 = 0;
let r: f32 = 0;
let g: f32 = 0;
let b: f32 = 0;
let bounces = 0;
let glasses = 0;
/** Density with which the last bounce chose the ray's direction; 0 where nothing else could have. */
let density: f32 = 0;
/** Whether light is seen straight, through a ball of glass, or in one reflection: anything else is clamped. */
let direct = true;

/** Where the ray ends: point, outward unit normals of the triangle and of the smooth surface, on the ray's side. */
let px: f32 = 0;
let py: f32 = 0;
let pz: f32 = 0;
let gx: f32 = 0;
let gy: f32 = 0;
let gz: f32 = 0;
let nx: f32 = 0;
let ny: f32 = 0;
let nz: f32 = 0;
let entering = true;

/** Sets what is traced. The hierarchy, the lights and the materials must be ready. */
export function prepareTrace(whole: Mesh, floor: bool, bounces: i32): void {
  mesh = whole;
  withFloor = floor;
  maxBounces = bounces;
  prepareWalk(mesh);
}

/** Traces the ray from (x, y, z) towards the unit direction (u, v, w) into `outR`, `outG`, `outB`. */
export function trace(x: f32, y: f32, z: f32, u: f32, v: f32, w: f32): void {
  outR = 0;
  outG = 0;
  outB = 0;
  r = 1;
  g = 1;
  b = 1;
  ox = x;
  oy = y;
  oz = z;
  dx = u;
  dy = v;
  dz = w;
  bounces = 0;
  glasses = 0;
  density = 0;
  for (let pair = 1; step(pair); pair += PAIRS_PER_STEP);
}

/** Follows the ray to where it ends and turns it there. False when the path is over. */
function step(pair: i32): bool {
  direct = bounces <= 1 && glasses <= 2;
  const triangle = nearest(ox, oy, oz, dx, dy, dz, FAR);
  let t = hitT;
  const floorT: f32 = withFloor && dy < -1e-6 ? -oy / dy : FAR;
  const onFloor = floorT > NEAR && floorT < t;
  if (onFloor) t = floorT;

  // Panels are not for the camera's eye, only for what they light and where they are mirrored.
  if (pair > 1 && (density > 0 || bounces == 0) && light.hitsPanel(ox, oy, oz, dx, dy, dz, t)) {
    const facing = -(dx * light.normalX + dy * light.normalY + dz * light.normalZ);
    addEmitted(light.radianceR, light.radianceG, light.radianceB, light.panelT, facing);
    return false;
  }
  if (triangle < 0 && !onFloor) {
    light.sky(dx, dy, dz);
    add(light.skyR, light.skyG, light.skyB, direct);
    return false;
  }

  px = ox + dx * t;
  py = oy + dy * t;
  pz = oz + dz * t;
  if (onFloor) {
    if (!standOnFloor()) return false;
  } else {
    const material = findSurface(triangle);
    const kind = load<i32>(material);
    if (kind == GLASS) return passGlass(material, pair);
    if (kind == EMITTER) {
      // After a bounce and glass, the light's shadow rays have counted it already.
      if (density == 0 && bounces > 0) return false;
      const facing = -(dx * gx + dy * gy + dz * gz);
      addEmitted(load<f32>(material, 32), load<f32>(material, 36), load<f32>(material, 40), t, facing);
      return false;
    }
    standOnSurface(material);
  }
  return bounce(pair);
}

/** Adds light that arrives along the path, dimmed by the path so far. */
function add(lr: f32, lg: f32, lb: f32, asIs: bool): void {
  let ar = r * lr;
  let ag = g * lg;
  let ab = b * lb;
  if (!asIs) {
    const brightest = max(ar, max(ag, ab));
    if (brightest > MAX_INDIRECT) {
      const scale: f32 = MAX_INDIRECT / brightest;
      ar *= scale;
      ag *= scale;
      ab *= scale;
    }
  }
  outR += ar;
  outG += ag;
  outB += ab;
}

/** Weight of a technique with density `mine` beside one with density `other`. */
function weigh(mine: f32, other: f32): f32 {
  const square = mine * mine;
  return square / (square + other * other);
}

/** How many points on lights are sampled at the surface from which the path left after `after` bounces. */
function lightSamples(after: i32): f32 {
  return after == 0 ? 2 : 1;
}

/** Adds an emitter that the ray met at distance `t`, weighed against the chance that its light was sampled before. */
function addEmitted(er: f32, eg: f32, eb: f32, t: f32, facing: f32): void {
  let weight: f32 = 1;
  if (density > 0) {
    const sampled: f32 = (lightSamples(bounces - 1) * light.densityOf(er, eg, eb) * t * t) / max<f32>(1e-4, facing);
    weight = weigh(density, sampled);
  }
  add(er * weight, eg * weight, eb * weight, direct);
}

/** Sets the floor as the surface at hand, blended into the horizon. False when nothing but horizon is left. */
function standOnFloor(): bool {
  py = 0;
  gx = 0;
  gy = 1;
  gz = 0;
  const far = sqrt<f32>(px * px + pz * pz);
  if (far > FLOOR_FADES) {
    const x: f32 = min<f32>(1, (far - FLOOR_FADES) / (FLOOR_ENDS - FLOOR_FADES));
    const fade: f32 = x * x * (3 - 2 * x);
    light.sky(dx, 0, dz);
    add(light.skyR * fade, light.skyG * fade, light.skyB * fade, direct);
    if (fade > 0.98) return false;
    r *= 1 - fade;
    g *= 1 - fade;
    b *= 1 - fade;
  }
  const alpha = bounces > 0 ? INDIRECT_ALPHA : FLOOR_ALPHA;
  bsdf.setFrame(0, 1, 0);
  bsdf.setSurface(FLOOR_R, FLOOR_G, FLOOR_B, FLOOR_COAT, FLOOR_COAT, FLOOR_COAT, alpha, -dx, -dy, -dz);
  return true;
}

/** Finds the normals where the ray met `triangle` and returns its material. */
function findSurface(triangle: i32): usize {
  const at = mesh.triangles + <usize>triangle * TRIANGLE_BYTES;
  const ux = load<f32>(at, 12);
  const uy = load<f32>(at, 16);
  const uz = load<f32>(at, 20);
  const vx = load<f32>(at, 24);
  const vy = load<f32>(at, 28);
  const vz = load<f32>(at, 32);
  gx = uy * vz - uz * vy;
  gy = uz * vx - ux * vz;
  gz = ux * vy - uy * vx;
  const n = mesh.normals + <usize>triangle * NORMAL_BYTES;
  const w: f32 = 1 - hitU - hitV;
  nx = w * load<f32>(n) + hitU * load<f32>(n, 12) + hitV * load<f32>(n, 24);
  ny = w * load<f32>(n, 4) + hitU * load<f32>(n, 16) + hitV * load<f32>(n, 28);
  nz = w * load<f32>(n, 8) + hitU * load<f32>(n, 20) + hitV * load<f32>(n, 32);

  // Files disagree on winding; normals given in the file say which side is out.
  const out: f32 = nx * gx + ny * gy + nz * gz < 0 ? -1 : 1;
  entering = (dx * gx + dy * gy + dz * gz) * out < 0;
  const side: f32 = entering ? 1 : -1;
  const flat: f32 = (side * out) / sqrt<f32>(gx * gx + gy * gy + gz * gz);
  gx *= flat;
  gy *= flat;
  gz *= flat;
  const smooth: f32 = side / sqrt<f32>(max<f32>(1e-20, nx * nx + ny * ny + nz * nz));
  nx *= smooth;
  ny *= smooth;
  nz *= smooth;
  return materials + <usize>load<i32>(at, 36) * MATERIAL_BYTES;
}

/** Sends the ray on through or off glass. False when the path has met too much of it. */
function passGlass(material: usize, pair: i32): bool {
  if (++glasses > MAX_GLASS) return false;
  draw(pair);
  let cosine: f32 = -(dx * nx + dy * ny + dz * nz);
  if (cosine < 1e-3) {
    nx = gx;
    ny = gy;
    nz = gz;
    cosine = max<f32>(1e-3, -(dx * nx + dy * ny + dz * nz));
  }
  const index = load<f32>(material, 44);
  const eta: f32 = entering ? 1 / index : index;
  const k: f32 = 1 - eta * eta * (1 - cosine * cosine);
  let reflected: f32 = 1;
  let inner: f32 = 0;
  if (k > 0) {
    inner = sqrt<f32>(k);
    const parallel: f32 = (eta * inner - cosine) / (eta * inner + cosine);
    const across: f32 = (eta * cosine - inner) / (eta * cosine + inner);
    reflected = 0.5 * (parallel * parallel + across * across);
  }
  // The first surfaces reflect more often than they should and count for less: their highlights are bright.
  const chance: f32 = reflected < 1 && glasses < 3 ? 0.2 + 0.6 * reflected : reflected;
  if (u0 < chance) {
    dim(reflected / chance);
    turnTo(dx + 2 * cosine * nx, dy + 2 * cosine * ny, dz + 2 * cosine * nz, LIFT);
  } else {
    dim((1 - reflected) / (1 - chance));
    r *= load<f32>(material, 4);
    g *= load<f32>(material, 8);
    b *= load<f32>(material, 12);
    const along: f32 = eta * cosine - inner;
    turnTo(eta * dx + along * nx, eta * dy + along * ny, eta * dz + along * nz, -LIFT);
  }
  density = 0;
  return true;
}

function dim(by: f32): void {
  r *= by;
  g *= by;
  b *= by;
}

/** Starts the ray again, `lift` above the point at hand. */
function turnTo(x: f32, y: f32, z: f32, lift: f32): void {
  const unit: f32 = 1 / sqrt<f32>(x * x + y * y + z * z);
  dx = x * unit;
  dy = y * unit;
  dz = z * unit;
  ox = px + lift * gx;
  oy = py + lift * gy;
  oz = pz + lift * gz;
}

/** Sets an opaque material of the mesh as the surface at hand. */
function standOnSurface(material: usize): void {
  // A smooth normal may look away from the eye at the rim; there it is bent back to the edge of view.
  const away = dx * nx + dy * ny + dz * nz;
  if (away > -0.01) {
    nx -= dx * (away + 0.01);
    ny -= dy * (away + 0.01);
    nz -= dz * (away + 0.01);
    const again: f32 = 1 / sqrt<f32>(nx * nx + ny * ny + nz * nz);
    nx *= again;
    ny *= again;
    nz *= again;
  }
  const alpha = load<f32>(material, 28);
  bsdf.setFrame(nx, ny, nz);
  bsdf.setSurface(
    load<f32>(material, 4),
    load<f32>(material, 8),
    load<f32>(material, 12),
    load<f32>(material, 16),
    load<f32>(material, 20),
    load<f32>(material, 24),
    bounces > 0 ? max(alpha, INDIRECT_ALPHA) : alpha,
    -dx,
    -dy,
    -dz,
  );
}

/** Lights the surface at hand and sends the ray on from it. False when the path is over. */
function bounce(pair: i32): bool {
  px += LIFT * gx;
  py += LIFT * gy;
  pz += LIFT * gz;
  draw(pair + 2);
  const choice = u0;
  const lobe = u1;
  draw(pair + 1);
  if (bounces == 0) {
    // What the camera sees is lit by two points, so that the choice between two lights is not left to chance.
    addLight(0.5 * choice, u0, u1);
    draw(pair + 3);
    addLight(0.5 * choice + 0.5, u0, u1);
  } else {
    addLight(choice, u0, u1);
  }
  if (++bounces > maxBounces) return false;

  draw(pair);
  if (!bsdf.sampleDirection(lobe, u0, u1)) return false;
  // Light that would pass below the true surface is the price of smooth normals: it is dropped.
  if (bsdf.outX * gx + bsdf.outY * gy + bsdf.outZ * gz <= 0) return false;
  density = bsdf.density;
  r *= bsdf.valueR / density;
  g *= bsdf.valueG / density;
  b *= bsdf.valueB / density;
  const brightest = max(r, max(g, b));
  if (bounces > ROULETTE_FROM) {
    const survive = min<f32>(0.95, brightest);
    draw(pair + ROULETTE_PAIRS);
    if (u0 >= survive) return false;
    dim(1 / survive);
  } else if (brightest < 1e-3) {
    return false;
  }
  dx = bsdf.outX;
  dy = bsdf.outY;
  dz = bsdf.outZ;
  ox = px;
  oy = py;
  oz = pz;
  return true;
}

/** Adds the light of one sampled point, reflected by the surface at hand and dimmed by what is between. */
function addLight(choice: f32, a: f32, c: f32): void {
  light.samplePoint(choice, a, c);
  const x = light.pointX - px;
  const y = light.pointY - py;
  const z = light.pointZ - pz;
  const square = x * x + y * y + z * z;
  const distance = sqrt<f32>(square);
  const lx: f32 = x / distance;
  const ly: f32 = y / distance;
  const lz: f32 = z / distance;
  let facing: f32 = -(lx * light.normalX + ly * light.normalY + lz * light.normalZ);
  if (!light.oneSided) facing = abs(facing);
  if (!(facing > 1e-4)) return;
  if (!bsdf.evaluate(lx, ly, lz)) return;
  const sampled: f32 = (lightSamples(bounces) * light.density * square) / facing;
  const scale: f32 = weigh(sampled, bsdf.density) / sampled;
  const lr = light.radianceR * bsdf.valueR * scale;
  const lg = light.radianceG * bsdf.valueG * scale;
  const lb = light.radianceB * bsdf.valueB * scale;
  if (!(luminance(r * lr, g * lg, b * lb) > 1e-5)) return;
  if (passes(px, py, pz, lx, ly, lz, distance - 2 * NEAR)) add(lr * passR, lg * passG, lb * passB, bounces == 0);
}
