/** Assets from this machine's disk, for Node. Browsers fetch the same files from wherever the app serves them. */
import { readFile } from 'node:fs/promises';

/** Where `npm run build` leaves the modules and the built-in scene. */
const BUILD = new URL('../../modules/build/', import.meta.url);

/** Thrown when an asset is not there. */
export class MissingAssetError extends Error {
  readonly retryable = false;
  readonly asset: string;

  constructor(asset: string, cause: unknown) {
    super(`The asset ${asset} has not been built. Run: npm run build:modules`, { cause });
    this.name = 'MissingAssetError';
    this.asset = asset;
  }
}

/**
 * Reads the built asset `name`, e.g. `pathtracer.wasm`.
 * @throws MissingAssetError when it was not built.
 */
export async function diskAsset(name: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(new URL(name, BUILD)));
  } catch (error) {
    throw new MissingAssetError(name, error);
  }
}
