import { chunksOf, type FileSource } from '@dpu/sdk/storage/bytes';

/** All bytes of a source, in one piece. */
export async function readAllBytes(source: FileSource, signal?: AbortSignal): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  const parts: Uint8Array[] = [];
  for await (const piece of chunksOf(source, signal)) parts.push(piece);
  return new Uint8Array(Buffer.concat(parts));
}
