import { marketAbi } from '@dpu/sdk/abi';
import { encodeAbiParameters, encodeEventTopics, type Hex } from 'viem';
import { expect, test } from 'vitest';

import { bytes32, JOB, NODE, sampleHead } from '../testing/samples.ts';
import type { Chain, Head, RawLog } from './chain.ts';
import { ChainBook } from './chainBook.ts';
import { TransientError } from '../errors.ts';
import { Journal } from '../sending/journal.ts';
import { silentLog } from '../log.ts';
import { Scan } from './scan.ts';

function log(
  block: Head,
  logIndex: number,
  eventName: 'LeaseCommitted' | 'JobCancelled',
  args: Record<string, unknown>,
): RawLog {
  const topics = encodeEventTopics({ abi: marketAbi, eventName, args } as never) as [Hex, ...Hex[]];
  const data =
    eventName === 'LeaseCommitted'
      ? encodeAbiParameters(
          [{ type: 'uint32' }, { type: 'bytes32' }],
          [args['first'] as number, args['commitment'] as Hex],
        )
      : encodeAbiParameters([{ type: 'uint256' }], [0n]);
  return { blockNumber: block.number, blockHash: block.hash, transactionHash: bytes32(1), logIndex, topics, data };
}

/** A chain of `length` blocks; `fork` changes the hashes from a block on. */
function setup(rangeBlocks = 100) {
  let blocks = new Map<number, Head>();
  const logs = new Map<number, RawLog[]>();
  const ranges: string[] = [];
  const grow = (from: number, to: number, fork = 0): Head => {
    for (let number = from; number <= to; number += 1) {
      const parentHash = blocks.get(number - 1)?.hash ?? bytes32(0);
      blocks.set(number, sampleHead(number, 1_000 + number, { hash: bytes32(number + fork * 1_000), parentHash }));
    }
    blocks = new Map([...blocks].filter(([number]) => number <= to));
    return blocks.get(to)!;
  };
  const chain = {
    block: async (number: number) => blocks.get(number),
    logs: async (from: number, to: number) => {
      ranges.push(`${from}–${to}`);
      return [...logs].filter(([number]) => number >= from && number <= to).flatMap(([, found]) => found);
    },
  } as unknown as Chain;
  const book = new ChainBook(new Journal({ file: ':memory:' }));
  const scan = new Scan({ node: NODE, startBlock: 3, rangeBlocks }, { chain, book, log: silentLog });
  const put = (number: number, eventName: Parameters<typeof log>[2], args: Record<string, unknown>): void => {
    logs.set(number, [...(logs.get(number) ?? []), log(blocks.get(number)!, logs.size, eventName, args)]);
  };
  return { chain, book, scan, grow, put, ranges, logs };
}

test('reads every block once, from the contract’s first on, in ranges', async () => {
  const { scan, grow, ranges, book } = setup(4);
  await scan.advance(grow(1, 9));
  expect(ranges).toEqual(['3–6', '7–9']);
  await scan.advance(grow(10, 11));
  expect(ranges).toEqual(['3–6', '7–9', '10–11']);
  expect(book.cursor()).toEqual({ number: 11, hash: bytes32(11) });
});

test('dates the events of our leases by their block, and only those', async () => {
  const { scan, grow, put } = setup();
  const head = grow(1, 6);
  put(5, 'LeaseCommitted', { id: JOB, first: 0, node: NODE, commitment: bytes32(0xc) });
  put(6, 'LeaseCommitted', { id: JOB, first: 2, node: NODE + 1, commitment: bytes32(0xd) });
  const place = { job: JOB, name: 'LeaseCommitted' };
  expect(await scan.advance(head)).toEqual([
    { ...place, block: 5, logIndex: 0, first: 0, node: NODE, commitment: bytes32(0xc), time: 1_005 },
    { ...place, block: 6, logIndex: 1, first: 2, node: NODE + 1, commitment: bytes32(0xd) },
  ]);
});

test('goes back to the common ancestor after a reorg, and no further', async () => {
  const { scan, grow, ranges, book } = setup();
  for (let head = 4; head <= 8; head += 1) await scan.advance(grow(head === 4 ? 1 : head, head));
  ranges.length = 0;
  await scan.advance(grow(7, 9, 1));
  expect(ranges).toEqual(['7–9']);
  expect(book.cursor()).toEqual({ number: 9, hash: bytes32(1_009) });
});

test('reads everything again when no block that it knows is left', async () => {
  const { scan, grow, ranges } = setup();
  await scan.advance(grow(1, 6));
  ranges.length = 0;
  await scan.advance(grow(1, 6, 1));
  expect(ranges).toEqual(['3–6']);
});

test('takes nothing in when the chain moves between two questions', async () => {
  const { scan, grow, put, book, logs } = setup();
  const head = grow(1, 6);
  put(6, 'JobCancelled', { id: JOB });
  logs.set(6, [{ ...logs.get(6)![0]!, blockHash: bytes32(77) }]);
  await expect(scan.advance(head)).rejects.toThrow(
    new TransientError('The chain moved while its logs were read.', { from: 3, to: 6 }),
  );
  expect(book.cursor()).toBeUndefined();
});

test('takes nothing in of a head that the endpoint does not have: no logs of it are no answer', async () => {
  const { scan, grow, book, chain } = setup();
  const head = grow(1, 6);
  chain.block = async () => undefined;
  await expect(scan.advance(head)).rejects.toThrow(
    new TransientError('The chain moved while its logs were read.', { from: 3, to: 6 }),
  );
  chain.block = async (number) => ({ ...head, number, hash: bytes32(78) });
  await expect(scan.advance(head)).rejects.toThrow('The chain moved while its logs were read.');
  expect(book.cursor()).toBeUndefined();
});

test('a rescan reads from the last scanned head before the block that it names', async () => {
  const { scan, grow, ranges } = setup();
  for (const head of [4, 5, 7, 8]) await scan.advance(grow(head === 4 ? 1 : head - 1, head));
  const head = grow(9, 9);
  await scan.advance(head);
  ranges.length = 0;
  scan.rescan(7);
  await scan.advance(head);
  expect(ranges).toEqual(['6–9']);
});
