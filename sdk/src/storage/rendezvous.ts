/** Who keeps what, without anybody deciding it: highest random weight hashing (Thaler and Ravishankar, 1998). */
import { concatHex, numberToHex, sha256 } from 'viem';
import { cidToDigest, type CidLike } from './cid.ts';

/** A node that may keep a copy. */
export interface RankedNode {
  readonly id: number;
  /** How much more than a node of weight 1 it should keep; 1 if absent. */
  readonly weight?: number | undefined;
}

const SCALE = 2 ** 53;

/**
 * The order in which nodes are asked to keep `root`: by −weight / ln(h), greatest first, with h in (0, 1) the first 53 bits of
 * sha256(root's digest ‖ uint32 id). Everybody who knows the nodes finds the same order; a node that comes or goes moves only the
 * roots that it gains or loses; and nobody can choose a place without choosing the content.
 */
export function rankNodes<T extends RankedNode>(root: CidLike, nodes: Iterable<T>): T[] {
  const digest = cidToDigest(root);
  return [...nodes]
    .map((node) => ({ node, score: scoreOf(digest, node) }))
    .sort((a, b) => b.score - a.score || a.node.id - b.node.id)
    .map(({ node }) => node);
}

function scoreOf(digest: `0x${string}`, { id, weight = 1 }: RankedNode): number {
  const hash = sha256(concatHex([digest, numberToHex(id, { size: 4 })]));
  const fraction = (Number(BigInt(hash) >> 203n) + 0.5) / SCALE;
  return -weight / Math.log(fraction);
}
