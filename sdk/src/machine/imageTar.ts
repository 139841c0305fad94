/** Writes container images as `docker save` does, without an engine: one layer, no tag. The same content gives the same bytes. */
import { sha256 } from 'viem';

const BLOCK = 512;

/** A file of a tar archive. */
export interface TarFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Permission bits, 0644 when absent. */
  readonly mode?: number;
}

/** A tar archive (POSIX.1-1988, ustar) of plain files that belong to root and have no date. Names have at most 100 bytes. */
export function tarOf(files: readonly TarFile[]): Uint8Array {
  const size = files.reduce((sum, { bytes }) => sum + BLOCK + Math.ceil(bytes.length / BLOCK) * BLOCK, 2 * BLOCK);
  const archive = new Uint8Array(size);
  let at = 0;
  for (const { name, bytes, mode = 0o644 } of files) {
    const head = archive.subarray(at, at + BLOCK);
    const put = (from: number, text: string): void => head.set(new TextEncoder().encode(text), from);
    const octal = (from: number, digits: number, value: number): void =>
      put(from, `${value.toString(8).padStart(digits, '0')}\0`);
    put(0, name);
    octal(100, 7, mode);
    octal(108, 7, 0);
    octal(116, 7, 0);
    octal(124, 11, bytes.length);
    octal(136, 11, 0);
    put(148, '        0');
    put(257, 'ustar\0' + '00');
    put(
      148,
      `${head
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
    );
    archive.set(bytes, at + BLOCK);
    at += BLOCK + Math.ceil(bytes.length / BLOCK) * BLOCK;
  }
  return archive;
}

/** An image and the digest that names it: sha2-256 of its configuration, as engines call an image's id. */
export interface BuiltImage {
  readonly tar: Uint8Array;
  /** `sha256:…`, 64 hexadecimal digits. */
  readonly id: string;
}

/** An image for Linux on x64 whose only content is `files`. */
export function buildImage(files: readonly TarFile[]): BuiltImage {
  const layer = tarOf(files);
  const config = json({
    architecture: 'amd64',
    os: 'linux',
    config: {},
    created: '1970-01-01T00:00:00Z',
    history: [{ created: '1970-01-01T00:00:00Z' }],
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  });
  const id = digestOf(config);
  const name = `${id.slice('sha256:'.length)}.json`;
  const manifest = json([{ Config: name, RepoTags: null, Layers: ['layer.tar'] }]);
  const tar = tarOf([
    { name: 'layer.tar', bytes: layer },
    { name, bytes: config },
    { name: 'manifest.json', bytes: manifest },
  ]);
  return { tar, id };
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** `sha256:` and the digest of bytes, as engines write it. */
export const digestOf = (bytes: Uint8Array): string => `sha256:${sha256(bytes).slice(2)}`;
