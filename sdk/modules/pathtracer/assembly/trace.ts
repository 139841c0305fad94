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
const MAX_INDIRECT: f32 = 1.5;
/** After a bounce off anything but glass, coats count as at least this rough: sharp caustics would be specks. */
const INDIRECT_ALPHA: f32 = 0.45;
/** Dimension pairs of the sampler: the first belongs to the pixel, then four per step. */
const PAIRS_PER_STEP = 4;
/** Distances from the middle between which the floor turns into the horizon. */
const FLOOR_FADES: f32 = 1.2;
const FLOOR_ENDS: f32 = 6;
/** How far rays start from the surface they leave. */
const LIFT: f32 = 2e-4;

let mesh: Mesh = new Mesh();
let withFloor = true;
let maxBounces = 0;

/** How much one of the points on lights counts that light a surface. */
let share: f32 = 1;
let r: f32 = 0;
let g: f32 = 0;
let b: f32 = 0;

/** Sets what is traced. The hierarchy, the lights and the materials must be ready. */
export function prepareTrace(whole: Mesh, floor: bool, bounces: i32): void {
  mesh = whole;
  withFloor = floor;
  maxBounces = bounces;
  prepareWalk(mesh);
}

/** Adds light that arrives along the path, dimmed by the path so far. */
function add(lr: f32, lg: f32, lb: f32, direct: bool): void {
  let ar = r * lr;
  let ag = g * lg;
  let ab = b * lb;
  if (!direct) {
    const brightest = max(ar, max(ag, ab));
    if (brightest > MAX_INDIRECT) {
      const scale = MAX_INDIRECT / brightest;
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

/** Light that reaches point (x, y, z) straight from a light, reflected by the surface that bsdf holds. */
function addDirect(x: f32, y: f32, z: f32, choice: f32, a: f32, c: f32, direct: bool): void {
  light.samplePoint(choice, a, c);
  let dx = light.pointX - x;
  let dy = light.pointY - y;
  let dz = light.pointZ - z;
  const square = dx * dx + dy * dy + dz * dz;
  const distance = sqrt<f32>(square);
  const inverse: f32 = 1 / distance;
  dx *= inverse;
  dy *= inverse;
  dz *= inverse;
  let facing = -(dx * light.normalX + dy * light.normalY + dz * light.normalZ);
  if (!light.oneSided) facing = abs(facing);
  if (!(facing > 1e-4)) return;
  if (!bsdf.evaluate(dx, dy, dz)) return;
  const density = (light.density * square) / facing;
  const scale: f32 = (share * weigh(density / share, bsdf.density)) / density;
  const lr = light.radianceR * bsdf.valueR * scale;
  const lg = light.radianceG * bsdf.valueG * scale;
  const lb = light.radianceB * bsdf.valueB * scale;
  if (!(luminance(r * lr, g * lg, b * lb) > 1e-5)) return;
  if (passes(x, y, z, dx, dy, dz, distance - 2 * NEAR)) add(lr * passR, lg * passG, lb * passB, direct);
}

/** Traces the ray from (ox, oy, oz) towards the unit direction (dx, dy, dz) into `outR`, `outG`, `outB`. */
export function trace(ox: f32, oy: f32, oz: f32, dx: f32, dy: f32, dz: f32): void {
  outR = 0;
  outG = 0;
  outB = 0;
  r = 1;
  g = 1;
  b = 1;
  let bounces = 0;
  let glasses = 0;
  /** Density with which the last bounce chose this direction; 0 where nothing else could have. */
  let density: f32 = 0;

  for (let pair = 1; ; pair += PAIRS_PER_STEP) {
    const clear = density == 0;
    const lightsPerBounce: f32 = bounces == 1 ? 2 : 1;
    const triangle = nearest(ox, oy, oz, dx, dy, dz, FAR);
    let t = hitT;
    let onFloor = false;
    if (withFloor && dy < -1e-6) {
      const down = -oy / dy;
      if (down > NEAR && down < t) {
        t = down;
        onFloor = true;
      }
    }

    // Panels are not for the camera's eye, only for what they light and where they are mirrored.
    if (pair > 1 && (clear ? bounces == 0 : true) && light.hitsPanel(ox, oy, oz, dx, dy, dz, t)) {
      let weight: f32 = 1;
      if (!clear) {
        const facing = -(dx * light.normalX + dy * light.normalY + dz * light.normalZ);
        weight = weigh(
          density,
          (lightsPerBounce * light.density * light.panelT * light.panelT) / max<f32>(1e-4, facing),
        );
      }
      add(light.radianceR * weight, light.radianceG * weight, light.radianceB * weight, bounces <= 1);
      return;
    }
    if (triangle < 0 && !onFloor) {
      light.sky(dx, dy, dz);
      add(light.skyR, light.skyG, light.skyB, bounces <= 1);
      return;
    }

    let px = ox + dx * t;
    let py = oy + dy * t;
    let pz = oz + dz * t;
    let gx: f32 = 0;
    let gy: f32 = 1;
    let gz: f32 = 0;
    if (onFloor) {
      py = 0;
      const far = sqrt<f32>(px * px + pz * pz);
      if (far > FLOOR_FADES) {
        const x: f32 = min<f32>(1, (far - FLOOR_FADES) / (FLOOR_ENDS - FLOOR_FADES));
        const fade: f32 = x * x * (3 - 2 * x);
        light.sky(dx, 0, dz);
        add(light.skyR * fade, light.skyG * fade, light.skyB * fade, bounces <= 1);
        if (fade > 0.98) return;
        r *= 1 - fade;
        g *= 1 - fade;
        b *= 1 - fade;
      }
      bsdf.setFrame(0, 1, 0);
      bsdf.setSurface(0.3, 0.3, 0.31, 0.04, 0.04, 0.04, bounces > 0 ? INDIRECT_ALPHA : 0.14, -dx, -dy, -dz);
    } else {
      const at = mesh.triangles + <usize>triangle * TRIANGLE_BYTES;
      const material = materials + <usize>load<i32>(at, 36) * MATERIAL_BYTES;
      const ux = load<f32>(at, 12);
      const uy = load<f32>(at, 16);
      const uz = load<f32>(at, 20);
      const vx = load<f32>(at, 24);
      const vy = load<f32>(at, 28);
      const vz = load<f32>(at, 32);
      gx = uy * vz - uz * vy;
      gy = uz * vx - ux * vz;
      gz = ux * vy - uy * vx;
      const length: f32 = 1 / sqrt<f32>(gx * gx + gy * gy + gz * gz);
      gx *= length;
      gy *= length;
      gz *= length;
      const kind = load<i32>(material);

      if (kind == EMITTER) {
        const er = load<f32>(material, 32);
        const eg = load<f32>(material, 36);
        const eb = load<f32>(material, 40);
        if (clear && bounces > 0) return;
        let weight: f32 = 1;
        if (!clear) {
          const facing = abs(dx * gx + dy * gy + dz * gz);
          weight = weigh(density, (lightsPerBounce * light.densityOf(er, eg, eb) * t * t) / max<f32>(1e-4, facing));
        }
        add(er * weight, eg * weight, eb * weight, bounces <= 1);
        return;
      }

      const n = mesh.normals + <usize>triangle * NORMAL_BYTES;
      const w: f32 = 1 - hitU - hitV;
      let nx: f32 = w * load<f32>(n) + hitU * load<f32>(n, 12) + hitV * load<f32>(n, 24);
      let ny: f32 = w * load<f32>(n, 4) + hitU * load<f32>(n, 16) + hitV * load<f32>(n, 28);
      let nz: f32 = w * load<f32>(n, 8) + hitU * load<f32>(n, 20) + hitV * load<f32>(n, 32);
      const unit: f32 = 1 / sqrt<f32>(max<f32>(1e-20, nx * nx + ny * ny + nz * nz));
      // Files disagree on winding; normals given in the file say which side is out.
      if (nx * gx + ny * gy + nz * gz < 0) {
        gx = -gx;
        gy = -gy;
        gz = -gz;
      }
      const entering = dx * gx + dy * gy + dz * gz < 0;
      const side: f32 = entering ? 1 : -1;
      nx *= unit * side;
      ny *= unit * side;
      nz *= unit * side;
      gx *= side;
      gy *= side;
      gz *= side;

      if (kind == GLASS) {
        if (++glasses > MAX_GLASS) return;
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
        let lift = LIFT;
        // The first surfaces reflect more often than they should and count for less: their highlights are bright.
        const chance: f32 = reflected < 1 && glasses < 3 ? 0.2 + 0.6 * reflected : reflected;
        const weight: f32 = u0 < chance ? reflected / chance : (1 - reflected) / (1 - chance);
        r *= weight;
        g *= weight;
        b *= weight;
        if (u0 < chance) {
          dx += 2 * cosine * nx;
          dy += 2 * cosine * ny;
          dz += 2 * cosine * nz;
        } else {
          const along: f32 = eta * cosine - inner;
          dx = eta * dx + along * nx;
          dy = eta * dy + along * ny;
          dz = eta * dz + along * nz;
          lift = -LIFT;
          r *= load<f32>(material, 4);
          g *= load<f32>(material, 8);
          b *= load<f32>(material, 12);
        }
        const unitD: f32 = 1 / sqrt<f32>(dx * dx + dy * dy + dz * dz);
        dx *= unitD;
        dy *= unitD;
        dz *= unitD;
        ox = px + lift * gx;
        oy = py + lift * gy;
        oz = pz + lift * gz;
        density = 0;
        continue;
      }

      // A smooth normal may look away from the eye at the rim; there it is bent back to the edge of view.
      const away: f32 = dx * nx + dy * ny + dz * nz;
      if (away > -0.01) {
        nx -= dx * (away + 0.01);
        ny -= dy * (away + 0.01);
        nz -= dz * (away + 0.01);
        const again: f32 = 1 / sqrt<f32>(nx * nx + ny * ny + nz * nz);
        nx *= again;
        ny *= again;
        nz *= again;
      }
      bsdf.setFrame(nx, ny, nz);
      bsdf.setSurface(
        load<f32>(material, 4),
        load<f32>(material, 8),
        load<f32>(material, 12),
        load<f32>(material, 16),
        load<f32>(material, 20),
        load<f32>(material, 24),
        bounces > 0 ? max(load<f32>(material, 28), INDIRECT_ALPHA) : load<f32>(material, 28),
        -dx,
        -dy,
        -dz,
      );
    }

    px += LIFT * gx;
    py += LIFT * gy;
    pz += LIFT * gz;
    draw(pair + 2);
    const choice = u0;
    const lobe = u1;
    draw(pair + 1);
    if (bounces == 0) {
      // What the camera sees is lit by two points, so that the choice between two lights is not left to chance.
      share = 0.5;
      addDirect(px, py, pz, 0.5 * choice, u0, u1, true);
      draw(pair + 3);
      addDirect(px, py, pz, 0.5 * choice + 0.5, u0, u1, true);
    } else {
      share = 1;
      addDirect(px, py, pz, choice, u0, u1, false);
    }
    if (++bounces > maxBounces) return;

    draw(pair);
    if (!bsdf.sampleDirection(lobe, u0, u1)) return;
    // Light that would pass below the true surface is the price of smooth normals: it is dropped.
    if (bsdf.outX * gx + bsdf.outY * gy + bsdf.outZ * gz <= 0) return;
    density = bsdf.density;
    r *= bsdf.valueR / density;
    g *= bsdf.valueG / density;
    b *= bsdf.valueB / density;
    if (bounces > ROULETTE_FROM) {
      const survive = min<f32>(0.95, max(r, max(g, b)));
      draw(pair + 1000);
      if (u0 >= survive) return;
      r /= survive;
      g /= survive;
      b /= survive;
    } else if (max(r, max(g, b)) < 1e-3) {
      return;
    }
    dx = bsdf.outX;
    dy = bsdf.outY;
    dz = bsdf.outZ;
    ox = px;
    oy = py;
    oz = pz;
  }
}
