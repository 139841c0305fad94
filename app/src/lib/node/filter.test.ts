import type { NodeSummary } from '@dpu/sdk/api';
import { expect, test } from 'vitest';

import { filterNodes } from './filter.ts';

const node = (id: number, stake: bigint, runtimes: number[], record = 0): NodeSummary =>
  ({
    ...{ id, stake, runtimes, record, shardsSettled: id, registeredAt: id },
    ...{ owner: `0x${String(id).repeat(40)}`, operator: `0xa${String(id).repeat(39)}` },
  }) as NodeSummary;
const nodes = [node(1, 5n, [1, 2], 9), node(2, 9n, [1]), node(3, 5n, [2])];
const ids = (over: object): number[] =>
  filterNodes(nodes, { text: '', runtime: 0, order: 'stake', ...over }).map(({ id }) => id);

test.each([
  [{}, [2, 1, 3]],
  [{ order: 'record' }, [1, 2, 3]],
  [{ order: 'work' }, [3, 2, 1]],
  [{ order: 'newest', runtime: 1 }, [2, 1]],
  [{ text: 'Node 3' }, [3]],
  [{ text: '0xA2' }, [2]],
  [{ text: '0x1111' }, [1]],
  [{ text: 'nobody' }, []],
])('with %j', (over, expected) => {
  expect(ids(over)).toEqual(expected);
});
