import { openJob, resultKeyOf, type OpenedJob } from '@dpu/sdk/privacy/openJob';
import type { Identity } from '@dpu/sdk/privacy/identity';
import type { ResultKey } from '@dpu/sdk/privacy/outputs';
import { decodeSpec } from '@dpu/sdk/spec';
import { digestToCid } from '@dpu/sdk/storage/cid';
import type { Terms } from '@dpu/sdk/terms';
import type { Hex } from 'viem';

import type { Network } from './network.ts';

/** Opens a private job that is on chain, from what the network stores. @throws as `openJob`. */
export async function openPosted(
  { storage }: Pick<Network, 'storage'>,
  id: Hex,
  { spec }: Pick<Terms, 'spec'>,
  identity: Identity,
): Promise<{ opened: OpenedJob; key: ResultKey }> {
  const posted = decodeSpec(await storage.getBlock(digestToCid(spec, 'dag-cbor')));
  const opened = await openJob(posted, id, identity);
  return { opened, key: resultKeyOf(opened, identity) };
}
