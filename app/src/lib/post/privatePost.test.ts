import { expect, test } from 'vitest';

import { checkReaders, KeyDiffers } from './privatePost.ts';

const KEY = `0x${'aB'.repeat(32)}` as const;
const OTHER = `0x${'7e'.repeat(32)}` as const;
const readers = {
  own: 'age1x',
  nodes: [
    { id: 1, key: KEY },
    { id: 4, key: KEY },
  ],
};

test('keys that the chain has are good, however they are written', async () => {
  const onChain = async (): Promise<{ key: `0x${string}` }> => ({ key: `0x${'ab'.repeat(32)}` });
  await expect(checkReaders(readers, onChain)).resolves.toBeUndefined();
});

test.each([
  ['another one', OTHER],
  ['none', `0x${'00'.repeat(32)}`],
] as const)('a job is not sealed when the chain has %s for one of its readers', async (_what, key) => {
  const onChain = async (id: number): Promise<{ key: `0x${string}` }> => ({ key: id === 4 ? key : KEY });
  const refusal = await checkReaders(readers, onChain).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(KeyDiffers);
  expect(refusal).toMatchObject({
    message: 'The indexer tells another key of node 4 than the chain has: whoever holds it could read the job.',
    action: 'Nothing was sealed or sent. Choose other nodes, or ask another indexer.',
  });
});
