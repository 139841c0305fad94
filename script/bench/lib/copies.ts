import { randomBytes } from 'node:crypto';
import { startGateway } from '@dpu/sdk/gateway/server';
import { SignedWrites } from '@dpu/sdk/gateway/writers';
import { signedReceiptSchema, storageDomain, verifyReceipt, type SignedReceipt } from '@dpu/sdk/storage/receipt';
import { DEFAULT_UPLOAD, GatewayWriter } from '@dpu/sdk/storage/upload';
import { signedWriteHeaders } from '@dpu/sdk/storage/writeAuth';
import { privateKeyToAccount } from 'viem/accounts';

const DOMAIN = storageDomain(31_337, `0x${'d1'.repeat(20)}`);
const OWNER = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const HOLDER = privateKeyToAccount(`0x${'22'.repeat(32)}`);
const HOLDER_NODE = 2;
const DAY = 24 * 60 * 60;

/** A gateway that keeps copies for the node at `origin` and signs receipts, as a node's does. */
export async function serveHolder(dir: string, origin: string): Promise<string> {
  const urls: string[] = [];
  const node = { id: 1, endpoint: origin };
  const writes = new SignedWrites({
    domain: DOMAIN,
    gateways: () => urls,
    admit: async (account) => (account === OWNER.address ? { by: 'node:1', quotaBytes: 1e12, node } : undefined),
  });
  const { url } = await startGateway({
    dir,
    authorizeWrite: (attempt) => writes.judge(attempt),
    replicas: {
      ...{ node: HOLDER_NODE, domain: DOMAIN, keepMs: DAY * 1000, maxBytes: 1e12 },
      sign: (data) => HOLDER.signTypedData(data),
      operatorOf: async () => HOLDER.address,
    },
  });
  urls.push(url);
  return url;
}

/** Has the holder make a copy, as the repair of a lost one does, and checks its receipt. */
export async function recover(holder: string, cid: string, bytes: number): Promise<void> {
  const nowSeconds = (): number => Math.floor(Date.now() / 1000);
  const headers = signedWriteHeaders({ signWrite: (data) => OWNER.signTypedData(data) }, DOMAIN, nowSeconds);
  const writer = new GatewayWriter(holder, { ...DEFAULT_UPLOAD, requestMs: 600_000 }, { fetch, headers });
  const nonce = `0x${randomBytes(32).toString('hex')}` as const;
  const until = nowSeconds() + DAY;
  const body = JSON.stringify({ cid, walk: 'none', bytes, until, nonce });
  const receipt = signedReceiptSchema.parse(
    await writer.post('/v1/replicas', 'application/json', body),
  ) as SignedReceipt;
  await verifyReceipt(receipt, {
    ...{ domain: DOMAIN, cid, node: HOLDER_NODE, nonce, until: until - 60 },
    operatorOf: async () => HOLDER.address,
  });
}
