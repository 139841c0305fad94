import { keccak256, toHex } from 'viem';
import { expect, test } from 'vitest';
import { benchmark, setting, tierProof } from '../ponder.schema.ts';
import { eventId, JOB, OWNER, START, World } from './lib/world.ts';

const SPEC = keccak256(toHex('a spec'));
const NONCE = keccak256(toHex('a nonce'));

test('a benchmark is replaced by the next one, and closed by one without time', async () => {
  const world = new World();
  await world.emitOf('Proofs', 'BenchmarkSet', { tier: 2, runtime: 1, exec: 60, validFor: 86_400, spec: SPEC });
  const first = { tier: 2, runtime: 1, exec: 60, validFor: 86_400, spec: SPEC };
  expect(world.memory.rows(benchmark)).toEqual([{ ...first, ...world.changed }]);
  await world.emitOf('Proofs', 'BenchmarkSet', { tier: 2, runtime: 1, exec: 0, validFor: 0, spec: SPEC });
  expect(world.memory.rows(benchmark)).toEqual([{ ...first, exec: 0, validFor: 0, ...world.changed }]);
});

test('a proof is open until it is accepted', async () => {
  const world = new World();
  await world.emitOf('Proofs', 'ProofBegun', { node: 7, job: JOB, tier: 2, nonce: NONCE });
  const begun = { job: JOB, event: eventId(1), node: 7, tier: 2, nonce: NONCE, begunAt: START + 1 };
  expect(world.memory.rows(tierProof)).toEqual([{ ...begun, finishedAt: null, until: null, ...world.changed }]);
  await world.emitOf('Proofs', 'ProofFinished', { node: 7, job: JOB, tier: 2, until: START + 90 });
  expect(world.memory.rows(tierProof)).toEqual([
    { ...begun, finishedAt: START + 2, until: START + 90, ...world.changed },
  ]);
});

test('who sets the benchmarks is a setting', async () => {
  const world = new World();
  await world.emitOf('Proofs', 'OwnershipTransferred', { previousOwner: OWNER, newOwner: OWNER });
  expect(world.memory.rows(setting)).toMatchObject([{ contract: 'proofs', name: 'owner', value: OWNER.toLowerCase() }]);
});
