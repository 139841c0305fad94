import { newIdentity, parseIdentity } from '@dpu/sdk/privacy/identity';
import { exportIdentity, importIdentity } from '@dpu/sdk/privacy/recovery';
import { beforeAll, expect, test } from 'vitest';

import { plainRunes } from '../testing.ts';
import type { KeptKey } from './keyStore.ts';
import type * as Module from './keys.svelte.ts';

let Keys: typeof Module.Keys;
beforeAll(async () => {
  plainRunes();
  ({ Keys } = await import('./keys.svelte.ts'));
});

/** Keys of a browser whose database is a map, with few rounds of scrypt. */
function setup(kept = new Map<string, KeptKey>()) {
  let now = 0;
  const keys = new Keys({
    store: () => ({ all: async () => [...kept.values()], put: async (key) => void kept.set(key.recipient, key) }),
    recovery: {
      write: async (secret, passphrase) => exportIdentity(await parseIdentity(secret), passphrase, { workLog2: 4 }),
      read: async (file, passphrase) => (await importIdentity(file, passphrase)).secret(),
    },
    now: () => (now += 1),
  });
  return { keys, kept };
}

test('a key is made with a recovery file, and is there only once it was kept', async () => {
  const { keys, kept } = setup();
  expect([keys.loaded, keys.current]).toEqual([false, undefined]);
  expect(await keys.load()).toEqual([]);
  const made = await keys.make();
  expect(made.file).toContain('BEGIN AGE ENCRYPTED FILE');
  expect([keys.loaded, keys.current, kept.size]).toEqual([true, undefined, 0]);

  await keys.keep(made.identity);
  expect(keys.current?.recipient).toBe(made.identity.recipient);
  expect(keys.locked).toBe(true);
  const stored = kept.get(made.identity.recipient)!.key as CryptoKey;
  expect(stored.extractable).toBe(false);
});

test('the recovery file brings the key back on another machine, and only its passphrase does', async () => {
  const made = await setup().keys.make();
  const { keys } = setup();
  await expect(keys.restore(made.file, 'not the passphrase')).rejects.toThrow('does not open this file');
  expect(await keys.load()).toEqual([]);
  await keys.restore(made.file, made.passphrase);
  expect(keys.current?.recipient).toBe(made.identity.recipient);
});

test('the newest key is the current one, and earlier ones stay', async () => {
  const { keys, kept } = setup();
  const [first, second] = [await newIdentity(), await newIdentity()];
  await keys.keep(first);
  await keys.keep(second);
  expect((await keys.load()).map(({ recipient }) => recipient)).toEqual([second.recipient, first.recipient]);
  expect((await setup(kept).keys.load()).map(({ recipient }) => recipient)).toEqual([
    second.recipient,
    first.recipient,
  ]);
});

test('a browser without such keys keeps the text, and says so', async () => {
  const secret = await newIdentity();
  const { keys } = setup(new Map([['a', { recipient: secret.recipient, key: secret.secret(), keptAt: 1 }]]));
  expect((await keys.load())[0]?.recipient).toBe(secret.recipient);
  expect(keys.locked).toBe(false);
});
