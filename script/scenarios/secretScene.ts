/** A scene that nobody has seen: a ring of towers of random heights and colours. */

const TOWERS = 13;
const COLOURS = 4;
/** The corners of a box, and its sides as triangles that look outwards. */
const CORNERS = [
  [-1, 0, -1],
  [1, 0, -1],
  [1, 0, 1],
  [-1, 0, 1],
  [-1, 1, -1],
  [1, 1, -1],
  [1, 1, 1],
  [-1, 1, 1],
] as const;
const TRIANGLES = '021 032 456 467 015 054 126 165 237 276 304 347'.split(' ').map((text) => [...text].map(Number));

/** The files `scene.obj` and `scene.mtl`, different each time. */
export function secretScene(): ReadonlyMap<string, Uint8Array> {
  const lines = ['mtllib scene.mtl'];
  for (let tower = 0; tower < TOWERS; tower += 1) {
    const angle = (2 * Math.PI * tower) / TOWERS;
    const [x, z] = [Math.cos(angle), Math.sin(angle)];
    const [half, height] = [0.12 + 0.08 * random(), 0.3 + 1.2 * random()];
    lines.push(`usemtl colour${tower % COLOURS}`);
    for (const [a, b, c] of CORNERS) lines.push(`v ${text(x + half * a)} ${text(height * b)} ${text(z + half * c)}`);
    for (const corners of TRIANGLES) lines.push(`f ${corners.map((corner) => 8 * tower + corner + 1).join(' ')}`);
  }
  const materials = Array.from({ length: COLOURS }, (_, index) =>
    [`newmtl colour${index}`, `Kd ${text(random())} ${text(random())} ${text(random())}`, 'illum 1'].join('\n'),
  );
  const bytes = (content: string): Uint8Array => new TextEncoder().encode(`${content}\n`);
  return new Map([
    ['scene.obj', bytes(lines.join('\n'))],
    ['scene.mtl', bytes(materials.join('\n'))],
  ]);
}

const text = (value: number): string => value.toFixed(9);

function random(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] as number) / 2 ** 32;
}
