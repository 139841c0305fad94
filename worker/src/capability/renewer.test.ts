import { capabilityProofsAbi } from '@dpu/sdk/abi';
import { benchmarkOf, LOCAL_TIERS, specOf, type Benchmark } from '@dpu/sdk/capability/benchmarks';
import type { JobState } from '@dpu/sdk/lease';
import { CID } from 'multiformats/cid';
import { decodeFunctionData } from 'viem';
import { expect, test } from 'vitest';

import type { NodeView } from '../chain/chain.ts';
import type { KnownJob } from '../chain/chainBook.ts';
import type { MarketEvent } from '../chain/marketEvents.ts';
import { TransientError } from '../errors.ts';
import type { Proposal, Proposed } from '../sending/proposer.ts';
import { MemoryBackend } from '../testing/memoryBackend.ts';
import { bytes32, NODE, sampleHead, sampleNode, sampleTerms } from '../testing/samples.ts';
import { Renewer } from './renewer.ts';

const PROOFS = '0x00000000000000000000000000000000000000Af';
const TIER = LOCAL_TIERS[0]!;
const MODULE = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy');
const BENCHMARK = benchmarkOf(TIER, MODULE);
const NONCE = bytes32(0xabc);
const SPEC = specOf(BENCHMARK, NONCE).block;
const UNTIL = 1_000_000;
/** First second at which a fifth of the day is left. */
const DUE = UNTIL - TIER.validFor / 5;
const PROOF: KnownJob = {
  id: bytes32(0x9f),
  terms: sampleTerms({ requester: PROOFS, node: NODE, spec: SPEC.digest, expiry: DUE + 60 }),
  postedBlock: 40,
};

interface World {
  node: Partial<NodeView>;
  jobs: KnownJob[];
  state: JobState;
  lapsed: boolean;
  /** What the contract still keeps of the proof. */
  tierOf: number | undefined;
  benchmark: Benchmark | undefined;
  answer: Proposed;
  mayWork: boolean;
  renew: boolean;
  runtimes: number[];
  meta: Map<string, string>;
  down: boolean;
  gatewayFull: boolean;
}

function setup(over: Partial<World> = {}) {
  const world: World = {
    node: { tier: 1, tierUntil: UNTIL, runtimes: 1 << BENCHMARK.runtime, stake: BENCHMARK.bond },
    jobs: [],
    state: 'open',
    lapsed: false,
    tierOf: 1,
    benchmark: BENCHMARK,
    answer: { outcome: 'sent' },
    mayWork: true,
    renew: true,
    runtimes: [BENCHMARK.runtime],
    meta: new Map(),
    down: false,
    gatewayFull: false,
    ...over,
  };
  const proposals: Proposal[] = [];
  const said: string[] = [];
  const [own, gateway] = [new MemoryBackend(), new MemoryBackend()];
  const say = (message: string): void => void said.push(message);
  let looks = 0;
  const renewer = new Renewer(
    { node: NODE, renew: world.renew, everyBlocks: 10 },
    {
      chain: {
        node: async () => {
          looks += 1;
          if (world.down) throw new TransientError('nobody is there');
          return sampleNode(world.node);
        },
        job: async () => ({ state: world.state, at: 0, atBlock: 0, cursor: 0, busy: 0, done: 0, left: 0n }),
      },
      proofs: {
        address: PROOFS,
        benchmark: async (tier) => (tier === 1 ? world.benchmark : undefined),
        tierOf: async () => world.tierOf,
        nonce: async (_job, block) => (block === PROOF.postedBlock ? NONCE : undefined),
      },
      book: {
        cursor: () => ({ number: 50, hash: bytes32(50) }),
        jobsFor: (requester, node) => (requester === PROOFS && node === NODE ? world.jobs : []),
        leasesOf: () => (world.lapsed ? [{ phase: 'lapsed' }] : []) as never,
      },
      journal: {
        meta: (key) => world.meta.get(key),
        setMeta: (key, value) => void world.meta.set(key, value),
      },
      proposer: {
        propose: async (proposal) => {
          proposals.push(proposal);
          return world.answer;
        },
      },
      storage: [
        own,
        {
          addFile: (file) => (world.gatewayFull ? Promise.reject(new Error('full')) : gateway.addFile(file)),
          putBlock: (cid, bytes) => gateway.putBlock(cid, bytes),
        },
      ],
      asset: async (name) => new TextEncoder().encode(name),
      runtimes: new Set(world.runtimes),
      mayWork: () => world.mayWork,
      log: { debug: say, info: say, warn: say, error: say } as never,
    },
  );
  const at = (time: number, block = 50, events: MarketEvent[] = []) =>
    renewer.tick({ ...sampleHead(block, time), number: block, timestamp: time }, events);
  const calls = () =>
    proposals.map(({ kind, to, data }) => {
      expect(to).toBe(PROOFS);
      const { functionName, args } = decodeFunctionData({ abi: capabilityProofsAbi, data });
      return [kind, functionName, ...(args ?? [])];
    });
  return { world, renewer, at, calls, said, own, gateway, looks: () => looks };
}

