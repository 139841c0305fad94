import { createHash } from 'node:crypto';

/**
 * Peers in the order in which `self` looks for them: by the hash of both names, smallest first. Everybody has another order, so nobody is
 * everybody's neighbour, and both ends of a pair give it the same weight, so that most links are wanted by both.
 */
export function rank<Peer extends { readonly peer: string }>(self: string, peers: readonly Peer[]): Peer[] {
  const weight = (peer: string): string => {
    const pair = self < peer ? `${self} ${peer}` : `${peer} ${self}`;
    return createHash('sha256').update(pair).digest('hex');
  };
  return peers
    .map((peer) => ({ peer, weight: weight(peer.peer) }))
    .sort((a, b) => (a.weight < b.weight ? -1 : 1))
    .map(({ peer }) => peer);
}
