import type { CID } from 'multiformats/cid';
import { count } from '../storage/bytes.ts';
import { CODECS, linksOf } from '../storage/cid.ts';
import { CorruptBlockError, MissingBlockError, NotFoundError } from '../storage/errors.ts';
import type { FileBlockstore } from './fileBlockstore.ts';
import type { Pin, PinSet } from './pinSet.ts';

/**
 * Visits everything that keeping `root` means: the whole tree of a file, and of a dag-cbor block its links if `walk`
 * says so. Every inner node is read and hashed; leaves are only looked up, since they were hashed when they came and are
 * hashed again whenever they are read. Absent and damaged blocks are told to `onGap` and passed over.
 */
export async function* reachable(
  store: FileBlockstore,
  root: CID,
  walk: 'none' | 'links',
  onGap: (cid: CID) => void,
): AsyncGenerator<CID, void, undefined> {
  const stack = [root];
  // a node reached twice is walked once, or a small tree of shared nodes would take for ever
  const walked = new Set<string>();
  for (let cid = stack.pop(); cid; cid = stack.pop()) {
    if (cid.code === CODECS.raw) {
      if (await store.has(cid)) yield cid;
      else onGap(cid);
      continue;
    }
    const key = cid.toString();
    if (walked.has(key)) continue;
    walked.add(key);
    const bytes = await readIfGood(store, cid);
    if (!bytes) {
      onGap(cid);
      continue;
    }
    yield cid;
    if (cid.code === CODECS['dag-pb'] || walk === 'links') stack.push(...linksOf(cid, bytes).reverse());
  }
}

/** Visits everything under `root` like {@link reachable} and throws {@link MissingBlockError} at the first gap. */
export function walkComplete(store: FileBlockstore, root: CID, walk: 'none' | 'links'): AsyncGenerator<CID> {
  return reachable(store, root, walk, (missing) => {
    throw new MissingBlockError(root.toString(), missing.toString());
  });
}

/** Checks that everything under `root` is here, then pins it. Returns the number of blocks visited. */
export async function pinComplete(
  { store, pins }: { store: FileBlockstore; pins: PinSet },
  root: CID,
  walk: 'none' | 'links',
): Promise<number> {
  return pins.together(async () => {
    const blocks = await count(walkComplete(store, root, walk));
    await store.flush();
    await pins.add({ cid: root.toString(), createdMs: Date.now(), walk } satisfies Pin);
    return blocks;
  });
}

/** A damaged block has been set aside, so it is as good as missing and can be sent again. */
async function readIfGood(store: FileBlockstore, cid: CID): Promise<Uint8Array | undefined> {
  try {
    return await store.get(cid);
  } catch (error) {
    if (error instanceof NotFoundError || error instanceof CorruptBlockError) return undefined;
    throw error;
  }
}