test('a tier is proven again when a fifth of its time is left, not a second before', async () => {
  const early = setup();
  await early.at(DUE - 1);
  expect(early.calls()).toEqual([]);
  expect(early.renewer.standing).toEqual({ tier: 1, until: UNTIL, renewal: 'later' });

  const due = setup();
  await due.at(DUE);
  expect(due.calls()).toEqual([['beginProof', 'begin', NODE, 1]]);
  expect(due.renewer.standing).toEqual({ tier: 1, until: UNTIL, renewal: 'running' });
});

test('a tier that has run out is proven again too', async () => {
  const { at, calls } = setup();
  await at(UNTIL + 5_000_000);
  expect(calls()).toEqual([['beginProof', 'begin', NODE, 1]]);
});

test('a proof that nobody claimed is tried again after a twentieth of the time', async () => {
  const { at, calls } = setup();
  await at(DUE);
  await at(DUE + TIER.validFor / 20 - 1, 60);
  expect(calls()).toHaveLength(1);
  await at(DUE + TIER.validFor / 20, 70);
  expect(calls()).toHaveLength(2);
});

test.each<[string, Partial<World>]>([
  ['a node without a tier', { node: { tier: 0 } }],
  ['a tier that governance has closed', { benchmark: undefined }],
  ['a drained or halted node', { mayWork: false }],
  ['a runtime that does not work here', { runtimes: [] }],
  ['a runtime that is not registered', { node: { tier: 1, tierUntil: UNTIL, runtimes: 0, stake: BENCHMARK.bond } }],
  [
    'too little free stake',
    {
      node: {
        ...{ tier: 1, tierUntil: UNTIL, runtimes: 1 << BENCHMARK.runtime },
        ...{ stake: BENCHMARK.bond + 2n, locked: 2n, queued: 1n },
      },
    },
  ],
  ['the setting off', { renew: false }],
])('begins nothing with %s', async (_name, over) => {
  const { at, calls } = setup(over);
  await at(DUE);
  expect(calls()).toEqual([]);
});

test('with the setting off, what its owner begins is looked after all the same', async () => {
  const { at, own, renewer } = setup({ renew: false, jobs: [PROOF] });
  await at(DUE);
  expect(own.blocks.get(SPEC.cid.toString())).toEqual(SPEC.bytes);
  expect(renewer.standing?.renewal).toBe('running');
});

test('the spec of a new proof is stored in the very block that brought it, here and at the gateway, once', async () => {
  const { world, at, own, gateway, looks } = setup();
  await at(DUE - 10);
  world.jobs = [PROOF];
  const posted: MarketEvent = { name: 'JobPosted', block: 41, logIndex: 0, job: PROOF.id, terms: PROOF.terms };
  await at(DUE - 9, 51, [{ ...posted, terms: { ...PROOF.terms, node: NODE + 1 } }]);
  expect(looks()).toBe(1);
  await at(DUE - 9, 51, [posted]);
  await at(DUE - 8, 52, [posted]);
  for (const store of [own, gateway]) {
    expect(store.calls.filter((call) => call.startsWith('put'))).toEqual([`put ${SPEC.cid}`]);
    expect(await store.getBlock(SPEC.cid)).toEqual(SPEC.bytes);
  }
});

