// Makes the scene that the render job shows when nobody brings a model: a twisted torus knot over a round pedestal,
// with spheres of glass, metal and lacquer around it. Everything is computed; nothing was modelled by hand.
//   node sdk/modules/meshes/make-mesh.ts [folder]
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Vector = readonly [number, number, number];

/** A scene as the two files that describe it. */
export interface Scene {
  readonly obj: string;
  readonly mtl: string;
  readonly triangles: number;
}

const add = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const scale = (a: Vector, by: number): Vector => [a[0] * by, a[1] * by, a[2] * by];
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const unit = (a: Vector): Vector => scale(a, 1 / Math.hypot(...a));
const TURN = 2 * Math.PI;

/** Collects the lines of an OBJ file. */
class ObjWriter {
  #lines: string[] = [];
  #points = 0;
  /** Triangles so far, a quad counting as two. */
  triangles = 0;

  start(name: string, material: string): void {
    this.#lines.push(`o ${name}`, `usemtl ${material}`);
  }

  /** Adds a grid of `rows` by `columns` points with normals; each way it is closed or open. */
  grid(
    rows: number,
    columns: number,
    closed: { readonly rows: boolean; readonly columns: boolean },
    at: (row: number, column: number) => readonly [point: Vector, normal: Vector],
  ): void {
    const first = this.#points + 1;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const [point, normal] = at(row, column);
        this.#lines.push(`v ${point.map((x) => x.toFixed(4)).join(' ')}`);
        this.#lines.push(`vn ${normal.map((x) => x.toFixed(3)).join(' ')}`);
      }
    }
    this.#points += rows * columns;
    for (let row = 0; row < rows - (closed.rows ? 0 : 1); row++) {
      for (let column = 0; column < columns - (closed.columns ? 0 : 1); column++) {
        const below = ((row + 1) % rows) * columns;
        const next = (column + 1) % columns;
        const corners = [row * columns + column, row * columns + next, below + next, below + column];
        this.#lines.push(`f ${corners.map((corner) => `${first + corner}//${first + corner}`).join(' ')}`);
        this.triangles += 2;
      }
    }
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

function sphere(out: ObjWriter, name: string, material: string, centre: Vector, radius: number): void {
  const detail = 20 + Math.round(36 * radius);
  out.start(name, material);
  out.grid(detail + 1, 2 * detail, { rows: false, columns: true }, (row, column) => {
    const down = (Math.PI * row) / detail;
    const around = (TURN * column) / (2 * detail);
    const normal: Vector = [Math.sin(down) * Math.cos(around), Math.cos(down), Math.sin(down) * Math.sin(around)];
    return [add(centre, scale(normal, radius)), normal];
  });
}

/** A solid of revolution around the y axis. Each stretch of the profile between two points keeps its own flat normal. */
function lathe(out: ObjWriter, name: string, material: string, profile: readonly (readonly [number, number])[]): void {
  const columns = 128;
  out.start(name, material);
  for (let i = 0; i + 1 < profile.length; i++) {
    const ends = [profile[i], profile[i + 1]] as [readonly [number, number], readonly [number, number]];
    const [run, rise] = [ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]];
    const length = Math.hypot(run, rise);
    out.grid(2, columns, { rows: false, columns: true }, (row, column) => {
      const [radius, y] = ends[row] as readonly [number, number];
      const [x, z] = [Math.cos((TURN * column) / columns), Math.sin((TURN * column) / columns)];
      return [
        [radius * x, y, radius * z],
        [(rise / length) * x, -run / length, (rise / length) * z],
      ];
    });
  }
}

/** A quarter circle of `steps` stretches from straight down-going to level, for rounded edges. */
function rounded(x: number, y: number, radius: number, steps: number): (readonly [number, number])[] {
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = (Math.PI / 2) * (i / steps);
    return [x - radius + radius * Math.cos(angle), y - radius + radius * Math.sin(angle)] as const;
  });
}

