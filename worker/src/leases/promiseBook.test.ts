import { expect, test } from 'vitest';

import { Journal } from '../sending/journal.ts';
import { PromiseBook, type DoneShard } from './promiseBook.ts';
import { bytes32, JOB, RESULT } from '../testing/samples.ts';

const book = (): PromiseBook => new PromiseBook(new Journal({ file: ':memory:' }));
const key = { job: JOB, first: 0, deadline: 1_100 };
const shard = (index: number): DoneShard => ({
  shard: index,
  hash: bytes32(index),
  cid: 'cid',
  size: 1,
  units: 2,
  log: '',
});

test('the first promise for a lease stays: another would be a lie', () => {
  const promises = book();
  promises.promise(key, { result: RESULT, salt: bytes32(1) });
  promises.promise(key, { result: { ...RESULT, units: 6n }, salt: bytes32(2) });
  expect(promises.promised(key)).toEqual({ result: RESULT, salt: bytes32(1) });
  expect(promises.promised({ ...key, deadline: 1_101 })).toBeUndefined();
});

test('the shards of a range are those in it, in order', () => {
  const promises = book();
  for (const index of [4, 2, 3, 1]) promises.addShard(JOB, shard(index));
  expect(promises.shards(JOB, 2, 2)).toEqual([shard(2), shard(3)]);
  promises.dropShards(JOB, 2, 2);
  expect(promises.shards(JOB, 0, 9)).toEqual([shard(1), shard(4)]);
});

test('a failed job is left alone until its second has come', () => {
  const promises = book();
  promises.fail(JOB, 'trap', 100);
  expect(promises.failure(JOB, 99)).toBe('trap');
  expect(promises.failure(JOB, 100)).toBeUndefined();
});

test('a module’s speed follows the newest shards without forgetting the others', () => {
  const promises = book();
  expect(promises.seconds('m')).toBeUndefined();
  promises.learn('m', 10);
  expect(promises.seconds('m')).toBe(10);
  promises.learn('m', 20);
  expect(promises.seconds('m')).toBeCloseTo(13);
});
