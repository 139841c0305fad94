/** Reads an image as `docker save` writes it, and makes it anew with nothing in it but what its id stands for. */
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { digestOf, tarOf, type TarFile } from '@dpu/sdk/machine/imageTar';
import { refuse } from '../wasm/request.ts';

const MIB = 1024 * 1024;
/** Most bytes of an image, its layers unpacked. */
const MOST_BYTES = 4096 * MIB;
const MOST_FILES = 1_024;
const MOST_LAYERS = 128;
/** Most bytes of a configuration or a manifest. */
const MOST_JSON = 4 * MIB;

interface Manifest {
  readonly Config: string;
  readonly Layers: readonly string[];
}

/** An image that is what its id says. */
export interface CheckedImage {
  /** For the engine: a `docker save` archive with one image, and no name or tag that would take another's place. */
  readonly archive: Buffer;
}

/**
 * Checks that an archive holds the image `id`: its configuration has that digest, and each layer the digest that stands there. Layers
 * may be packed with gzip.
 * @throws ShardError of reason `module-rejected`
 */
export async function checkImage(archive: Uint8Array, id: string): Promise<CheckedImage> {
  const files = await filesOf(archive);
  const manifest = manifestOf(files);
  const config = files.get(manifest.Config);
  if (config === undefined || config.length > MOST_JSON) throw refuse('its image has no configuration');
  if (digestOf(config) !== id) throw refuse(`its image is ${digestOf(config)}, not the ${id} that its settings name`);
  const diffs = diffsOf(config);
  if (diffs.length !== manifest.Layers.length || diffs.length > MOST_LAYERS)
    throw refuse(`its image has ${manifest.Layers.length} layers, its configuration says ${diffs.length}`);
  let left = MOST_BYTES;
  const layers = manifest.Layers.map((name, index): TarFile => {
    const bytes = unpacked(files.get(name), left);
    left -= bytes.length;
    if (digestOf(bytes) !== diffs[index])
      throw refuse(`layer ${index} of its image is not what its configuration says`);
    return { name: `${index}.tar`, bytes };
  });
  const Config = `${id.slice('sha256:'.length)}.json`;
  const json = JSON.stringify([{ Config, RepoTags: null, Layers: layers.map(({ name }) => name) }]);
  const written = [...layers, { name: Config, bytes: config }, { name: 'manifest.json', bytes: Buffer.from(json) }];
  return { archive: Buffer.from(tarOf(written)) };
}

async function filesOf(archive: Uint8Array): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const reader = extract();
  try {
    reader.end(archive);
    for await (const entry of reader) {
      const parts: Uint8Array[] = [];
      for await (const piece of entry) parts.push(piece as Uint8Array);
      if (entry.header.type !== 'file' && entry.header.type !== 'contiguous-file') continue;
      if (files.size === MOST_FILES) throw refuse(`its image has more than ${MOST_FILES} files`);
      files.set(entry.header.name.replace(/^\.\//, ''), new Uint8Array(Buffer.concat(parts)));
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'ShardError') throw error;
    throw refuse(`its module is no archive of an image: ${error instanceof Error ? error.message : String(error)}`);
  }
  return files;
}

function parsed(bytes: Uint8Array | undefined, what: string): unknown {
  try {
    if (bytes !== undefined && bytes.length <= MOST_JSON) return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // Said below.
  }
  throw refuse(`its module is no image: ${what} is missing or cannot be read`);
}

function manifestOf(files: ReadonlyMap<string, Uint8Array>): Manifest {
  const list = parsed(files.get('manifest.json'), 'manifest.json');
  const [one] = Array.isArray(list) && list.length === 1 ? (list as Partial<Manifest>[]) : [];
  if (
    typeof one?.Config !== 'string' ||
    !Array.isArray(one.Layers) ||
    one.Layers.some((name) => typeof name !== 'string')
  )
    throw refuse('its manifest.json does not describe one image');
  return one as Manifest;
}

function diffsOf(config: Uint8Array): readonly unknown[] {
  const { rootfs } = (parsed(config, 'its configuration') ?? {}) as { rootfs?: { diff_ids?: unknown } };
  return Array.isArray(rootfs?.diff_ids) ? rootfs.diff_ids : [];
}

function unpacked(layer: Uint8Array | undefined, most: number): Uint8Array {
  if (layer === undefined) throw refuse('a layer of its image is missing');
  const isPacked = layer[0] === 0x1f && layer[1] === 0x8b;
  if (!isPacked && layer.length <= most) return layer;
  try {
    if (isPacked && most > 0) return gunzipSync(layer, { maxOutputLength: most });
  } catch {
    // Said below.
  }
  throw refuse(`its image is damaged, or larger than ${MOST_BYTES} bytes`);
}