/** The knot: three lobes that turn around a (2, 3) torus knot while they travel along it. */
function knot(out: ObjWriter, centre: Vector, size: number): void {
  const [rows, columns] = [600, 24];
  const path = (t: number): Vector => {
    const ring = 1 + 0.42 * Math.cos(3 * t);
    // Stands upright: the hole of the torus looks to the front.
    return [ring * Math.cos(2 * t), ring * Math.sin(2 * t), 0.5 * Math.sin(3 * t)];
  };
  const frame = (t: number): { middle: Vector; side: Vector; out: Vector } => {
    const tangent = unit(add(path(t + 1e-4), scale(path(t - 1e-4), -1)));
    const middle = path(t);
    // Away from the ring's own centre line, which never runs along the tangent: no frame can flip.
    const ring: Vector = [Math.cos(2 * t), Math.sin(2 * t), 0];
    const rough = add(middle, scale(ring, -1));
    const outward = unit(add(rough, scale(tangent, -dot(rough, tangent))));
    return { middle, side: cross(tangent, outward), out: outward };
  };
  const surface = (row: number, column: number): Vector => {
    const t = (TURN * row) / rows;
    const around = (TURN * column) / columns;
    const twist = 3 * t;
    const radius = 0.215 * (1 + 0.2 * Math.cos(3 * around + 3 * twist));
    const { middle, side, out: outward } = frame(t);
    const offset = add(scale(outward, radius * Math.cos(around)), scale(side, radius * Math.sin(around)));
    return add(centre, scale(add(middle, offset), size));
  };
  out.start('knot', 'knot');
  out.grid(rows, columns, { rows: true, columns: true }, (row, column) => {
    const h = 1e-2;
    const along = add(surface(row + h, column), scale(surface(row - h, column), -1));
    const across = add(surface(row, column + h), scale(surface(row, column - h), -1));
    return [surface(row, column), unit(cross(across, along))];
  });
}

const MATERIALS: Readonly<Record<string, string>> = {
  knot: 'Kd 0 0 0\nKs 1.00 0.66 0.40\nNs 220\nillum 3',
  pedestal: 'Kd 0.62 0.62 0.63\nKs 0.5 0.5 0.5\nNs 400\nillum 2',
  plinth: 'Kd 0.045 0.05 0.06\nKs 0.7 0.7 0.7\nNs 900\nillum 2',
  glass: 'Kd 0.97 0.99 0.99\nd 0.1\nNi 1.5\nillum 7',
  amber: 'Kd 0.99 0.76 0.40\nd 0.1\nNi 1.5\nillum 7',
  chrome: 'Kd 0 0 0\nKs 0.92 0.93 0.95\nNs 6000\nillum 3',
  blue: 'Kd 0.02 0.13 0.52\nKs 0.6 0.6 0.6\nNs 3000\nillum 2',
  red: 'Kd 0.62 0.05 0.04\nKs 0.6 0.6 0.6\nNs 600\nillum 2',
  teal: 'Kd 0.02 0.34 0.32\nKs 0.6 0.6 0.6\nNs 1500\nillum 2',
  ivory: 'Kd 0.82 0.77 0.68\nKs 0.4 0.4 0.4\nNs 120\nillum 2',
};

/** The scene, the same on each call. Lengths are in metres of a scene three metres across. */
export function makeScene(): Scene {
  const out = new ObjWriter();
  const top = 0.34;
  lathe(out, 'plinth', 'plinth', [[1.12, 0], ...rounded(1.12, 0.14, 0.03, 6), [0, 0.14]]);
  lathe(out, 'pedestal', 'pedestal', [[0.94, 0.14], ...rounded(0.94, top, 0.04, 6), [0, top]]);
  const size = 0.62;
  knot(out, [0, top + size * 1.635, 0], size);
  const ball = (name: string, material: string, x: number, z: number, radius: number): void =>
    sphere(out, name, material, [x, radius, z], radius);
  ball('glass', 'glass', -1.52, 0.62, 0.4);
  ball('chrome', 'chrome', 1.66, -0.3, 0.5);
  ball('blue', 'blue', 1.3, 0.92, 0.25);
  ball('red', 'red', -1.86, -0.5, 0.34);
  ball('amber', 'amber', 0.36, 1.52, 0.17);
  ball('teal', 'teal', -0.74, 1.3, 0.14);
  ball('ivory', 'ivory', 2.02, 0.46, 0.18);
  const mtl = Object.entries(MATERIALS).map(([name, lines]) => `newmtl ${name}\n${lines}\n`);
  return { obj: `mtllib scene.mtl\n${out.text()}`, mtl: mtl.join('\n'), triangles: out.triangles };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? import.meta.dirname;
  const scene = makeScene();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'scene.obj'), scene.obj);
  writeFileSync(join(folder, 'scene.mtl'), scene.mtl);
  console.log(`scene.obj: ${scene.triangles} triangles, ${scene.obj.length} bytes`);
}
