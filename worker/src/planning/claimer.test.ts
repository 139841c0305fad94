import { expect, test } from 'vitest';
import { DeclineError } from './declines.ts';
import { CURRENCY, JOB, NODE, sampleLease } from '../testing/samples.ts';
import type { PreparedJob } from '../work/workspace.ts';
import { claimerIn } from '../testing/claimerWorld.ts';

test('prepares when the job is posted and claims when the block that seeds the draw is there', async () => {
  const { tick, sent, asked } = claimerIn();
  await tick(10);
  expect(asked).toEqual(['job 267', 'prepare']);
  expect(sent).toEqual([]);
  await tick(11);
  expect(sent).toEqual([{ functionName: 'claim', args: [NODE, 4] }]);
  expect(asked).toEqual(['job 267', 'prepare']);
});

test('claims a job once while the claim is on its way', async () => {
  const { tick, sent } = claimerIn();
  for (const block of [10, 11, 12, 13]) await tick(block);
  expect(sent).toHaveLength(1);
});

test('counts the shards of a claim that is on its way', async () => {
  const { tick, sent, outbox } = claimerIn();
  outbox.add({
    key: 'claim:other:1',
    kind: 'claim',
    to: CURRENCY,
    data: '0x',
    gas: 1n,
    priority: 1,
    deadline: undefined,
    urgent: false,
    shards: 1,
  });
  await tick(10);
  await tick(11);
  expect(sent).toEqual([{ functionName: 'claim', args: [NODE, 2] }]);
});

test('asks again for a job about which something happened', async () => {
  const { tick, asked, claimer } = claimerIn({ node: { stake: 1n } });
  await tick(10);
  await tick(11);
  claimer.forget([{ block: 11, logIndex: 0, job: JOB, name: 'JobCancelled' }], false);
  await tick(12);
  expect(asked.filter((one) => one === 'job 267')).toHaveLength(2);
  claimer.forget([], true);
  await tick(13);
  expect(asked.filter((one) => one === 'job 267')).toHaveLength(3);
});

test('asks the chain nothing about a job that its terms rule out, and says why', async () => {
  const { tick, asked, declines } = claimerIn({ terms: { runtime: 3 } });
  await tick(11);
  expect(asked).toEqual([]);
  expect(declines.all()).toMatchObject([{ job: JOB, code: 'runtime', at: 1_011 }]);
});

test('a job that failed here is declined without another look', async () => {
  const { tick, asked, declines, promises } = claimerIn();
  promises.fail(JOB, 'trap: unreachable', 5_000);
  await tick(11);
  expect(asked).toEqual([]);
  expect(declines.all()).toMatchObject([{ code: 'failedBefore', detail: { reason: 'trap: unreachable' } }]);
});

test('files that cannot be had are asked for again after a while, and meanwhile declined', async () => {
  const { tick, asked, declines, world, sent } = claimerIn({
    prepare: () => Promise.reject(new DeclineError('inputsUnavailable', { problem: 'nobody' })),
  });
  for (const block of [11, 12, 13]) await tick(block);
  expect(asked.filter((one) => one === 'prepare')).toHaveLength(1);
  expect(declines.all()).toMatchObject([{ code: 'inputsUnavailable', detail: { problem: 'nobody' } }]);
  world.prepare = claimerIn().world.prepare;
  await tick(26);
  await tick(27);
  expect(sent).toHaveLength(1);
});

test('a spec of another runtime than the terms name is declined for good', async () => {
  const { tick, asked, declines } = claimerIn({
    prepare: async () => ({ spec: { runtime: 'onnx', limits: {} } }) as unknown as PreparedJob,
  });
  for (const block of [11, 12, 500]) await tick(block);
  expect(asked.filter((one) => one === 'prepare')).toHaveLength(1);
  expect(declines.all()).toMatchObject([{ code: 'specInvalid' }]);
});

test('a claim that the contract would refuse is not sent, and the job is looked at afresh', async () => {
  const { tick, asked, sent, world } = claimerIn({
    dryRun: () => ({ ok: false, revert: { name: 'NothingToClaim', args: [], message: 'NothingToClaim()' } }),
  });
  await tick(10);
  await tick(11);
  expect(sent).toEqual([]);
  world.dryRun = () => ({ ok: true, gas: 1n });
  await tick(12);
  expect(sent).toHaveLength(1);
  expect(asked.filter((one) => one === 'job 267')).toHaveLength(2);
});

test('takes one lease of a job that has not finished a shard here, and more once it has', async () => {
  const { tick, sent, promises } = claimerIn({ view: { cursor: 2 }, leases: [sampleLease()] });
  await tick(10);
  await tick(11);
  expect(sent).toEqual([]);
  promises.learn('module', 10);
  await tick(12);
  expect(sent).toEqual([{ functionName: 'claim', args: [NODE, 4] }]);
});

test('takes nothing once it drains, and work again when told', async () => {
  const { tick, sent, claimer, declines } = claimerIn();
  await tick(10);
  claimer.drain('stay');
  await tick(11);
  expect(sent).toEqual([]);
  expect(declines.all()).toMatchObject([{ code: 'draining' }]);
  expect([claimer.draining, claimer.leaving]).toEqual([true, false]);
  claimer.drain('leave');
  expect([claimer.draining, claimer.leaving]).toEqual([true, true]);
  claimer.resume();
  expect([claimer.draining, claimer.leaving]).toEqual([false, false]);
});
