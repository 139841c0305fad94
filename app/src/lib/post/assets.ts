/** Built modules, kernels, scenes, models and data sets of the templates, as files that this page serves. */
const urls = import.meta.glob<string>('../../../../sdk/modules/build/*.{wasm,wgsl,obj,mtl,idx,onnx,bin}', {
  query: '?url',
  import: 'default',
  eager: true,
});

/** Thrown when a file that a template needs is not served. */
export class MissingAsset extends Error {
  override readonly name = 'MissingAsset';
  readonly retryable: boolean;

  constructor(asset: string, retryable: boolean) {
    super(
      retryable
        ? `The file ${asset} could not be fetched from this page's server.`
        : `This page was built without ${asset}. Build the modules, then the page again.`,
    );
    this.retryable = retryable;
  }
}

/** Fetches the template file `name`, e.g. `pathtracer.wasm`. */
export async function fetchAsset(name: string): Promise<Uint8Array> {
  const url = Object.entries(urls).find(([path]) => path.endsWith(`/${name}`))?.[1];
  if (url === undefined) throw new MissingAsset(name, false);
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok) throw new MissingAsset(name, true);
  return new Uint8Array(await response.arrayBuffer());
}
