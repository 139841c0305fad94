import type { RenderSettings } from '@dpu/sdk/runtimes/render';
import type { SceneInput } from '@dpu/sdk/runtimes/scene';
import { readPng } from '@dpu/sdk/compare/png';
import type { ShardRequest } from '../runtime.ts';

const MIB = 1024 * 1024;
const SIDE = 32;

/** A red ball that glows before a blue sky, and nothing that chance has a say in. */
const SCENE: SceneInput = {
  camera: { from: [0, -6, 0], to: [0, 0, 0], lens: 50 },
  sky: { colour: [0, 0, 1], strength: 1 },
  lights: [],
  materials: [{ colour: [1, 0, 0], roughness: 1, glow: 1 }],
  objects: [{ shape: 'sphere', at: [0, 0, 0], smooth: true }],
};
const SETTINGS: RenderSettings = {
  ...{ width: 2 * SIDE, height: SIDE, tileWidth: SIDE, tileHeight: SIDE },
  ...{ samples: 4, bounces: 0, seed: 1 },
};

/** The right half of a picture whose content is known. */
export const SELF_TEST: ShardRequest = {
  module: Buffer.from(JSON.stringify(SCENE)),
  settings: SETTINGS,
  args: [],
  shard: 1,
  shards: 2,
  inputs: [],
  seed: new Uint8Array(32),
  limits: { memoryBytes: 512 * MIB, units: 1_000, outputBytes: MIB, seconds: 120 },
};

const HALF_SCALE = 0x8000;

/** What is wrong with the picture; undefined when the ball's right half is red at the left and the sky blue at the right. */
export function selfTestProblem(picture: Uint8Array): string | undefined {
  const image = readPng(picture);
  if (image.width !== SIDE || image.height !== SIDE) return `its picture has ${image.width} × ${image.height} pixels`;
  // A row is only good until the next one is read.
  const rows = Array.from(image.rows(), (row) => Uint16Array.from(row));
  const pixel = (x: number, y: number): [red: number, blue: number] => [rows[y]![4 * x]!, rows[y]![4 * x + 2]!];
  const [ball, sky] = [pixel(1, SIDE / 2), pixel(SIDE - 2, 1)];
  if (ball[0] < HALF_SCALE || ball[1] >= ball[0]) return 'the ball is not red';
  if (sky[1] < HALF_SCALE || sky[0] >= sky[1]) return 'the sky is not blue';
  return undefined;
}
