/** The chain said no, or nothing answered. `code` is JSON-RPC's, 0 when there was no answer. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;

  constructor(message: string, code: number, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** The newest block, as much of it as the page needs. */
export interface Block {
  number: number;
  /** Unix seconds. */
  timestamp: number;
}

/**
 * The newest block by plain JSON-RPC. Written out so that the first page shows a living chain before viem, ten times the
 * size of everything else, has been loaded.
 */
export async function latestBlock(rpcUrl: string, signal: AbortSignal): Promise<Block> {
  let response: Response;
  try {
    response = await fetch(rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_getBlockByNumber', params: ['latest', false] }),
      signal,
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new RpcError('The chain cannot be reached. Check your connection.', 0, cause);
  }
  const body = (await response.json().catch(() => undefined)) as
    { result?: { number?: unknown; timestamp?: unknown }; error?: { code?: unknown; message?: unknown } } | undefined;
  const { number, timestamp } = body?.result ?? {};
  if (typeof number !== 'string' || typeof timestamp !== 'string') {
    throw new RpcError(`The chain's answer cannot be read: ${String(body?.error?.message ?? response.status)}`, 0);
  }
  return { number: Number(number), timestamp: Number(timestamp) };
}
