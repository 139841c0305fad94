// A camera that frames any model: it looks from the front, a little to the right and above, from just far enough away.
import { Mesh, TRIANGLE_BYTES } from './mesh';

/** Ray of the last `cameraRay`, unit direction. */
export let rayX: f32 = 0;
export let rayY: f32 = 0;
export let rayZ: f32 = 0;
/** Where all rays begin. */
export let eyeX: f32 = 0;
export let eyeY: f32 = 0;
export let eyeZ: f32 = 0;

/** Vertical half field of view as a tangent, about 15 degrees: long lenses flatter objects. */
const HALF_VIEW: f32 = 0.27;
/** Share of the image's width and height that the model may take. */
const FILL: f32 = 0.86;

let forwardX: f32 = 0;
let forwardY: f32 = 0;
let forwardZ: f32 = 0;
let rightX: f32 = 0;
let rightZ: f32 = 0;
let upX: f32 = 0;
let upY: f32 = 0;
let upZ: f32 = 0;
let stepX: f32 = 0;
let imageWidth: f32 = 0;
let imageHeight: f32 = 0;

/** Places the camera for an image of `width` by `height` pixels. */
export function frame(mesh: Mesh, width: i32, height: i32): void {
  imageWidth = <f32>width;
  imageHeight = <f32>height;
  // From (0.42, 0.24, 1), made of unit length.
  const length = sqrt<f32>(0.42 * 0.42 + 0.24 * 0.24 + 1);
  forwardX = -0.42 / length;
  forwardY = -0.24 / length;
  forwardZ = -1 / length;
  const level = sqrt<f32>(forwardX * forwardX + forwardZ * forwardZ);
  rightX = -forwardZ / level;
  rightZ = forwardX / level;
  upX = -rightZ * forwardY;
  upY = rightZ * forwardX - rightX * forwardZ;
  upZ = rightX * forwardY;

  // A narrow image keeps the field of view across instead of down, so that the model stays in it.
  const aspect: f32 = imageWidth / imageHeight;
  const tall: f32 = aspect < 1 ? HALF_VIEW / aspect : HALF_VIEW;
  fit(mesh, tall * aspect * FILL, tall * FILL);
  stepX = (2 * tall) / imageHeight;
}

/**
 * Moves the eye to where every corner of the mesh lies inside the view of half width `wide` and half height `high` (as
 * tangents). Each side of the view is a plane through the eye; the corner that is furthest out of each of the four
 * directions fixes its plane, and opposite planes meet where the eye must be.
 */
function fit(mesh: Mesh, wide: f32, high: f32): void {
  let right: f32 = -f32.MAX_VALUE;
  let left: f32 = -f32.MAX_VALUE;
  let above: f32 = -f32.MAX_VALUE;
  let below: f32 = -f32.MAX_VALUE;
  for (let i = 0; i < mesh.count; ++i) {
    const at = mesh.triangles + <usize>i * TRIANGLE_BYTES;
    for (let corner: usize = 0; corner < 36; corner += 12) {
      const x: f32 = load<f32>(at) + (corner > 0 ? load<f32>(at + corner) : 0);
      const y: f32 = load<f32>(at, 4) + (corner > 0 ? load<f32>(at + corner, 4) : 0);
      const z: f32 = load<f32>(at, 8) + (corner > 0 ? load<f32>(at + corner, 8) : 0);
      const along: f32 = x * forwardX + y * forwardY + z * forwardZ;
      const across: f32 = x * rightX + z * rightZ;
      const up: f32 = x * upX + y * upY + z * upZ;
      right = max(right, across - wide * along);
      left = max(left, -across - wide * along);
      above = max(above, up - high * along);
      below = max(below, -up - high * along);
    }
  }
  const across: f32 = 0.5 * (right - left);
  const up: f32 = 0.5 * (above - below);
  const along: f32 = min<f32>((-0.5 * (right + left)) / wide, (-0.5 * (above + below)) / high);
  eyeX = across * rightX + up * upX + along * forwardX;
  eyeY = up * upY + along * forwardY;
  eyeZ = across * rightZ + up * upZ + along * forwardZ;
}

/** A number in [-1, 1] with the density of a tent, which is how far a pixel's samples reach to its neighbours. */
function tent(u: f32): f32 {
  return u < 0.5 ? sqrt<f32>(2 * u) - 1 : 1 - sqrt<f32>(2 - 2 * u);
}

/** The ray of pixel (x, y) for the sample (a, b). */
export function cameraRay(x: i32, y: i32, a: f32, b: f32): void {
  const across: f32 = (<f32>x + 0.5 + tent(a) - 0.5 * imageWidth) * stepX;
  const above: f32 = (0.5 * imageHeight - <f32>y - 0.5 - tent(b)) * stepX;
  const dx = forwardX + across * rightX + above * upX;
  const dy = forwardY + above * upY;
  const dz = forwardZ + across * rightZ + above * upZ;
  const inverse: f32 = 1 / sqrt<f32>(dx * dx + dy * dy + dz * dz);
  rayX = dx * inverse;
  rayY = dy * inverse;
  rayZ = dz * inverse;
}
