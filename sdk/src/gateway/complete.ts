import type { CID } from 'multiformats/cid';
import { CODECS, linksOf } from '../storage/cid.ts';
import { CorruptBlockError, MissingBlockError, NotFoundError } from '../storage/errors.ts';
import type { FileBlockstore } from './fileBlockstore.ts';
import { OWN } from './pinSet.ts';
import type { Hold, PinSet } from './pinSet.ts';

/** A block on the way, and its size in bytes. */
export interface Reached {
  readonly cid: CID;
  readonly size: number;
}

/** `known`: leaves are only looked up. `read`: every leaf is read and hashed as well, as before a promise about bytes that were here already. */
export type Depth = 'known' | 'read';

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
  depth: Depth = 'known',
): AsyncGenerator<Reached, void, undefined> {
  const stack = [root];
  // a node reached twice is walked once, or a small tree of shared nodes would take for ever
  const walked = new Set<string>();
  for (let cid = stack.pop(); cid; cid = stack.pop()) {
    if (cid.code === CODECS.raw) {
      const size = await leafSize(store, cid, depth);
      if (size === undefined) onGap(cid);
      else yield { cid, size };
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
    yield { cid, size: bytes.byteLength };
    if (cid.code === CODECS['dag-pb'] || walk === 'links') stack.push(...linksOf(cid, bytes).reverse());
  }
}

/** Visits everything under `root` like {@link reachable} and throws {@link MissingBlockError} at the first gap. */
export function walkComplete(
  store: FileBlockstore,
  root: CID,
  walk: 'none' | 'links',
  depth: Depth = 'known',
): AsyncGenerator<Reached> {
  return reachable(
    store,
    root,
    walk,
    (missing) => {
      throw new MissingBlockError(root.toString(), missing.toString());
    },
    depth,
  );
}

/** Blocks and bytes under a root; a leaf that stands there twice counts twice. */
export interface Extent {
  readonly blocks: number;
  readonly bytes: number;
}

/** What there is under `root`. @throws MissingBlockError at the first gap. */
export async function extentOf(
  store: FileBlockstore,
  root: CID,
  walk: 'none' | 'links',
  depth: Depth = 'known',
): Promise<Extent> {
  let blocks = 0;
  let bytes = 0;
  for await (const { size } of walkComplete(store, root, walk, depth)) {
    blocks += 1;
    bytes += size;
  }
  return { blocks, bytes };
}

/** How a root is to be pinned. */
export interface Pinning {
  readonly walk: 'none' | 'links';
  /** For whom and until when; for the store's owner, for ever, if absent. Gets what was found under the root, and may refuse by throwing. */
  readonly hold?: ((extent: Extent) => Hold) | undefined;
  readonly depth?: Depth | undefined;
}

/** Checks that everything under `root` is here, makes sure that it is on the disk's platter, then pins it. */
export async function pinComplete(
  { store, pins }: { store: FileBlockstore; pins: PinSet },
  root: CID,
  { walk, hold, depth }: Pinning,
): Promise<Extent> {
  return pins.together(async () => {
    const extent = await extentOf(store, root, walk, depth);
    const held = hold?.(extent) ?? { ...OWN, bytes: extent.bytes };
    await store.flush();
    await pins.add({ cid: root.toString(), createdMs: Date.now(), walk }, held);
    return extent;
  });
}

async function leafSize(store: FileBlockstore, cid: CID, depth: Depth): Promise<number | undefined> {
  return depth === 'known' ? store.sizeOf(cid) : (await readIfGood(store, cid))?.byteLength;
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
