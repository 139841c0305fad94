import { privateKeyToAccount } from 'viem/accounts';
import type { Hex } from 'viem';
import { describe, expect, test } from 'vitest';

import { Journal } from './journal.ts';
import { silentLog } from '../log.ts';
import { Outbox, type Intent } from './outbox.ts';
import { Sender, type SenderOptions } from './sender.ts';
import { FakeSenderChain } from '../testing/fakeSenderChain.ts';

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

/** A process that dies at its `at`-th step: every write to the disk and every call to the chain is one, before and after it happens. */
class Death extends Error {}
function mortal<T extends object>(thing: T, methods: readonly (keyof T)[], tick: () => void): T {
  return new Proxy(thing, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const method = value.bind(target) as (...args: unknown[]) => unknown;
      if (!methods.includes(name as keyof T)) return method;
      return (...args: unknown[]) => {
        tick();
        const answer = method(...args);
        if (!(answer instanceof Promise)) {
          tick();
          return answer;
        }
        return answer.then((settled: unknown) => {
          tick();
          return settled;
        });
      };
    },
  });
}

describe('kill -9', () => {
  test('at any step, under any weather, leaves every intent on the chain exactly once', async () => {
    let deaths = 0;
    for (let seed = 1; seed <= 120; seed += 1) {
      const random = generator(seed);
      const chain = new FakeSenderChain();
      const outbox = new Outbox(new Journal({ file: ':memory:' }));
      const keys = ['a', 'b', 'c', 'd'];
      let life: Sender | undefined;
      let left = Infinity;
      const tick = (): void => {
        if (--left < 0) throw new Death();
      };
      const born = (): Sender => {
        left = Math.floor(random() * 40);
        return new Sender(options, {
          chain: mortal(chain, ['sendRaw', 'nonce', 'receipt', 'knows'], tick),
          outbox: mortal(outbox, ['add', 'addAttempt', 'markMined', 'unmine', 'requeue', 'finalize'], tick),
          log: silentLog,
        });
      };
      for (let round = 0; round < 60; round += 1) {
        const stormy = round < 40;
        if (!stormy) left = Infinity;
        life ??= born();
        let reorged = false;
        if (stormy && random() < 0.15) chain.dropPool();
        if (stormy && random() < 0.1 && chain.head.number > 4) {
          chain.reorg(1 + Math.floor(random() * 3), { drop: random() < 0.5 });
          reorged = true;
        }
        if (stormy && random() < 0.2) chain.faults.push('unknown');
        chain.mine({ take: random() < 0.7 });
        try {
          await life.tick(chain.head, reorged);
          for (const key of keys) await life.submit(intent(key));
        } catch (error) {
          if (!(error instanceof Death)) throw error;
          deaths += 1;
          life = undefined;
        }
      }
      expect(
        chain.executed
          .map(named)
          .filter((name) => name !== 'self')
          .sort(),
        `seed ${seed}`,
      ).toEqual(keys);
    }
    expect(deaths).toBeGreaterThan(500);
  });
});

/** mulberry32: the same seed, the same weather. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
