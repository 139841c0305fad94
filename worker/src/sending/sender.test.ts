import { privateKeyToAccount } from 'viem/accounts';
import type { Hex } from 'viem';
import { describe, expect, test } from 'vitest';

import { FakeSenderChain } from '../testing/fakeSenderChain.ts';
import type { Receipt } from '../chain/chain.ts';
import { Journal } from './journal.ts';
import { silentLog } from '../log.ts';
import { Outbox, type Intent, type IntentStatus } from './outbox.ts';
import { Sender, type SenderOptions } from './sender.ts';

const GWEI = 10n ** 9n;
const account = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const target: Hex = `0x${'22'.repeat(20)}`;
const options: SenderOptions = {
  account,
  chainId: 31_337,
  fees: { tip: GWEI, cap: 100n * GWEI, urgentCap: 10_000n * GWEI },
  finalityBlocks: 8,
  bumpAfterBlocks: 3,
  lostAfterBlocks: 2,
  maxInFlight: 8,
};

function intent(key: string, over: Partial<Intent> = {}): Intent {
  const data: Hex = `0x${Buffer.from(key).toString('hex')}`;
  return {
    key,
    kind: 'claim',
    to: target,
    data,
    gas: 100_000n,
    priority: 1,
    deadline: undefined,
    urgent: false,
    shards: 0,
    ...over,
  };
}
const named = (data: Hex): string => (data === '0x' ? 'self' : Buffer.from(data.slice(2), 'hex').toString());

function setup(over: Partial<SenderOptions> = {}) {
  const chain = new FakeSenderChain();
  const outbox = new Outbox(new Journal({ file: ':memory:' }));
  const outcomes: [string, IntentStatus, Receipt | undefined][] = [];
  const make = (): Sender =>
    new Sender(
      { ...options, ...over },
      { chain, outbox, log: silentLog, onOutcome: (...outcome) => outcomes.push(outcome) },
    );
  const sender = make();
  /** One block, and the sender's look at it. */
  const block = async (how: { take?: boolean; reorged?: boolean } = {}, by = sender): Promise<void> => {
    chain.mine(how);
    await by.tick(chain.head, how.reorged ?? false);
  };
  return { chain, outbox, sender, make, block, outcomes, executed: () => chain.executed.map(named) };
}

describe('sending', () => {
  test('writes a transaction down before it leaves', async () => {
    const { chain, outbox, sender, block } = setup();
    await block();
    const order: string[] = [];
    const add = outbox.addAttempt.bind(outbox);
    outbox.addAttempt = (key, attempt) => {
      order.push(`journal ${key}`);
      add(key, attempt);
    };
    const send = chain.sendRaw.bind(chain);
    chain.sendRaw = (raw) => {
      order.push('send');
      return send(raw);
    };
    await sender.submit(intent('a'));
    expect(order).toEqual(['journal a', 'send']);
  });

  test('sends an intent once, however often it is submitted', async () => {
    const { sender, block, executed } = setup();
    await block();
    expect(await sender.submit(intent('a'))).toBe(true);
    expect(await sender.submit(intent('a'))).toBe(false);
    await block();
    expect(await sender.submit(intent('a'))).toBe(false);
    await block();
    expect(executed()).toEqual(['a']);
  });

  test('gives what waits its nonces by priority', async () => {
    const { sender, block, executed } = setup();
    await sender.submit(intent('low', { priority: 1 }));
    await sender.submit(intent('high', { priority: 9 }));
    await block();
    await block();
    expect(executed()).toEqual(['high', 'low']);
  });

  test('keeps at most so many nonces in flight', async () => {
    const { chain, sender, block } = setup({ maxInFlight: 2 });
    for (const key of ['a', 'b', 'c']) await sender.submit(intent(key));
    await block({ take: false });
    expect(chain.pooled.map(({ nonce }) => nonce)).toEqual([0, 1]);
    await block();
    expect(chain.pooled.map(({ data }) => named(data))).toEqual(['c']);
  });

  test('tells each outcome once', async () => {
    const { sender, block, outcomes } = setup();
    await sender.submit(intent('a'));
    await block();
    await block();
    await block();
    expect(outcomes.map(([kind, status]) => [kind, status])).toEqual([['claim', 'mined']]);
  });
});

