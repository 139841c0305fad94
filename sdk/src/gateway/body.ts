import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { iterate } from '../storage/bytes.ts';
import { UnauthorizedError, UnsupportedEncodingError, UploadTooBigError } from '../storage/errors.ts';
import type { Writer } from './writers.ts';

/**
 * The request's body as it comes: refused as soon as it is known to be too long or compressed, taken off what the writer was granted,
 * and at its end compared with the hash that was signed.
 */
export async function* bodyOf(c: Context, maxBytes: number, writer: Writer): AsyncGenerator<Uint8Array> {
  const encoding = c.req.header('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') throw new UnsupportedEncodingError(encoding);
  if (Number(c.req.header('content-length') ?? 0) > maxBytes) throw new UploadTooBigError(maxBytes);
  const hash = writer.bodyHash === undefined ? undefined : createHash('sha256');
  let size = 0;
  if (c.req.raw.body) {
    for await (const chunk of iterate(c.req.raw.body)) {
      size += chunk.byteLength;
      if (size > maxBytes) throw new UploadTooBigError(maxBytes);
      writer.spend?.(chunk.byteLength);
      hash?.update(chunk);
      yield chunk;
    }
  }
  if (hash && `0x${hash.digest('hex')}` !== writer.bodyHash) {
    throw new UnauthorizedError('another body was signed than was sent');
  }
}

/** The whole body as text. */
export async function textOf(c: Context, maxBytes: number, writer: Writer): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of bodyOf(c, maxBytes, writer)) text += decoder.decode(chunk, { stream: true });
  return text;
}
