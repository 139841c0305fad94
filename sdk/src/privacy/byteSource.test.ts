import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { expect, test } from 'vitest';

import { collect } from '../storage/fixtures.ts';
import { bytesUntil } from './byteSource.ts';

const never = new AbortController().signal;

test('gives the bytes of every form of source', async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  async function* iterable(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  for (const source of [bytes, new Blob([bytes]), new Blob([bytes]).stream(), iterable()]) {
    expect(Buffer.concat(await collect(bytesUntil(source, never)))).toEqual(Buffer.from(bytes));
  }
});

test('keeps no chunk that it has handed on, however long its signal lives', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const given: WeakRef<Uint8Array>[] = [];
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 50; i += 1) {
      const chunk = new Uint8Array(1_000);
      given.push(new WeakRef(chunk));
      yield chunk;
    }
  }
  const bytes = bytesUntil(source(), never);
  for (let i = 0; i < 50; i += 1) await bytes.next();
  // a reference that was just read is held until the turn of the event loop ends
  await setImmediate();
  collectGarbage();
  expect(given.filter((chunk) => chunk.deref() !== undefined).length).toBeLessThanOrEqual(2);
  await bytes.return();
});
