import { describe, expect, test } from 'vitest';

import { ShardError } from './runtime.ts';
import { Setup } from './setup.ts';

/** A setup whose making ends when the test says so. */
function setup(): { it: Setup<number>; calls: string[]; end: (outcome: number | Error) => void } {
  const calls: string[] = [];
  let waiting: PromiseWithResolvers<number> | undefined;
  const it = new Setup<number>('Things cannot be made here', {
    make: (signal) => {
      calls.push(signal === undefined ? 'make' : 'make with a signal');
      waiting = Promise.withResolvers();
      return waiting.promise;
    },
    dispose: async (made) => void calls.push(`dispose ${made}`),
  });
  const end = (outcome: number | Error): void =>
    outcome instanceof Error ? waiting!.reject(outcome) : waiting!.resolve(outcome);
  return { it, calls, end };
}

describe('a setup', () => {
  test('is made once, however many ask', async () => {
    const { it, calls, end } = setup();
    expect(calls).toEqual([]);
    const both = [it.get(new AbortController().signal), it.get()];
    end(7);
    expect(await Promise.all([...both, it.get()])).toEqual([7, 7, 7]);
    expect(calls).toEqual(['make with a signal']);
  });

  test('says what cannot be done and why, and tries again', async () => {
    const { it, calls, end } = setup();
    const asked = it.get();
    const cause = new Error('no tool');
    end(cause);
    const error = await asked.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ShardError);
    expect(error).toMatchObject({
      ...{ reason: 'sandbox', fault: 'machine', cause },
      message: 'Things cannot be made here: no tool',
    });
    const again = it.get();
    end(8);
    expect(await again).toBe(8);
    expect(calls).toEqual(['make', 'make']);
  });

  test('is disposed of once, and made anew after that', async () => {
    const { it, calls, end } = setup();
    await it.close();
    const asked = it.get();
    end(9);
    await asked;
    await Promise.all([it.close(), it.close()]);
    await it.close();
    expect(calls).toEqual(['make', 'dispose 9']);
    void it.get();
    expect(calls).toEqual(['make', 'dispose 9', 'make']);
  });

  test('that is closed while it is made is disposed of when it is there', async () => {
    const { it, calls, end } = setup();
    const [asked, closed] = [it.get(), it.close()];
    expect(calls).toEqual(['make']);
    end(10);
    await closed;
    expect(await asked).toBe(10);
    expect(calls).toEqual(['make', 'dispose 10']);
  });

  test('that fails while it is closed leaves nothing to dispose of, and can be made again', async () => {
    const { it, calls, end } = setup();
    const [asked, closed] = [it.get(), it.close()];
    end(new Error('late'));
    await expect(asked).rejects.toThrow('Things cannot be made here: late');
    await closed;
    const next = it.get();
    end(11);
    expect(await next).toBe(11);
    await it.close();
    expect(calls).toEqual(['make', 'make', 'dispose 11']);
  });
});
