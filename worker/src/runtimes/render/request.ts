/** What a shard of a render job is asked to do, checked before Blender starts. */
import { renderSettingsSchema, renderUnits, tileOf, type Tile } from '@dpu/sdk/runtimes/render';
import { sceneSchema } from '@dpu/sdk/runtimes/scene';
import { problemsOf } from '@dpu/sdk/problems';
import { ShardError, type ShardRequest } from '../runtime.ts';
import { checkRequest, refuse } from '../wasm/request.ts';

/** Most bytes of a scene. */
const MODULE_BYTES = 1024 * 1024 * 1024;
/** How .blend files begin: plain, or packed with gzip (to version 2.93) or Zstandard. */
const BLEND: readonly (readonly number[])[] = [[...Buffer.from('BLENDER')], [0x1f, 0x8b], [0x28, 0xb5, 0x2f, 0xfd]];
const BRACE = 0x7b;

/** A request that passed every check. */
export interface PreparedRender {
  readonly files: ReadonlyMap<string, Uint8Array | string>;
  readonly tile: Tile;
  /** What the shard counts as: from the settings alone. */
  readonly units: number;
}

/**
 * Checks a request and lays out its files. `threads` are the node's business.
 * @throws ShardError of reason `module-rejected` or `out-of-units`.
 */
export function prepareRender(request: ShardRequest, threads: number): PreparedRender {
  checkRequest(request, MODULE_BYTES);
  const { module, shard, limits } = request;
  const parsed = renderSettingsSchema.safeParse(request.settings);
  if (!parsed.success) throw refuse('its settings are not those of the render runtime');
  const settings = parsed.data;
  const { width, height, samples, seed, bounces = null } = settings;
  const units = renderUnits(settings, shard);
  const tile = tileOf(settings, shard);
  const blend = BLEND.some((magic) => magic.every((byte, i) => module[i] === byte));
  const scene = blend ? (['scene.blend', module] as const) : (['scene.json', sceneOf(module)] as const);
  if (units > Number(limits.units))
    throw new ShardError('out-of-units', 'job', `The shard needs ${units} units, its spec allows ${limits.units}.`);
  const job = { blend, width, height, samples, seed, bounces, tile, threads };
  return { files: new Map<string, Uint8Array | string>([scene, ['job.json', JSON.stringify(job)]]), tile, units };
}

/** The scene's words, every default filled in. @throws ShardError */
function sceneOf(module: Uint8Array): string {
  if (module[0] !== BRACE) throw refuse('its module is neither a .blend file nor a scene in words');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(module));
  } catch {
    throw refuse('its scene is no JSON');
  }
  const parsed = sceneSchema.safeParse(value, { reportInput: true });
  if (parsed.success) return JSON.stringify(parsed.data);
  const list = problemsOf(parsed.error).slice(0, 5);
  throw refuse(`its scene is not valid: ${list.map(({ path, sentence }) => `${path} ${sentence}`).join('; ')}`);
}
