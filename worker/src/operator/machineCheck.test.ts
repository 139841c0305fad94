import { parseGwei } from 'viem';
import { expect, test } from 'vitest';

import type { NodeConfig } from '../config.ts';
import { TransientError } from '../errors.ts';
import type { MachineReading } from '../resources/machine.ts';
import { parseWindow } from '../resources/schedule.ts';
import type { Runtime, RuntimeProbe } from '../runtimes/runtime.ts';
import { CURRENCY, sampleHead, sampleNode } from '../testing/samples.ts';
import { findingLines } from './findings.ts';
import { checkMachine, type MachineCheckDeps } from './machineCheck.ts';

const GIB = 1024 ** 3;
const NOW = 1_000_000;
const OPERATOR = '0x0000000000000000000000000000000000000201';
const config = {
  ...{ slots: 2, cores: 2, memoryMb: 256, shardMemoryMb: 128, schedule: [], onlyWhenIdle: false, dataDir: '/data' },
  ...{ rpcUrl: 'http://rpc', network: { chainId: 7 }, tipGwei: parseGwei('1') },
} as unknown as NodeConfig;
const reading: MachineReading = {
  ...{ othersCores: 0, memoryAvailableBytes: GIB, cpuTemperatureC: undefined, gpus: [], othersGpuPercent: 0 },
};
const runtime = (name: string, probe: Partial<RuntimeProbe> = {}): Runtime =>
  ({
    name,
    probe: async () => ({ available: true, isolation: 'bubblewrap', detail: 'Self-test right.', ...probe }),
  }) as unknown as Runtime;

interface World {
  chainId: number;
  head: number;
  node: number;
  balance: bigint;
  stake: bigint;
  free: number;
  runtimes: Runtime[];
  config: Partial<NodeConfig>;
  silent: boolean;
}

async function look(over: Partial<World> = {}) {
  const world = { chainId: 7, head: NOW - 2, node: 3, balance: 10n ** 18n, stake: 100n, free: 50 * GIB, ...over };
  const chain = {
    chainId: async () => {
      if (over.silent) throw new TransientError('no answer');
      return world.chainId;
    },
    latest: async () => sampleHead(20, world.head, { baseFee: parseGwei('1') }),
    nodeOf: async () => world.node,
    node: async () => sampleNode({ stake: world.stake, owner: CURRENCY }),
    balance: async () => world.balance,
    config: async () => ({ pausedUntil: 0, minStake: 100n }),
  } satisfies MachineCheckDeps['chain'];
  const check = await checkMachine({ ...config, ...over.config }, OPERATOR, {
    ...{ chain, machine: { read: async () => reading }, nowSeconds: () => NOW },
    ...{ runtimes: over.runtimes ?? [runtime('wasm')], freeBytes: async () => world.free },
  });
  const of = (what: string): string | undefined => check.findings.find((finding) => finding.what === what)?.state;
  return { ...check, of };
}

test('a good machine has nothing to complain about', async () => {
  const { findings, working, node } = await look();
  expect(findings.filter(({ state }) => state !== 'good')).toEqual([]);
  expect([working, node]).toEqual([['wasm'], 3]);
});

test.each<[string, string, string, Partial<World>]>([
  ['more slots than cores', 'Processor', 'weak', { config: { slots: 3 } }],
  ['more memory than there is', 'Memory', 'bad', { config: { memoryMb: 2 ** 40 } }],
  ['shards larger than all of them', 'Memory', 'weak', { config: { shardMemoryMb: 257 } }],
  ['ten GiB of disk', 'Disk', 'good', { free: 10 * GIB }],
  ['less than ten GiB of disk', 'Disk', 'weak', { free: 9.8 * GIB }],
  ['less than one GiB of disk', 'Disk', 'bad', { free: 0.9 * GIB }],
  ['a weaker sandbox', 'Sandbox', 'weak', { runtimes: [runtime('wasm', { isolation: 'process' })] }],
  ['no runtime', 'Sandbox', 'bad', { runtimes: [runtime('wasm', { available: false, isolation: 'none' })] }],
  ['a silent RPC', 'RPC', 'bad', { silent: true }],
  ['another chain', 'RPC', 'bad', { chainId: 8 }],
  ['a block a minute old', 'Clock', 'good', { head: NOW - 60 }],
  ['an older block', 'Clock', 'weak', { head: NOW - 61 }],
  ['a clock that is late', 'Clock', 'weak', { head: NOW + 61 }],
  ['gas for twenty leases', 'Gas', 'good', { balance: 10_000_000n * parseGwei('2') }],
  ['gas for fewer', 'Gas', 'weak', { balance: 10_000_000n * parseGwei('2') - 1n }],
  ['gas for none', 'Gas', 'bad', { balance: 500_000n * parseGwei('2') - 1n }],
  ['no node', 'Node', 'bad', { node: 0 }],
  ['too little stake', 'Stake', 'bad', { stake: 99n }],
  ['hours', 'Working hours', 'good', { config: { schedule: [parseWindow('22:00-07:00')] } }],
])('%s', async (_what, what, state, over) => {
  expect((await look(over)).of(what)).toBe(state);
});

test('every finding that is not good says what to do', async () => {
  const worst = await look({ node: 0, balance: 0n, free: 0, config: { slots: 9, shardMemoryMb: 999 }, head: 0 });
  for (const { what, state, action } of worst.findings) expect(action !== undefined, what).toBe(state !== 'good');
  const lines = findingLines(worst.findings);
  expect(lines).toContain(
    'BAD  Node: No node is registered for the operator 0x0000000000000000000000000000000000000201.',
  );
  expect(lines).toContain('     → Register it with the owner’s wallet: dpu-node init says how.');
});
