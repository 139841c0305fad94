// Reads an OBJ file into flat tables. Two passes: the first counts, so that nothing has to grow.
import { Cursor } from '../../lib/assembly/text';
import { Bytes, allocate, fail } from '../../lib/assembly/wasi';
import { firstMaterial, materialNamed } from './material';

const SLASH: u8 = 47;
/** Twice what a large model has, and what fits in memory beside its hierarchy. */
const MAX_TRIANGLES = 4_000_000;
/** Bytes of one triangle in `corners`: three vertex indices, three normal indices (-1: none), one material. */
export const CORNER_BYTES: usize = 28;

/** A parsed file. */
export class ObjFile {
  /** 3 f32 each. */
  vertices: usize = 0;
  /** 3 f32 each, as given, not of unit length. */
  normals: usize = 0;
  /** `CORNER_BYTES` each. */
  corners: usize = 0;
  triangles: i32 = 0;
}

let vertexTotal = 0;
let normalTotal = 0;
let triangleTotal = 0;
let vertexCount = 0;
let normalCount = 0;

function count(file: Bytes): void {
  const cursor = new Cursor(file, 'scene.obj');
  do {
    if (!cursor.word()) continue;
    if (cursor.takeKeyword('v')) ++vertexTotal;
    else if (cursor.takeKeyword('vn')) ++normalTotal;
    else if (cursor.takeKeyword('f')) {
      let words = 0;
      for (; cursor.word(); ++words) while (!cursor.atWordEnd) ++cursor.at;
      triangleTotal += max(0, words - 2);
      if (triangleTotal > MAX_TRIANGLES) fail('scene.obj has more than ' + MAX_TRIANGLES.toString() + ' triangles');
    }
  } while (cursor.nextLine());
}

function readVector(cursor: Cursor, at: usize): void {
  store<f32>(at, cursor.float());
  store<f32>(at, cursor.float(), 4);
  store<f32>(at, cursor.float(), 8);
}

/** An index as OBJ counts, from 1 or backwards from the last read, made to count from 0. */
function readIndex(cursor: Cursor, soFar: i32, total: i32, what: string): i32 {
  const given = cursor.integer();
  const index = given < 0 ? soFar + given : given - 1;
  if (given == 0 || index < 0 || index >= total) {
    cursor.fail(what + ' ' + given.toString() + ' does not exist, there are ' + total.toString());
  }
  return index;
}

let vertexIndex = 0;
let normalIndex = 0;

/** Reads `v`, `v/vt`, `v//vn` or `v/vt/vn` into the two variables above. */
function readCorner(cursor: Cursor): void {
  vertexIndex = readIndex(cursor, vertexCount, vertexTotal, 'vertex');
  normalIndex = -1;
  if (cursor.takeByte(SLASH)) {
    if (!cursor.takeByte(SLASH)) {
      if (!cursor.atWordEnd) cursor.integer(); // Texture coordinates are not used.
      if (!cursor.takeByte(SLASH)) return endCorner(cursor);
    }
    if (!cursor.atWordEnd) normalIndex = readIndex(cursor, normalCount, normalTotal, 'normal');
  }
  endCorner(cursor);
}

function endCorner(cursor: Cursor): void {
  if (!cursor.atWordEnd) cursor.fail('a corner must be v, v/vt, v//vn or v/vt/vn');
}

/** Reads a face and adds it as a fan of triangles, which is right for convex polygons. */
function readFace(cursor: Cursor, obj: ObjFile, material: i32): void {
  let firstVertex = 0;
  let firstNormal = 0;
  let lastVertex = 0;
  let lastNormal = 0;
  let corners = 0;
  for (; cursor.word(); ++corners) {
    readCorner(cursor);
    if (corners == 0) {
      firstVertex = vertexIndex;
      firstNormal = normalIndex;
    } else if (corners > 1) {
      const at = obj.corners + <usize>obj.triangles * CORNER_BYTES;
      ++obj.triangles;
      store<i32>(at, firstVertex);
      store<i32>(at, lastVertex, 4);
      store<i32>(at, vertexIndex, 8);
      store<i32>(at, firstNormal, 12);
      store<i32>(at, lastNormal, 16);
      store<i32>(at, normalIndex, 20);
      store<i32>(at, material, 24);
    }
    lastVertex = vertexIndex;
    lastNormal = normalIndex;
  }
  if (corners < 3) cursor.fail('a face has ' + corners.toString() + ' corners, at least 3 are needed');
}

/** Parses `file`, ending the shard with a message that names the line when it is not a usable OBJ file. */
export function readObj(file: Bytes): ObjFile {
  count(file);
  if (triangleTotal == 0) fail('scene.obj has no faces: there is nothing to render');
  const obj = new ObjFile();
  obj.vertices = allocate(vertexTotal * 12).pointer;
  obj.normals = allocate(normalTotal * 12).pointer;
  obj.corners = allocate(triangleTotal * <i32>CORNER_BYTES).pointer;

  const cursor = new Cursor(file, 'scene.obj');
  let material = -1;
  do {
    if (!cursor.word()) continue;
    if (cursor.takeKeyword('v')) {
      readVector(cursor, obj.vertices + <usize>vertexCount * 12);
      ++vertexCount;
    } else if (cursor.takeKeyword('vn')) {
      readVector(cursor, obj.normals + <usize>normalCount * 12);
      ++normalCount;
    } else if (cursor.takeKeyword('f')) {
      if (material < 0) material = firstMaterial();
      readFace(cursor, obj, material);
    } else if (cursor.takeKeyword('usemtl')) {
      material = materialNamed(cursor.takeLine());
    }
  } while (cursor.nextLine());
  return obj;
}
