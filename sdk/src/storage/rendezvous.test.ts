import { describe, expect, test } from 'vitest';
import { digestToCid } from './cid.ts';
import { rankNodes } from './rendezvous.ts';

const root = (n: number) => digestToCid(`0x${n.toString(16).padStart(64, '0')}`, 'dag-cbor');
const nodes = (count: number) => Array.from({ length: count }, (_, index) => ({ id: index + 1 }));
const ids = (list: { id: number }[]): number[] => list.map(({ id }) => id);

describe('the order of holders', () => {
  test('is the same for everybody, in whatever order the nodes are named', () => {
    expect(ids(rankNodes(root(7), nodes(6)))).toEqual(ids(rankNodes(root(7), nodes(6).reverse())));
  });

  test('is computed from root and id alone: a known order', () => {
    expect(ids(rankNodes('bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy', nodes(5)))).toEqual([
      5, 2, 1, 4, 3,
    ]);
  });

  test('does not change among those that stay when one goes', () => {
    for (let n = 0; n < 50; n += 1) {
      const before = ids(rankNodes(root(n), nodes(8)));
      const after = ids(
        rankNodes(
          root(n),
          nodes(8).filter(({ id }) => id !== 3),
        ),
      );
      expect(after).toEqual(before.filter((id) => id !== 3));
    }
  });

  test('spreads roots evenly, and by weight', () => {
    const first = new Map<number, number>();
    for (let n = 0; n < 4_000; n += 1) {
      const [best] = rankNodes(root(n), [{ id: 1 }, { id: 2 }, { id: 3, weight: 2 }]);
      first.set(best!.id, (first.get(best!.id) ?? 0) + 1);
    }
    // a quarter, a quarter and a half, within five standard deviations
    expect(Math.abs(first.get(1)! - 1_000)).toBeLessThan(140);
    expect(Math.abs(first.get(2)! - 1_000)).toBeLessThan(140);
    expect(Math.abs(first.get(3)! - 2_000)).toBeLessThan(160);
  });
});
