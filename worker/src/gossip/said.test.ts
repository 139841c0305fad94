import { mkdtempSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { fitBody } from '@dpu/sdk/gossip/guard';
import { digestToCid } from '@dpu/sdk/storage/cid';
import { expect, test } from 'vitest';

import { HeldContent } from './heldContent.ts';
import { heartbeatOf, hottest, type HeartbeatFacts } from './heartbeat.ts';
import { declineTeller } from './openNodeGossip.ts';
import type { ShownDecline } from '../planning/declines.ts';
import { bytes32, JOB } from '../testing/samples.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'dpu-said-'));

test('a heartbeat says what the status does, cut to what others take', () => {
  const facts: HeartbeatFacts = {
    head: { number: 12, timestamp: 1 },
    slots: { capacity: 4, running: 5, free: -1 },
    healthy: false,
    problems: Array.from({ length: 20 }, () => 'x'.repeat(500)),
    runtimes: [
      { name: 'wasm', isolation: 'process', detail: '', available: true },
      { name: 'wgsl', isolation: 'none', detail: '', available: false },
    ],
    draining: true,
  };
  const asks = { [`0x${'12'.repeat(20)}`]: 10n ** 18n };
  const said = heartbeatOf(facts, { asks, celsius: null, software: '0.1.0' });
  expect(said).toMatchObject({
    head: 12,
    slots: { capacity: 4, running: 5, free: 0 },
    runtimes: ['wasm'],
    asks: [{ amount: '1000000000000000000' }],
    draining: true,
    celsius: null,
  });
  expect([said.problems.length, said.problems[0]!.length]).toEqual([8, 160]);
  expect(fitBody('heartbeat', said).length).toBeLessThan(3 * 1024);
});

test('the hottest sensor counts, nonsense does not', async () => {
  const sensors = folder();
  for (const [zone, text] of Object.entries({
    thermal_zone0: '41200\n',
    thermal_zone1: '55600',
    thermal_zone2: '-274000',
    cooling0: '99000',
  })) {
    mkdirSync(join(sensors, zone));
    writeFileSync(join(sensors, zone, 'temp'), text);
  }
  expect(await hottest(sensors)).toBe(56);
  expect(await hottest(join(sensors, 'nothing'))).toBeNull();
});

test('held content survives a restart and is forgotten once it is gone', async () => {
  const file = join(folder(), 'held');
  const [a, b] = [digestToCid(bytes32(1), 'raw'), digestToCid(bytes32(2), 'raw')];
  const held = new HeldContent(file);
  held.use(a);
  held.use(b);
  expect([held.has(a), await held.review(async () => true)]).toEqual([true, [a.toString(), b.toString()]]);
  const again = new HeldContent(file);
  expect([again.has(a), again.has(b)]).toEqual([true, true]);
  expect(await again.review(async (cid) => cid === b.toString())).toEqual([b.toString()]);
  expect(new HeldContent(file).has(a)).toBe(false);
});

test('declines are told once, oldest first, four at a time, and again when they are decided anew', async () => {
  const decline = (number: number, at: number): ShownDecline => ({
    job: bytes32(number),
    code: 'price',
    detail: { ask: '5' },
    sentence: '',
    at,
  });
  const list = [6, 5, 4, 3, 2, 1].map((number) => decline(number, number));
  const said: number[] = [];
  const tell = declineTeller({ all: () => list }, async ({ job, at }) => {
    said.push(at);
    expect(job).toHaveLength(32);
  });
  await tell();
  expect(said).toEqual([1, 2, 3, 4]);
  await tell();
  await tell();
  expect(said).toEqual([1, 2, 3, 4, 5, 6]);
  list[0] = decline(6, 9);
  await tell();
  expect(said.at(-1)).toBe(9);
  expect(JOB).toHaveLength(66);
});