describe('faults of the pool', () => {
  test.each(['unknown', 'known', 'underpriced', 'feeTooLow', 'nonceTooLow', 'rejected'] as const)(
    'survives the answer %s',
    async (verdict) => {
      const { chain, sender, block, executed } = setup();
      await block();
      chain.faults.push(verdict);
      await sender.submit(intent('a'));
      for (let more = 0; more < 8; more += 1) await block();
      expect(executed()).toEqual(['a']);
    },
  );

  test('moves a fresh transaction to the next nonce at once when its own is gone', async () => {
    const { chain, sender, block } = setup();
    await block();
    chain.useNonce();
    await sender.submit(intent('a'));
    await block({ take: false });
    expect(chain.pooled.map(({ nonce, data }) => [nonce, named(data)])).toEqual([[1, 'a']]);
  });

  test('sends a dropped transaction again, the same one', async () => {
    const { chain, sender, block, executed } = setup();
    await block();
    await sender.submit(intent('a'));
    chain.dropPool();
    await block({ take: false });
    await block();
    expect(executed()).toEqual(['a']);
    expect(new Set(chain.offered).size).toBe(1);
  });

  test('gives an intent up after it was refused three times', async () => {
    const { chain, outbox, sender, block, outcomes } = setup();
    await block();
    chain.faults.push('rejected', 'rejected', 'rejected');
    await sender.submit(intent('a'));
    await block();
    await block();
    expect(outbox.get('a')).toMatchObject({ status: 'failed', final: true });
    expect(outcomes.map(([, status]) => status)).toEqual(['failed']);
    await sender.submit(intent('b'));
    expect(chain.pooled.map(({ nonce, data }) => [nonce, named(data)])).toEqual([[0, 'b']]);
  });

  test('replaces a stuck transaction by at least an eighth, under the same nonce', async () => {
    const { chain, sender, block, executed } = setup();
    await block();
    await sender.submit(intent('a'));
    const [first] = chain.pooled;
    for (let more = 0; more < 3; more += 1) await block({ take: false });
    const [second] = chain.pooled;
    expect(second?.nonce).toBe(first?.nonce);
    expect(second!.maxFee * 1000n).toBeGreaterThanOrEqual(first!.maxFee * 1125n);
    expect(second!.tip * 1000n).toBeGreaterThanOrEqual(first!.tip * 1125n);
    await block();
    expect(executed()).toEqual(['a']);
  });

  test('says that the wallet is empty and goes on when it is not', async () => {
    const { chain, sender, block, executed } = setup();
    await block();
    chain.funds = 0n;
    await sender.submit(intent('a'));
    expect(sender.problem?.message).toBe(
      `The operator's wallet ${account.address} cannot pay for gas. Send it some of the chain's coin; the node goes on by itself.`,
    );
    chain.funds = 1n;
    await block();
    await block();
    expect(sender.problem).toBeUndefined();
    expect(executed()).toEqual(['a']);
  });
});

describe('fees', () => {
  test('follow a base fee that rises a hundredfold, up to the cap of what is urgent', async () => {
    const { chain, sender, block, executed } = setup();
    await block();
    await sender.submit(intent('commit', { urgent: true }));
    chain.baseFee *= 100n;
    await block();
    expect(executed()).toEqual([]);
    await block();
    expect(executed()).toEqual(['commit']);
  });

  test('of what is not urgent wait for better times, without a nonce in anybody’s way', async () => {
    const { chain, sender, block, executed } = setup();
    chain.baseFee = 200n * GWEI;
    await block();
    await sender.submit(intent('claim'));
    await sender.submit(intent('reveal', { urgent: true }));
    await block();
    expect(executed()).toEqual(['reveal']);
    chain.baseFee = GWEI;
    await block();
    await block();
    expect(executed()).toEqual(['reveal', 'claim']);
  });

  test('of a cheap transaction in front of an urgent one are raised beyond its own cap', async () => {
    const { chain, sender, block, executed } = setup();
    await block();
    await sender.submit(intent('claim'));
    await sender.submit(intent('commit', { urgent: true }));
    chain.baseFee = 300n * GWEI;
    await block();
    await block();
    expect(executed()).toEqual(['claim', 'commit']);
  });
});

