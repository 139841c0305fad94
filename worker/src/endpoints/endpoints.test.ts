import { expect, test } from 'vitest';

import { silentLog } from '../log.ts';
import { FakeChain } from '../testing/fakeChain.ts';
import { Endpoints } from './endpoints.ts';

/** Endpoints a, b, … of chain 1, all at block 10. */
function setup(count = 2) {
  const fakes = Array.from({ length: count }, () => new FakeChain().mineTo(10));
  const said: string[] = [];
  const say = (message: string): void => void said.push(message);
  const named = fakes.map(({ chain }, index) => ({ name: 'abc'[index] ?? '', chain }));
  const [first, ...rest] = named;
  const endpoints = new Endpoints(
    [first!, ...rest],
    { chainId: 1, lagBlocks: 3 },
    { log: { ...silentLog, warn: say, error: say } },
  );
  return { fakes, endpoints, said };
}
/** What was asked in the background has been answered. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('questions go to the first one, until it does not answer', async () => {
  const { fakes, endpoints, said } = setup();
  expect((await endpoints.chain.latest()).number).toBe(10);
  await settled();
  fakes[0]!.down = true;
  await expect(endpoints.chain.latest()).rejects.toThrow('nobody is there');
  expect([endpoints.active, said]).toEqual(['b', ['Another RPC endpoint is used']]);
  fakes[1]!.mine();
  expect((await endpoints.chain.latest()).number).toBe(11);
});

test('one that comes back waits for its turn: flapping moves nobody', async () => {
  const { fakes, endpoints } = setup();
  await endpoints.chain.latest();
  await settled();
  fakes[0]!.down = true;
  await endpoints.chain.latest().catch(() => {});
  fakes[0]!.down = false;
  await endpoints.chain.latest();
  await settled();
  expect(endpoints.active).toBe('b');
});

test('with nobody else that answers, the one in use stays', async () => {
  const { fakes, endpoints } = setup();
  for (const fake of fakes) fake.down = true;
  await expect(endpoints.chain.latest()).rejects.toThrow('nobody is there');
  expect(endpoints.active).toBe('a');
});

test('two blocks behind is no lag, three are', async () => {
  const { fakes, endpoints } = setup();
  fakes[1]!.mineTo(12);
  await endpoints.chain.latest();
  await settled();
  expect([(await endpoints.chain.latest()).number, endpoints.active]).toEqual([10, 'a']);
  fakes[1]!.mineTo(13);
  await endpoints.chain.latest();
  await settled();
  expect([(await endpoints.chain.latest()).number, endpoints.active]).toEqual([13, 'b']);
});

test('one that serves another chain is never used nor heard', async () => {
  const { fakes, endpoints, said } = setup();
  fakes[1]!.chainId = 2;
  fakes[1]!.mineTo(99);
  await endpoints.chain.latest();
  await settled();
  expect((await endpoints.chain.latest()).number).toBe(10);
  expect(endpoints.others).toEqual([]);
  expect(said).toEqual(['RPC endpoint serves another chain and is left out: correct rpc in the configuration']);
});

test('a transaction is offered everywhere, and the best verdict counts', async () => {
  const { fakes, endpoints } = setup(3);
  const send = async (): Promise<string> => (await endpoints.chain.sendRaw('0x01')).verdict;
  fakes[0]!.down = true;
  expect(await send()).toBe('accepted');
  expect(fakes.map(({ sent }) => sent.length)).toEqual([1, 1, 1]);
  fakes[1]!.verdict = 'underpriced';
  fakes[2]!.verdict = 'known';
  expect(await send()).toBe('known');
  fakes[2]!.verdict = 'rejected';
  expect(await send()).toBe('underpriced');
  for (const fake of fakes) fake.down = true;
  expect(await send()).toBe('unknown');
});
