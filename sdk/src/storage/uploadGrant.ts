import type { Address, Hex } from 'viem';
import { GatewayError } from './errors.ts';
import { gatewayUrl } from './gatewayRequest.ts';
import type { StorageDomain } from './receipt.ts';
import type { grantTypedData as GrantTypedData, WriteRequest } from './writeAuth.ts';

/** How a wallet gets leave to upload. */
export interface UploadGrantOptions {
  readonly domain: StorageDomain;
  /** The wallet. It must be named where it is a contract, and may be where it is a key. */
  readonly account?: Address | undefined;
  /** Bytes that one signature is good for; 1 GiB if absent. */
  readonly bytes?: number | undefined;
  /** Seconds that one signature is good for; an hour if absent, a day at most. */
  readonly seconds?: number | undefined;
}

/** What it needs from outside. */
export interface UploadGrantDeps {
  /** Has the wallet sign; called only where the gateway asks who writes. */
  readonly sign: (data: ReturnType<typeof GrantTypedData>) => Promise<Hex>;
  readonly fetch: typeof fetch;
  /** Unix seconds. */
  readonly nowSeconds: () => number;
}

/** A signature is renewed so long before its end, in seconds, that no upload that it has begun is cut off. */
const RENEW_SECONDS = 300;

/**
 * Headers for a browser's or a program's uploads: none where the gateway is open, else a grant that the wallet signs once and that is good
 * for many uploads. Pass it to `HttpBackend` as `headers`.
 */
export function uploadGrant(
  { domain, account, bytes = 1024 ** 3, seconds = 3_600 }: UploadGrantOptions,
  { sign, fetch, nowSeconds }: UploadGrantDeps,
): (request: Pick<WriteRequest, 'gateway'>) => Promise<Record<string, string>> {
  const granted = new Map<string, { headers: Promise<Record<string, string>>; renewAt: number }>();
  const ask = async (gateway: string, expires: number): Promise<Record<string, string>> => {
    if (!(await asksWhoWrites(gateway, fetch))) return {};
    // only who must sign loads the code for it
    const { grantHeaders, grantTypedData, newGrant } = await import('./writeAuth.ts');
    const grant = newGrant(gateway, bytes, expires);
    return grantHeaders(grant, await sign(grantTypedData(grant, domain)), account);
  };
  return ({ gateway }) => {
    const now = nowSeconds();
    const known = granted.get(gateway);
    if (known && now < known.renewAt) return known.headers;
    const headers = ask(gateway, now + seconds);
    granted.set(gateway, { headers, renewAt: now + seconds - RENEW_SECONDS });
    // a wallet that refused is asked again with the next upload
    headers.catch(() => granted.delete(gateway));
    return headers;
  };
}

async function asksWhoWrites(gateway: string, fetcher: typeof fetch): Promise<boolean> {
  const response = await fetcher(gatewayUrl(gateway, '/health'));
  if (!response.ok) throw new GatewayError(gateway, `it answered ${response.status}`);
  return ((await response.json()) as { writes?: unknown }).writes === 'signed';
}