test('a gateway that takes nothing does not keep the node from its proof', async () => {
  const { at, own, said } = setup({ jobs: [PROOF], gatewayFull: true });
  await at(DUE);
  expect(own.blocks.has(SPEC.cid.toString())).toBe(true);
  expect(said).toEqual(['The gateway did not take the spec of a proof; this node serves it all the same']);
});

test('a spec that is not the job’s is not stored: the benchmark was changed meanwhile', async () => {
  const changed = benchmarkOf({ ...TIER, exec: TIER.exec + 1 }, MODULE);
  const { at, own, said } = setup({ jobs: [PROOF], benchmark: changed });
  await at(DUE);
  expect(own.blocks.size).toBe(0);
  expect(said).toEqual(['The spec of a proof cannot be made']);
});

test('what is complete is entered, until the contract has it', async () => {
  const { world, at, calls, renewer } = setup({ jobs: [PROOF], state: 'complete' });
  await at(DUE);
  expect(calls()).toEqual([['finishProof', 'finish', PROOF.id]]);
  expect(renewer.standing?.renewal).toBe('running');
  world.tierOf = undefined;
  world.node = { ...world.node, tierUntil: UNTIL + TIER.validFor };
  await at(DUE, 60);
  await at(DUE, 70);
  expect(calls()).toHaveLength(1);
  expect(renewer.standing).toEqual({ tier: 1, until: UNTIL + TIER.validFor, renewal: 'later' });
});

test('a proof that missed its deadline cost the bond, and is not tried again until the tier has been proven anew', async () => {
  const { world, at, calls, renewer, said } = setup();
  await at(DUE);
  Object.assign(world, { jobs: [PROOF], lapsed: true, state: 'open' });
  await at(PROOF.terms.expiry + 1, 60);
  await at(UNTIL + 10 * TIER.validFor, 70);
  expect(calls()).toHaveLength(1);
  expect(renewer.standing).toEqual({ tier: 1, until: UNTIL, renewal: 'stopped' });
  expect(said.filter((line) => line.includes('the bond is lost'))).toHaveLength(1);

  const anew = UNTIL + 11 * TIER.validFor;
  world.node = { ...world.node, tierUntil: anew };
  await at(anew - 100, 80);
  expect(calls()).toHaveLength(2);
});

test('an open proof runs to the last second in which it may be claimed', async () => {
  const { at, renewer, calls } = setup({ jobs: [PROOF], meta: new Map([['tier:tried', String(DUE)]]) });
  await at(PROOF.terms.expiry);
  expect(renewer.standing?.renewal).toBe('running');
  await at(PROOF.terms.expiry + 1, 60);
  expect(renewer.standing?.renewal).toBe('later');
  expect(calls()).toEqual([]);
});

test('a refusal is told, and tried with a later look', async () => {
  const revert = { name: 'InsufficientBalance', args: [], message: 'InsufficientBalance()' };
  const { world, at, calls, said } = setup({ answer: { outcome: 'refused', revert } });
  await at(DUE);
  expect(said).toEqual(['The tier cannot be proven again now']);
  world.answer = { outcome: 'sent' };
  await at(DUE + 1, 60);
  expect(calls()).toHaveLength(2);
});

test('a chain that does not answer stops nothing: the next block tries again', async () => {
  const { world, at, calls, said } = setup({ down: true });
  await at(DUE);
  expect(said).toEqual(['The tier is looked after with a later block']);
  world.down = false;
  await at(DUE, 51);
  expect(calls()).toHaveLength(1);
});
