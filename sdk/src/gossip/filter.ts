/** Bloom filters over content: a few kilobytes say what a node holds, without naming it. */
import { cidToDigest, type CidLike } from '../storage/cid.ts';
import { FILTER_BYTES, type Holdings } from './topics.ts';

/** Bits per item: about one question in a hundred is answered wrongly with yes, none with no. */
const BITS_PER_ITEM = 10;
/** The best number of bits to set for that density: bits per item times ln 2 (Bloom 1970). */
const HASHES = 7;
const LEAST_BYTES = 16;

/** Most items of a filter at full precision. More make it say yes more often. */
export const FILTER_ITEMS = Math.floor((FILTER_BYTES * 8) / BITS_PER_ITEM);

/** Makes the filter of a set of content. */
export function filterOf(cids: readonly CidLike[]): Holdings {
  const digests = new Set(cids.map((cid) => cidToDigest(cid)));
  const wanted = Math.ceil((digests.size * BITS_PER_ITEM) / 8);
  const filter = new Uint8Array(Math.min(FILTER_BYTES, Math.max(LEAST_BYTES, wanted)));
  for (const digest of digests) {
    for (const bit of bitsOf(digest, HASHES, filter.length * 8))
      filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
  return { items: Math.min(digests.size, 65_535), hashes: HASHES, filter };
}

/** Whether the filter's node holds `cid`: no is certain, yes is nearly. */
export function mayHold({ filter, hashes, items }: Holdings, cid: CidLike): boolean {
  if (items === 0) return false;
  return bitsOf(cidToDigest(cid), hashes, filter.length * 8).every((bit) => ((filter[bit >> 3] ?? 0) >> (bit & 7)) & 1);
}

/** Double hashing (Kirsch and Mitzenmacher 2006); a sha2-256 digest is random as it stands. */
function bitsOf(digest: string, hashes: number, bits: number): number[] {
  const a = Number.parseInt(digest.slice(2, 14), 16);
  const b = Number.parseInt(digest.slice(14, 26), 16) | 1;
  return Array.from({ length: hashes }, (_, index) => (a + index * (b >>> 0)) % bits);
}
