// The table of materials, filled from an MTL file or, without one, from a built-in set.
import { Cursor, sameText, toText } from '../../lib/assembly/text';
import { Bytes, log } from '../../lib/assembly/wasi';

/** A rough or polished opaque surface: a diffuse base under a GGX coat. */
export const SURFACE = 0;
/** A clear dielectric: reflects and refracts without blur. */
export const GLASS = 1;
/** A surface that only emits. */
export const EMITTER = 2;

/** Bytes per record of the table: kind, diffuse r g b, coat r g b at normal incidence, alpha, emission r g b, index. */
export const MATERIAL_BYTES: usize = 64;
const MAX_MATERIALS = 4096;
/** A coat smoother than this would need numbers that f32 has not. */
const MIN_ALPHA: f32 = 0.015;
/** Phong's Ks of 1 is taken for a coat that reflects this much at normal incidence. */
const COAT_PER_KS: f32 = 0.08;

/** First record. */
export const materials: usize = heap.alloc(<usize>MAX_MATERIALS * MATERIAL_BYTES);
const names: Array<Bytes> = [];
let fromFile = false;

/** Brightness of a colour as the eye weighs it. */
export function luminance(r: f32, g: f32, b: f32): f32 {
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function setColour(at: usize, r: f32, g: f32, b: f32): void {
  store<f32>(at, r);
  store<f32>(at, g, 4);
  store<f32>(at, b, 8);
}

function setSurface(index: i32, r: f32, g: f32, b: f32, coat: f32, alpha: f32): void {
  const at = materials + <usize>index * MATERIAL_BYTES;
  memory.fill(at, 0, MATERIAL_BYTES);
  setColour(at + 4, r, g, b);
  setColour(at + 16, coat, coat, coat);
  store<f32>(at, alpha, 28);
  store<f32>(at, 1.5, 44);
}

function setMetal(index: i32, r: f32, g: f32, b: f32, alpha: f32): void {
  setSurface(index, 0, 0, 0, 0, alpha);
  setColour(materials + <usize>index * MATERIAL_BYTES + 16, r, g, b);
}

/** The look of the n-th material that an OBJ file names when there is no MTL file to say what it is. */
function setDefault(index: i32, n: i32): void {
  const kind = n % 6;
  if (kind == 0) setSurface(index, 0.72, 0.27, 0.13, 0.04, 0.16);
  else if (kind == 1) setMetal(index, 0.95, 0.68, 0.36, 0.14);
  else if (kind == 2) setSurface(index, 0.05, 0.3, 0.36, 0.05, 0.1);
  else if (kind == 3) setSurface(index, 0.78, 0.72, 0.62, 0.04, 0.3);
  else if (kind == 4) setMetal(index, 0.82, 0.83, 0.86, 0.05);
  else setSurface(index, 0.06, 0.09, 0.34, 0.05, 0.06);
}

/** Adds a material called `name` with the next default look and returns its index. */
function add(name: Bytes): i32 {
  const index = names.length;
  if (index >= MAX_MATERIALS) {
    log('warning: more than ' + MAX_MATERIALS.toString() + ' materials, the rest look like the last');
    return MAX_MATERIALS - 1;
  }
  setDefault(index, index);
  names.push(name);
  return index;
}

function find(name: Bytes): i32 {
  for (let i = 0; i < names.length; ++i) if (sameText(names[i], name)) return i;
  return -1;
}

/** The material for faces before any `usemtl`. */
export function firstMaterial(): i32 {
  return names.length == 0 || fromFile ? materialNamed(new Bytes(0, 0)) : 0;
}

/** The material called `name`. One that no file describes gets a default look, told once on stderr. */
export function materialNamed(name: Bytes): i32 {
  const known = find(name);
  if (known >= 0) return known;
  if (fromFile && name.size > 0) log("warning: material '" + toText(name) + "' is not in scene.mtl");
  return add(name);
}

/** What an MTL file says of one material, before it is mapped to what the renderer knows. */
class Description {
  kd: StaticArray<f32> = [0.7, 0.7, 0.7];
  ks: StaticArray<f32> = [0, 0, 0];
  ke: StaticArray<f32> = [0, 0, 0];
  tf: StaticArray<f32> = [-1, -1, -1];
  ns: f32 = 50;
  ni: f32 = 1.5;
  dissolve: f32 = 1;
  illum: i32 = 2;
}

function lum(c: StaticArray<f32>): f32 {
  return luminance(c[0], c[1], c[2]);
}

function setFrom(at: usize, c: StaticArray<f32>, by: f32): void {
  setColour(at, min<f32>(1, c[0] * by), min<f32>(1, c[1] * by), min<f32>(1, c[2] * by));
}

/**
 * A light if it emits, glass if it lets light through, metal if Ks is strong and there is no Kd to speak of (or illum says
 * mirror and Ks outweighs Kd), else diffuse with a coat of Ks.
 */
function describe(index: i32, d: Description): void {
  const alpha = max<f32>(MIN_ALPHA, min<f32>(1, sqrt<f32>(2 / (max<f32>(0, d.ns) + 2))));
  setSurface(index, 0, 0, 0, 0, alpha);
  const at = materials + <usize>index * MATERIAL_BYTES;
  if (lum(d.ke) > 0) {
    store<i32>(at, EMITTER);
    setColour(at + 32, d.ke[0], d.ke[1], d.ke[2]);
  } else if (d.dissolve < 0.95 || d.illum == 4 || d.illum == 6 || d.illum == 7 || d.illum == 9) {
    store<i32>(at, GLASS);
    if (d.tf[0] >= 0) setFrom(at + 4, d.tf, 1);
    else if (lum(d.kd) > 0.05) setFrom(at + 4, d.kd, 1);
    else setColour(at + 4, 1, 1, 1);
    store<f32>(at, max<f32>(1.01, d.ni), 44);
  } else if (lum(d.ks) > 0.3 && (lum(d.kd) < 0.02 || ((d.illum == 3 || d.illum == 5) && lum(d.ks) > lum(d.kd)))) {
    setFrom(at + 16, d.ks, 1);
  } else {
    setFrom(at + 4, d.kd, 1);
    setFrom(at + 16, d.ks, COAT_PER_KS);
  }
}

function readColour(cursor: Cursor, colour: StaticArray<f32>): void {
  for (let i = 0; i < 3; ++i) {
    // A colour may be given as one number for all three channels.
    colour[i] = i > 0 && !cursor.word() ? colour[0] : max<f32>(0, cursor.float());
  }
}

/** Fills the table from the MTL file `file`. Texture maps and unknown lines are passed over. */
export function readMaterials(file: Bytes): void {
  const cursor = new Cursor(file, 'scene.mtl');
  fromFile = true;
  let index = -1;
  let d = new Description();
  do {
    if (!cursor.word()) continue;
    if (cursor.takeKeyword('newmtl')) {
      if (index >= 0) describe(index, d);
      const name = cursor.takeLine();
      const known = find(name);
      index = known >= 0 ? known : add(name);
      d = new Description();
    } else if (index < 0) continue;
    else if (cursor.takeKeyword('Kd')) readColour(cursor, d.kd);
    else if (cursor.takeKeyword('Ks')) readColour(cursor, d.ks);
    else if (cursor.takeKeyword('Ke')) readColour(cursor, d.ke);
    else if (cursor.takeKeyword('Tf')) readColour(cursor, d.tf);
    else if (cursor.takeKeyword('Ns')) d.ns = cursor.float();
    else if (cursor.takeKeyword('Ni')) d.ni = cursor.float();
    else if (cursor.takeKeyword('d')) d.dissolve = cursor.float();
    else if (cursor.takeKeyword('Tr')) d.dissolve = 1 - cursor.float();
    else if (cursor.takeKeyword('illum')) d.illum = <i32>cursor.float();
  } while (cursor.nextLine());
  if (index >= 0) describe(index, d);
}
