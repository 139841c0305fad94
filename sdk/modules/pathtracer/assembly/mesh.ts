// The triangles as the tracer wants them, moved and scaled so that every model stands on y = 0 inside the unit sphere
// around its middle: camera, lights and tolerances then need no knowledge of the model's own units.
import { allocate, fail } from '../../lib/assembly/wasi';
import { CORNER_BYTES, ObjFile } from './obj';

/** Bytes of a triangle: first corner, two edges (9 f32), material (i32). */
export const TRIANGLE_BYTES: usize = 40;
/** Bytes of a triangle's three corner normals (9 f32). */
export const NORMAL_BYTES: usize = 36;

/** The whole model. */
export class Mesh {
  triangles: usize = 0;
  normals: usize = 0;
  count: i32 = 0;
  /** Half the extents of the bounding box; its middle is at (0, halfY, 0). */
  halfX: f32 = 0;
  halfY: f32 = 0;
  halfZ: f32 = 0;
}

let minX: f32 = f32.MAX_VALUE;
let minY: f32 = f32.MAX_VALUE;
let minZ: f32 = f32.MAX_VALUE;
let maxX: f32 = -f32.MAX_VALUE;
let maxY: f32 = -f32.MAX_VALUE;
let maxZ: f32 = -f32.MAX_VALUE;

function measure(obj: ObjFile): void {
  for (let i = 0; i < obj.triangles; ++i) {
    for (let corner: usize = 0; corner < 3; ++corner) {
      const index = load<i32>(obj.corners + <usize>i * CORNER_BYTES + 4 * corner);
      const at = obj.vertices + <usize>index * 12;
      minX = min(minX, load<f32>(at));
      minY = min(minY, load<f32>(at, 4));
      minZ = min(minZ, load<f32>(at, 8));
      maxX = max(maxX, load<f32>(at));
      maxY = max(maxY, load<f32>(at, 4));
      maxZ = max(maxZ, load<f32>(at, 8));
    }
  }
}

/** Writes the unit normal of corner `index`, or the flat normal where the file has none. */
function putNormal(target: usize, obj: ObjFile, index: i32, flatX: f32, flatY: f32, flatZ: f32): void {
  let x = flatX;
  let y = flatY;
  let z = flatZ;
  if (index >= 0) {
    const at = obj.normals + <usize>index * 12;
    const nx = load<f32>(at);
    const ny = load<f32>(at, 4);
    const nz = load<f32>(at, 8);
    const length = sqrt<f32>(nx * nx + ny * ny + nz * nz);
    if (length > 1e-12 && length < 1e12) {
      x = nx / length;
      y = ny / length;
      z = nz / length;
    }
  }
  store<f32>(target, x);
  store<f32>(target, y, 4);
  store<f32>(target, z, 8);
}

/** Makes the mesh of `obj`, without the triangles that have no area. */
export function makeMesh(obj: ObjFile): Mesh {
  measure(obj);
  const middleX: f32 = 0.5 * minX + 0.5 * maxX;
  const middleZ: f32 = 0.5 * minZ + 0.5 * maxZ;
  const x: f32 = 0.5 * maxX - 0.5 * minX;
  const y: f32 = 0.5 * maxY - 0.5 * minY;
  const z: f32 = 0.5 * maxZ - 0.5 * minZ;
  const radius: f32 = sqrt<f32>(x * x + y * y + z * z);
  if (!(radius > 1e-18 && radius < 1e18)) fail('scene.obj has no extent that can be shown');
  const scale: f32 = 1 / radius;

  const mesh = new Mesh();
  mesh.halfX = x * scale;
  mesh.halfY = y * scale;
  mesh.halfZ = z * scale;
  mesh.triangles = allocate(obj.triangles * <i32>TRIANGLE_BYTES).pointer;
  mesh.normals = allocate(obj.triangles * <i32>NORMAL_BYTES).pointer;
  for (let i = 0; i < obj.triangles; ++i) {
    const corners = obj.corners + <usize>i * CORNER_BYTES;
    const a = obj.vertices + <usize>load<i32>(corners) * 12;
    const b = obj.vertices + <usize>load<i32>(corners, 4) * 12;
    const c = obj.vertices + <usize>load<i32>(corners, 8) * 12;
    const ax = (load<f32>(a) - middleX) * scale;
    const ay: f32 = (load<f32>(a, 4) - minY) * scale;
    const az = (load<f32>(a, 8) - middleZ) * scale;
    const ux = (load<f32>(b) - middleX) * scale - ax;
    const uy: f32 = (load<f32>(b, 4) - minY) * scale - ay;
    const uz = (load<f32>(b, 8) - middleZ) * scale - az;
    const vx = (load<f32>(c) - middleX) * scale - ax;
    const vy: f32 = (load<f32>(c, 4) - minY) * scale - ay;
    const vz = (load<f32>(c, 8) - middleZ) * scale - az;
    const nx = uy * vz - uz * vy;
    const ny = uz * vx - ux * vz;
    const nz = ux * vy - uy * vx;
    const length: f32 = sqrt<f32>(nx * nx + ny * ny + nz * nz);
    if (!(length > 1e-18)) continue;

    const t = mesh.triangles + <usize>mesh.count * TRIANGLE_BYTES;
    store<f32>(t, ax);
    store<f32>(t, ay, 4);
    store<f32>(t, az, 8);
    store<f32>(t, ux, 12);
    store<f32>(t, uy, 16);
    store<f32>(t, uz, 20);
    store<f32>(t, vx, 24);
    store<f32>(t, vy, 28);
    store<f32>(t, vz, 32);
    store<i32>(t, load<i32>(corners, 24), 36);
    const n = mesh.normals + <usize>mesh.count * NORMAL_BYTES;
    putNormal(n, obj, load<i32>(corners, 12), nx / length, ny / length, nz / length);
    putNormal(n + 12, obj, load<i32>(corners, 16), nx / length, ny / length, nz / length);
    putNormal(n + 24, obj, load<i32>(corners, 20), nx / length, ny / length, nz / length);
    ++mesh.count;
  }
  if (mesh.count == 0) fail('scene.obj has no face with an area: there is nothing to render');
  return mesh;
}
