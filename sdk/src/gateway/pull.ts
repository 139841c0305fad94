import type { CID } from 'multiformats/cid';
import { TaskWindow } from '../storage/bytes.ts';
import { CODECS, linksOf } from '../storage/cid.ts';
import { downloadBlock, downloadFile } from '../storage/download.ts';
import type { GetHolders } from '../storage/download.ts';
import { MissingBlockError, UploadTooBigError } from '../storage/errors.ts';
import { DEFAULT_PATIENCE } from '../storage/gatewayRequest.ts';
import type { Patience } from '../storage/gatewayRequest.ts';
import { extentOf, pinComplete } from './complete.ts';
import type { Extent, Pinning } from './complete.ts';
import type { FileBlockstore } from './fileBlockstore.ts';
import type { PinSet } from './pinSet.ts';

/** What copying from other gateways stands on. */
export interface PullDeps {
  readonly store: FileBlockstore;
  readonly pins: PinSet;
  readonly patience?: Partial<Patience> | undefined;
  readonly fetch: typeof fetch;
  /** Ends pulls when the gateway closes. */
  readonly signal: AbortSignal;
}

/** From where, and how much at most. */
export interface PullOptions {
  readonly getHolders: GetHolders;
  /** Most bytes that are fetched; more is refused while it streams. No limit if absent. */
  readonly maxBytes?: number | undefined;
}

const WRITES_AT_ONCE = 8;

/** Pins what is here already, every block of it read and hashed again; else pulls what is missing, block by verified block, and pins that. */
export async function pullAndPin(deps: PullDeps, root: CID, pinning: Pinning, options: PullOptions): Promise<Extent> {
  try {
    return await pinComplete(deps, root, pinning);
  } catch (error) {
    if (!(error instanceof MissingBlockError)) throw error;
  }
  const budget = { left: options.maxBytes ?? Number.POSITIVE_INFINITY, max: options.maxBytes ?? 0 };
  await pull(deps, root, options.getHolders, budget);
  if (pinning.walk === 'links' && root.code === CODECS['dag-cbor']) {
    for (const link of linksOf(root, await deps.store.get(root))) await pull(deps, link, options.getHolders, budget);
  }
  return pinComplete(deps, root, { ...pinning, depth: 'known' });
}

/** Copies one block, or one file with its tree, into the store. Links of dag-cbor blocks are not followed. */
async function pull(
  deps: PullDeps,
  root: CID,
  getHolders: GetHolders,
  budget: { left: number; max: number },
): Promise<void> {
  if (await isComplete(deps.store, root)) return;
  const patience = { ...DEFAULT_PATIENCE, ...deps.patience };
  const from = { getHolders, fetch: deps.fetch };
  const take = (bytes: Uint8Array): void => {
    budget.left -= bytes.byteLength;
    if (budget.left < 0) throw new UploadTooBigError(budget.max);
  };
  if (root.code !== CODECS['dag-pb']) {
    const bytes = await downloadBlock(root, patience, from, deps.signal);
    take(bytes);
    return deps.store.putVerified(root, bytes);
  }
  const writing = new TaskWindow(WRITES_AT_ONCE);
  try {
    for await (const { cid, bytes } of downloadFile(root, {}, patience, from, deps.signal)) {
      take(bytes);
      await writing.add(() => deps.store.putVerified(cid, bytes));
    }
    await writing.idle();
  } finally {
    await writing.settled();
  }
}

async function isComplete(store: FileBlockstore, root: CID): Promise<boolean> {
  try {
    await extentOf(store, root, 'none');
    return true;
  } catch (error) {
    if (error instanceof MissingBlockError) return false;
    throw error;
  }
}
