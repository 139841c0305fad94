import { digestToCid } from '@dpu/sdk/storage/cid';
import { expect, test } from 'vitest';

import type { ChainBook, KnownLease } from '../chain/chainBook.ts';
import { Journal } from '../sending/journal.ts';
import { silentLog } from '../log.ts';
import { GatewayCopies } from './gatewayCopies.ts';
import { MemoryBackend } from '../testing/memoryBackend.ts';
import { NODE, RESULT, sampleLease } from '../testing/samples.ts';

const never = new AbortController().signal;
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const MANIFEST = digestToCid(RESULT.manifest, 'dag-cbor');

function setup(leases: KnownLease[]) {
  const gateway = new MemoryBackend();
  const book = { ownLiving: () => leases, ownEnded: () => [] } as unknown as ChainBook;
  const journal = new Journal({ file: ':memory:' });
  const copies = new GatewayCopies({ node: NODE }, { gateway, book, journal, log: silentLog });
  return { gateway, copies };
}

test('a result is copied once it is public, with everything that its manifest names, and once', async () => {
  const { gateway, copies } = setup([sampleLease({ phase: 'revealed', result: RESULT })]);
  for (let ticks = 0; ticks < 3; ticks += 1) {
    copies.tick(never);
    await soon();
  }
  expect(gateway.calls).toEqual([`pin ${MANIFEST} links`]);
});

test('a result that is not public is not handed on', async () => {
  const { gateway, copies } = setup([sampleLease({ phase: 'committed' })]);
  copies.tick(never);
  await soon();
  expect(gateway.calls).toEqual([]);
});

test('a copy that failed is tried again', async () => {
  const { gateway, copies } = setup([sampleLease({ phase: 'revealed', result: RESULT })]);
  const pin = gateway.pin.bind(gateway);
  gateway.pin = () => Promise.reject(new Error('gateway is down'));
  copies.tick(never);
  await soon();
  gateway.pin = pin;
  copies.tick(never);
  await soon();
  expect(gateway.calls).toEqual([`pin ${MANIFEST} links`]);
});
