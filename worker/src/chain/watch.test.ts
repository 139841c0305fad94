import type { Hex } from 'viem';
import { expect, test } from 'vitest';

import { bytes32, sampleHead } from '../testing/samples.ts';
import type { Chain, Head } from './chain.ts';
import { OperatorError, TransientError } from '../errors.ts';
import { silentLog } from '../log.ts';
import { Watch } from './watch.ts';

/** A chain that shows a list of heads, one a poll; `undefined` is silence. */
function setup(
  heads: (Head | undefined)[],
  { chainIds = [1], blocks = {} }: { chainIds?: number[]; blocks?: Record<number, Hex> } = {},
) {
  let asked = 0;
  const chain = {
    chainId: async () => chainIds[Math.min(asked++, chainIds.length - 1)],
    latest: async () => {
      const head = heads.shift();
      if (!head) throw new TransientError('silence');
      return head;
    },
    block: async (number: number) =>
      blocks[number] === undefined ? undefined : { ...sampleHead(number, 0), hash: blocks[number] },
  } as unknown as Chain;
  return new Watch({ chainId: 1, lowerHeadPolls: 3 }, { chain, log: silentLog });
}

test('tells each head once', async () => {
  const watch = setup([sampleHead(5, 50), sampleHead(5, 50), sampleHead(6, 51)]);
  expect(await watch.poll()).toEqual({ head: sampleHead(5, 50), reorged: false });
  expect(await watch.poll()).toBeUndefined();
  expect(await watch.poll()).toEqual({ head: sampleHead(6, 51), reorged: false });
});

test('sees a reorg in the parent of the next block', async () => {
  const watch = setup([sampleHead(5, 50), sampleHead(6, 51, { parentHash: bytes32(99) })]);
  await watch.poll();
  expect((await watch.poll())?.reorged).toBe(true);
});

test('sees a reorg behind a gap', async () => {
  for (const [hash, reorged] of [
    [bytes32(5), false],
    [bytes32(99), true],
  ] as const) {
    const watch = setup([sampleHead(5, 50), sampleHead(9, 54)], { blocks: { 5: hash } });
    await watch.poll();
    expect((await watch.poll())?.reorged).toBe(reorged);
  }
});

test('takes another block at the same height for a reorg at once', async () => {
  const watch = setup([sampleHead(5, 50), sampleHead(5, 51, { hash: bytes32(99) })]);
  await watch.poll();
  expect(await watch.poll()).toMatchObject({ reorged: true, head: { number: 5, hash: bytes32(99) } });
});

test('does not believe a lower head before it was seen often enough', async () => {
  const low = sampleHead(4, 49);
  const watch = setup([sampleHead(5, 50), low, low, sampleHead(5, 50), low, low, low]);
  await watch.poll();
  for (let polls = 0; polls < 5; polls += 1) expect(await watch.poll()).toBeUndefined();
  expect(await watch.poll()).toEqual({ head: low, reorged: true });
});

test('goes on after an outage, at the start and in the middle', async () => {
  const watch = setup([undefined, sampleHead(5, 50), undefined, sampleHead(6, 51)]);
  await expect(watch.poll()).rejects.toThrow(TransientError);
  expect(watch.connected).toBe(false);
  await watch.poll();
  expect(watch.connected).toBe(true);
  await expect(watch.poll()).rejects.toThrow('silence');
  expect(watch.connected).toBe(false);
  expect((await watch.poll())?.head.number).toBe(6);
});

test('refuses another chain, also when it comes back as one', async () => {
  await expect(setup([sampleHead(5, 50)], { chainIds: [2] }).poll()).rejects.toThrow(
    new OperatorError('The RPC serves chain 2, this node works on chain 1. Correct rpcUrl or the deployment file.', {
      found: 2,
      wanted: 1,
    }),
  );
  const watch = setup([sampleHead(5, 50), undefined, sampleHead(6, 51)], { chainIds: [1, 2] });
  await watch.poll();
  await expect(watch.poll()).rejects.toThrow(TransientError);
  await expect(watch.poll()).rejects.toThrow(OperatorError);
});

test('expects the next block at the pace of the last ones, at least a second later', async () => {
  const watch = setup([sampleHead(5, 50), sampleHead(6, 62), sampleHead(7, 62)]);
  await watch.poll();
  expect(watch.nextTime).toBe(51);
  await watch.poll();
  expect(watch.nextTime).toBe(74);
  await watch.poll();
  expect(watch.nextTime).toBe(63);
});
