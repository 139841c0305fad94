import { beforeAll, expect, test } from 'vitest';

import { plainRunes } from '../testing.ts';
import type * as Module from './tx.svelte.ts';
import type { TxLook, TxSteps } from './tx.svelte.ts';

let Tx: typeof Module.Tx;
beforeAll(async () => {
  plainRunes();
  ({ Tx } = await import('./tx.svelte.ts'));
});

const explain = (error: unknown) => ({ sentence: `It said: ${(error as Error).message}`, action: 'Try again.' });

test('shows each of its looks in order', async () => {
  const tx = new Tx(explain);
  const looks: TxLook[] = [tx.look];
  const done = await tx.run((steps: TxSteps) => {
    looks.push(tx.look);
    steps.wallet('Sign');
    looks.push(tx.look);
    steps.chain('Sending', '0xabc');
    looks.push(tx.look);
    return Promise.resolve('0xabc' as const);
  });
  looks.push(tx.look);
  expect(done).toBe(true);
  expect(looks).toEqual([
    { status: 'idle' },
    { status: 'wallet', step: 'Preparing' },
    { status: 'wallet', step: 'Sign' },
    { status: 'chain', step: 'Sending', hash: '0xabc' },
    { status: 'done', hash: '0xabc' },
  ]);
});

test('puts a failure into words instead of throwing', async () => {
  const tx = new Tx(explain);
  await expect(tx.run(() => Promise.reject(new Error('no')))).resolves.toBe(false);
  expect(tx.look).toEqual({
    status: 'failed',
    explanation: { sentence: 'It said: no', action: 'Try again.' },
  });
  tx.reset();
  expect(tx.look).toEqual({ status: 'idle' });
});

test('ignores a second start and a reset while one runs', async () => {
  const tx = new Tx(explain);
  let finish = (): void => {};
  const first = tx.run(() => new Promise<void>((resolve) => (finish = resolve)));
  expect(tx.busy).toBe(true);
  await expect(tx.run(() => Promise.resolve())).resolves.toBe(false);
  tx.reset();
  expect(tx.busy).toBe(true);
  finish();
  await expect(first).resolves.toBe(true);
  expect(tx.look).toEqual({ status: 'done' });
});