describe('nonces', () => {
  test('that somebody else used are given up, and the intent moves on', async () => {
    const { chain, sender, block, executed } = setup();
    await block();
    await sender.submit(intent('a'));
    chain.useNonce();
    for (let more = 0; more < 5; more += 1) await block();
    expect(executed()).toEqual(['a']);
  });

  test('are not given up while an RPC only lags with the receipt', async () => {
    const { chain, sender, block, executed, outbox } = setup();
    await block();
    await sender.submit(intent('a'));
    const receipt = chain.receipt.bind(chain);
    chain.receipt = async () => undefined;
    await block();
    await block();
    chain.receipt = receipt;
    await block();
    await block();
    expect(outbox.get('a')?.status).toBe('mined');
    expect(executed()).toEqual(['a']);
  });

  test('of what is too late are freed by a transfer to oneself', async () => {
    const { chain, outbox, sender, block, executed } = setup();
    await block();
    await sender.submit(intent('late', { deadline: chain.head.timestamp + 1 }));
    await sender.submit(intent('next'));
    await block({ take: false });
    await block({ take: false });
    expect(chain.pooled.map(({ data }) => named(data))).toEqual(['self', 'next']);
    await block();
    expect(executed()).toEqual(['self', 'next']);
    expect(outbox.get('late')?.status).toBe('cancelled');
  });

  test('are not spent on what is too late before it was sent', async () => {
    const { chain, outbox, sender, block, outcomes } = setup();
    await sender.submit(intent('late', { deadline: 0 }));
    await block();
    expect(chain.offered).toEqual([]);
    expect(outbox.get('late')).toMatchObject({ status: 'expired', final: true });
    expect(outcomes).toEqual([['claim', 'expired', undefined]]);
  });

  test('that nothing uses are filled, so that those behind them can move', async () => {
    const { chain, outbox, sender, block, executed } = setup();
    await block();
    await sender.submit(intent('a'));
    await sender.submit(intent('b'));
    outbox.end('a', 'failed');
    chain.dropPool();
    await block({ take: false });
    await block();
    expect(executed()).toEqual(['self', 'b']);
  });
});

describe('reorgs', () => {
  test('that put a transaction back into the pool cost nothing', async () => {
    const { chain, outbox, sender, block, executed } = setup();
    await block();
    await sender.submit(intent('a'));
    await block();
    expect(outbox.get('a')?.status).toBe('mined');
    chain.reorg(1);
    await block({ take: false, reorged: true });
    expect(outbox.get('a')?.status).toBe('sent');
    await block();
    expect(outbox.get('a')?.status).toBe('mined');
    expect(executed()).toEqual(['a']);
  });

  test('that lose a transaction have it sent again', async () => {
    const { chain, sender, block, executed } = setup();
    await block();
    await sender.submit(intent('a'));
    await sender.submit(intent('b'));
    await block();
    await block();
    chain.reorg(2, { drop: true });
    await block({ reorged: true });
    await block();
    await block();
    expect(executed()).toEqual(['a', 'b']);
  });

  test('are looked for in everything that is not final after a start', async () => {
    const { chain, sender, make, block, executed } = setup();
    await block();
    await sender.submit(intent('a'));
    await block();
    chain.reorg(1, { drop: true });
    const restarted = make();
    await block({}, restarted);
    await block({}, restarted);
    await block({}, restarted);
    expect(executed()).toEqual(['a']);
  });

  test('deeper than the finality are nobody’s business any more', async () => {
    const { outbox, sender, block } = setup();
    await block();
    await sender.submit(intent('a'));
    for (let more = 0; more < 10; more += 1) await block();
    expect(outbox.get('a')).toMatchObject({ status: 'mined', final: true });
    expect(outbox.attempts('a')).toEqual([]);
  });
});
