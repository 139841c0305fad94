import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { keccak256 } from 'viem';
import { expect, test } from 'vitest';

import { describePlan, faultAt, FAULTS, planFaults, type Fault, type Spell } from '../lib/faultPlan.ts';
import { startFaultProxy } from '../lib/faultProxy.ts';

const always = (fault: Fault, depth = 3): Spell[] => [{ fault, from: 0, to: 99, share: 1, depth }];

test('equal seeds have equal weather, others another', () => {
  const wish = { seed: 5, spells: 8, requests: 50 };
  expect(planFaults(wish)).toEqual(planFaults(wish));
  expect(planFaults({ ...wish, seed: 6 })).not.toEqual(planFaults(wish));
  const hits = (seed: number): boolean[] =>
    Array.from({ length: 100 }, (_, at) => faultAt([{ ...always('error')[0]!, share: 0.5 }], seed, at) !== undefined);
  expect(hits(1)).toEqual(hits(1));
  expect(hits(1)).not.toEqual(hits(2));
  expect(hits(1).filter(Boolean).length).toBe(56);
});

test('spells follow each other, with calm between and after them', () => {
  const plan = planFaults({ seed: 1, spells: 20, requests: 30 });
  plan.reduce((before, { from, to }) => {
    expect(from).toBeGreaterThan(before);
    expect(to).toBeGreaterThan(from);
    return to;
  }, -1);
  expect(faultAt(plan, 1, plan.at(-1)!.to + 1)).toBeUndefined();
  expect(new Set(planFaults({ seed: 1, spells: 200, requests: 2 }).map(({ fault }) => fault)).size).toBe(FAULTS.length);
});

test('flapping is eight requests down, eight up', () => {
  const down = Array.from({ length: 24 }, (_, at) => faultAt(always('flap'), 1, at) !== undefined);
  expect(down.map(Number).join('')).toBe('111111110000000011111111');
});

test('a plan says in words what happens', () => {
  expect(describePlan(7, [...always('lag'), { fault: 'drop', from: 120, to: 130, share: 0.25, depth: 1 }])).toBe(
    'weather of seed 7:\n  requests 0 to 99: lag, 100 %, 3 blocks\n  requests 120 to 130: drop, 25 %',
  );
});

/** An endpoint at block 10 with one log in each of blocks 9 and 10, that counts what it is asked, behind a proxy. */
async function setup(fault: Fault) {
  const asked: string[] = [];
  const hex = (number: number): string => `0x${number.toString(16)}`;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += String(piece)));
    request.on('end', () => {
      const { id, method, params } = JSON.parse(body) as { id: number; method: string; params: unknown[] };
      asked.push(`${method} ${JSON.stringify(params)}`);
      const logs = (): object[] =>
        [9, 10]
          .filter((block) => block <= Number((params[0] as { toBlock: string }).toBlock))
          .map((block) => ({ blockNumber: hex(block), data: '0x0001' }));
      const result = method === 'eth_blockNumber' ? hex(10) : method === 'eth_getLogs' ? logs() : params;
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = await startFaultProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 1, always(fault));
  const ask = async (method: string, ...params: unknown[]): Promise<unknown> => {
    try {
      const response = await fetch(proxy.url, { method: 'POST', body: JSON.stringify({ id: 1, method, params }) });
      const answer = (await response.json()) as { result?: unknown; error?: { message: string } };
      return answer.error?.message ?? answer.result;
    } catch {
      return 'silence';
    }
  };
  return {
    proxy,
    ask,
    asked,
    async stop() {
      await proxy.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
const range = { fromBlock: '0x9', toBlock: '0xa' };

test.each<[Fault, string, unknown[], unknown]>([
  ['error', 'eth_chainId', [], 'internal error'],
  ['silence', 'eth_chainId', [], 'silence'],
  ['flap', 'eth_chainId', [], 'silence'],
  ['lag', 'eth_blockNumber', [], '0x7'],
  ['lag', 'eth_getBlockByNumber', ['0x8', false], null],
  ['lag', 'eth_getLogs', [range], []],
  ['stale', 'eth_call', [{}, 'latest'], [{}, '0x7']],
  ['drop', 'eth_sendRawTransaction', ['0x02'], keccak256('0x02')],
  ['duplicate', 'eth_sendRawTransaction', ['0x02'], ['0x02']],
  ['hide', 'eth_getLogs', [range], [{ blockNumber: '0x9', data: '0x0001' }]],
  [
    'forge',
    'eth_getLogs',
    [range],
    [
      { blockNumber: '0x9', data: '0x0001' },
      { blockNumber: '0xa', data: '0x0000' },
    ],
  ],
  ['reorder', 'eth_chainId', [], []],
])('%s: %s', async (fault, method, params, answer) => {
  const { proxy, ask, asked, stop } = await setup(fault);
  expect(await ask(method, ...params)).toEqual(answer);
  expect(proxy.hits).toEqual({ [fault]: 1 });
  const sends = asked.filter((question) => question.startsWith('eth_sendRawTransaction')).length;
  expect(sends).toBe(fault === 'duplicate' ? 2 : 0);
  proxy.heal();
  expect(await ask('eth_chainId')).toEqual([]);
  await stop();
});
