import {
  capabilityProofsAbi,
  computeCreditsAbi,
  dpuGovernorAbi,
  dpuTimelockAbi,
  dpuTokenAbi,
  marketAbi,
  stakeSurrogateAbi,
} from '@dpu/sdk/abi';
import type { Abi } from 'viem';
import { describe, expect, test } from 'vitest';
import { activityType, currency, params, protocol, runtime } from '../ponder.schema.ts';
import { allHandlers, handlers } from '../src/handlers.ts';
import { UNINDEXED } from '../src/unindexed.ts';
import { DOLLAR, OWNER, PARAMS, REQUESTER, START, TREASURY, World } from './lib/world.ts';

describe('governance', () => {
  test('a currency can be opened and closed without losing its totals', async () => {
    const world = new World();
    await world.emit('CurrencyAllowed', { currency: DOLLAR, allowed: true });
    await world.emit('Deposited', { currency: DOLLAR, account: REQUESTER, from: REQUESTER, amount: 70n });
    await world.emit('CurrencyAllowed', { currency: DOLLAR, allowed: false });
    expect(world.memory.rows(currency)).toEqual([
      {
        address: DOLLAR,
        allowed: false,
        deposited: 70n,
        withdrawn: 0n,
        paid: 0n,
        fee: 0n,
        escrow: 0n,
        uncollected: 0n,
        ...world.changed,
      },
    ]);
  });

  test('a runtime can be opened and closed', async () => {
    const world = new World();
    await world.emit('RuntimeAllowed', { runtime: 2, allowed: true });
    await world.emit('RuntimeAllowed', { runtime: 2, allowed: false });
    expect(world.memory.rows(runtime)).toEqual([{ id: 2, allowed: false, ...world.changed }]);
  });

  test('versions of the parameters stay, the newest is named', async () => {
    const world = new World();
    await world.emit('ParamsAdded', { version: 1, params: PARAMS });
    await world.emit('ParamsAdded', { version: 2, params: { ...PARAMS, feeBps: 200 } });
    expect(world.memory.rows(params)).toEqual([
      { version: 1, ...PARAMS, block: 1, timestamp: START + 1, transaction: world.transaction(1) },
      { version: 2, ...PARAMS, feeBps: 200, block: 2, timestamp: START + 2, transaction: world.transaction(2) },
    ]);
    expect(world.memory.rows(protocol)).toMatchObject([{ params: 2 }]);
  });

  test('who governs is one row', async () => {
    const world = new World();
    await world.treasury();
    await world.emit('GuardianSet', { guardian: OWNER, until: START + 9 });
    await world.emit('Paused', { guardian: OWNER, until: START + 5 });
    await world.emit('MinStakeSet', { minStake: 1_000n });
    await world.emit('UnbondingSet', { unbonding: 604_800 });
    await world.emit('SeatsAllowed', { allowed: true });
    await world.emit('SeatsAllowed', { allowed: false });
    await world.emit('CreditsSet', { credits: OWNER });
    await world.emit('ProverSet', { prover: REQUESTER });
    expect(world.memory.rows(protocol)).toEqual([
      {
        id: 0,
        treasury: TREASURY,
        guardian: OWNER,
        guardianUntil: START + 9,
        pausedUntil: START + 5,
        params: null,
        minStake: 1_000n,
        unbonding: 604_800,
        seats: false,
        credits: OWNER,
        prover: REQUESTER,
        ...world.changed,
      },
    ]);
  });
});

describe('words', () => {
  test.each([
    ['Market', marketAbi],
    ['Token', dpuTokenAbi],
    ['Credits', computeCreditsAbi],
    ['Governor', dpuGovernorAbi],
    ['Timelock', dpuTimelockAbi],
    ['Proofs', capabilityProofsAbi],
    ['Surrogate', stakeSurrogateAbi],
  ] as const)('every event of the %s has a handler, or a reason why not', (contract, abi) => {
    const events = new Set((abi as Abi).filter((item) => item.type === 'event').map((item) => item.name));
    const taken = contract === 'Surrogate' ? [] : Object.keys(allHandlers[contract]);
    const needed = [...events].filter((name) => !(name in UNINDEXED));
    expect(taken.sort()).toEqual(needed.sort());
  });

  test('the activity has the events of the Market, but those that only say who owns it', () => {
    const types = Object.keys(handlers)
      .filter((name) => !name.startsWith('Ownership'))
      .map((name) => name[0]!.toLowerCase() + name.slice(1));
    expect([...activityType.enumValues].sort()).toEqual(types.sort());
  });
});
