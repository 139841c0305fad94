/** A scene in words, for who has no .blend file: what a render job's module may be instead. Lengths are metres, angles degrees, colours linear 0 … 1. */
import * as z from 'zod';

const MOST = { objects: 10_000, materials: 1_000, lights: 256, reach: 100_000 } as const;

const number = (least: number, most: number) => z.number().min(least).max(most);
const place = z.tuple([
  number(-MOST.reach, MOST.reach),
  number(-MOST.reach, MOST.reach),
  number(-MOST.reach, MOST.reach),
]);
const colour = z.tuple([number(0, 1), number(0, 1), number(0, 1)]);
const share = number(0, 1);

/** Schema of a scene. What may be absent is as Blender has it. */
export const sceneSchema = z
  .strictObject({
    camera: z.strictObject({
      from: place,
      to: place,
      /** Focal length in millimetres, for a sensor of 36. */
      lens: number(1, 1_000).default(50),
    }),
    sky: z.strictObject({ colour, strength: number(0, 1_000) }),
    lights: z
      .array(
        z.strictObject({
          kind: z.enum(['sun', 'area', 'point']),
          from: place,
          to: place,
          /** Watts, of a sun watts a square metre. */
          power: number(0, 1_000_000),
          /** Side or radius; of a sun its angle. Larger makes softer shadows. */
          size: number(0, 1_000).default(1),
          colour: colour.default([1, 1, 1]),
        }),
      )
      .max(MOST.lights),
    materials: z
      .array(
        z.strictObject({
          colour,
          roughness: share.default(0.5),
          metallic: share.default(0),
          transmission: share.default(0),
          /** How much light it gives itself. */
          glow: number(0, 1_000).default(0),
        }),
      )
      .min(1)
      .max(MOST.materials),
    objects: z
      .array(
        z.strictObject({
          shape: z.enum(['sphere', 'cube', 'plane', 'torus', 'cylinder', 'cone', 'monkey']),
          at: place,
          scale: place.default([1, 1, 1]),
          turn: place.default([0, 0, 0]),
          /** Position in `materials`. */
          material: z.int().min(0).default(0),
          smooth: z.boolean().default(false),
        }),
      )
      .max(MOST.objects),
  })
  .check(({ value: { materials, objects }, issues }) => {
    objects.forEach(({ material }, index) => {
      if (material < materials.length) return;
      const message = `must be below ${materials.length}, the number of materials`;
      issues.push({ code: 'custom', path: ['objects', index, 'material'], message, input: material });
    });
  });

/** A scene, every default filled in. */
export type Scene = z.output<typeof sceneSchema>;
/** A scene as it is written. */
export type SceneInput = z.input<typeof sceneSchema>;
