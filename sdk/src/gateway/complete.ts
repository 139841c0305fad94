import type { CID } from 'multiformats/cid';
import { CODECS, linksOf } from '../storage/cid.ts';
import { CorruptBlockError, MissingBlockError, NotFoundError } from '../storage/errors.ts';
import type { FileBlockstore } from './fileBlockstore.ts';
import type { Pin, PinSet } from './pinSet.ts';

/**
 * Visits everything that keeping `root` means: the whole tree of a file, and of a dag-cbor block its links if `walk`
 * says so. Every inner node is read and hashed; leaves are only looked up, since they were hashed when they came and are
 * hashed again whenever they are read. Throws {@link MissingBlockError} at the first gap.
 */
export async function* walkComplete(
  store: FileBlockstore,
  root: CID,
  walk: 'none' | 'links',
): AsyncGenerator<CID, void, undefined> {
  const stack = [root];
  // a node reached twice is walked once, or a small tree of shared nodes would take for ever
  const walked = new Set<string>();
  for (let cid = stack.pop(); cid; cid = stack.pop()) {
    if (cid.code === CODECS.raw) {
      if (!(await store.has(cid))) throw new MissingBlockError(root.toString(), cid.toString());
    } else {
      const key = cid.toString();
      if (walked.has(key)) continue;
      walked.add(key);
      const bytes = await read(store, root, cid);
      if (cid.code === CODECS['dag-pb'] || walk === 'links') stack.push(...linksOf(cid, bytes).reverse());
    }
    yield cid;
  }
}

/** Checks that everything under `root` is here, then pins it. Returns the number of blocks visited. */
export async function pinComplete(
  { store, pins }: { store: FileBlockstore; pins: PinSet },
  root: CID,
  walk: 'none' | 'links',
): Promise<number> {
  let blocks = 0;
  for await (const _cid of walkComplete(store, root, walk)) blocks += 1;
  await store.flush();
  await pins.add({ cid: root.toString(), createdMs: Date.now(), walk } satisfies Pin);
  return blocks;
}

async function read(store: FileBlockstore, root: CID, cid: CID): Promise<Uint8Array> {
  try {
    return await store.get(cid);
  } catch (error) {
    // a damaged block has been set aside, so it is as good as missing and can be sent again
    if (error instanceof NotFoundError || error instanceof CorruptBlockError) {
      throw new MissingBlockError(root.toString(), cid.toString());
    }
    throw error;
  }
}
