import { expect, test } from 'vitest';

import { chainOf } from './chain.ts';

const ID = (letter: string) => `0x${letter.repeat(64)}` as const;
const job = (id: string, afterJob: string) => ({ id: ID(id), terms: { afterJob: ID(afterJob) } });

test.each(['A', 'b', 'c'])('the jobs before and after job %s come in the order in which they run', (id) => {
  const posted = [job('c', 'b'), job('d', '0'), job('a', '0'), job('b', 'A')];
  expect(chainOf(posted, ID(id))).toEqual([ID('a'), ID('b'), ID('c')]);
});

test('a job that waits for one of another transaction is a chain of its own', () => {
  expect(chainOf([job('a', 'f'), job('b', '0')], ID('a'))).toEqual([ID('a')]);
});

test('a job whose transaction is not known stands alone', () => {
  expect(chainOf([], ID('a'))).toEqual([ID('a')]);
});
