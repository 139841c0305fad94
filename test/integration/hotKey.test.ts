import { dpuTokenAbi, marketAbi, stakeSurrogateAbi } from '@dpu/sdk/abi';
import { marketCalls } from '@dpu/sdk/calls';
import { jobHistory } from '@dpu/sdk/history';
import type { Lease } from '@dpu/sdk/lease';
import { createMarket, type Market } from '@dpu/sdk/market';
import { decodeRevert, revertDataOf } from '@dpu/sdk/revert';
import {
  BaseError,
  createWalletClient,
  encodeFunctionData,
  erc20Abi,
  http,
  keccak256,
  toHex,
  zeroHash,
  type AbiFunction,
  type AbiParameter,
  type Address,
  type Hash,
  type Hex,
} from 'viem';
import { foundry } from 'viem/chains';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { DPU, startNetwork, type TestNetwork } from '../../worker/test/node/network.ts';
import { echoModule } from '../../worker/test/node/modules.ts';

/**
 * What a stolen operator key may do with each function of the Market. work: what the key is for; it can lock free stake as bonds. anyone: no
 * key is asked for, so a thief needs none. self: concerns the caller's own money and jobs only. Otherwise the error with which it is refused.
 */
const MARKET: Record<string, 'work' | 'anyone' | 'self' | { refused: string }> = {
  ...of('work', 'claim takeOver sit audit commit commitSeat submit serve challenge appeal setEndpoint'),
  ...of('anyone', 'reveal revealSeat settle settleOrder agree lapse close sweep judge testify enforce accept'),
  ...of('anyone', 'claimOrder postOrder collectFees permit multicall'),
  ...of('self', 'post postBatch cancel deposit depositWithPermit withdraw register delegateStake'),
  ...of({ refused: 'NotNodeOwner' }, 'setNode stake queueUnstake cancelUnstake unstake'),
  ...of({ refused: 'NotGuardian' }, 'pause'),
  ...of({ refused: 'NotCredits' }, 'redeem redeemPanel'),
  ...of({ refused: 'OwnableUnauthorizedAccount' }, 'acceptOwnership renounceOwnership transferOwnership addParams'),
  ...of(
    { refused: 'OwnableUnauthorizedAccount' },
    'allowCurrency allowRuntime allowSeats setCredits setGuardian setProver',
  ),
  ...of({ refused: 'OwnableUnauthorizedAccount' }, 'setMinStake setTier setTreasury setUnbonding'),
};
function of<Fate>(fate: Fate, names: string): Record<string, Fate> {
  return Object.fromEntries(names.split(' ').map((name) => [name, fate]));
}

const OPERATOR = 6;
const STAKE = 10_000n * DPU;
let network: TestNetwork;
let hot: Address;
let thief: Market;

beforeAll(async () => {
  network = await startNetwork({ nodes: 1, blockTime: 0 });
  hot = network.person(OPERATOR).address;
  const walletClient = createWalletClient({
    account: network.person(OPERATOR),
    chain: foundry,
    transport: http(network.rpcUrl),
  });
  thief = createMarket({ publicClient: network.client, walletClient, deployment: network.deployment });
});
afterAll(() => network?.stop());

const writes = (abi: readonly { type: string }[]): AbiFunction[] =>
  (abi as readonly AbiFunction[]).filter(
    ({ type, stateMutability }) =>
      type === 'function' && (stateMutability === 'nonpayable' || stateMutability === 'payable'),
  );

/** An argument in the thief's interest: node 1, the thief's address, the smallest amount. */
function argument(parameter: AbiParameter): unknown {
  const { type } = parameter;
  if (type.endsWith('[]')) return [];
  if (type === 'tuple' && 'components' in parameter)
    return Object.fromEntries(parameter.components.map((part) => [part.name, argument(part)]));
  if (type.startsWith('uint')) return Number(type.slice(4)) <= 48 ? 1 : 1n;
  if (type === 'address') return hot;
  if (type === 'bool') return true;
  if (type === 'string') return 'http://thief.example';
  if (type === 'bytes') return '0x';
  return `0x${'11'.repeat(Number(type.slice(5)))}`;
}
const dataOf = (item: AbiFunction): Hex =>
  encodeFunctionData({ abi: [item], functionName: item.name, args: item.inputs.map(argument) as never });

/** Name of the error with which a call of the hot key is refused; `done` when it is not. */
async function tried(to: Address, data: Hex): Promise<string> {
  try {
    await network.client.call({ account: hot, to, data });
    return 'done';
  } catch (error) {
    const revert = revertDataOf(error);
    return (revert && decodeRevert(revert)?.name) ?? (error instanceof BaseError ? 'Unknown' : String(error));
  }
}
async function mined(hash: Hash): Promise<void> {
  const { status } = await network.client.waitForTransactionReceipt({ hash });
  expect(status).toBe('success');
}
async function pass(seconds: number): Promise<void> {
  await network.test.increaseTime({ seconds });
  await network.test.mine({ blocks: 2 });
}

describe("stolen hot key's worst case", () => {
  test('every function of the Market that changes something is classified', () => {
    const names = [...new Set(writes(marketAbi).map(({ name }) => name))];
    expect(Object.keys(MARKET).toSorted()).toEqual(names.toSorted());
  });

  test.each(Object.entries(MARKET).flatMap(([name, fate]) => (typeof fate === 'string' ? [] : [[name, fate.refused]])))(
    '%s is refused with %s, also inside a multicall',
    async (name, refused) => {
      for (const item of writes(marketAbi).filter((candidate) => candidate.name === name)) {
        const { market } = network.deployment;
        expect(await tried(market, dataOf(item))).toBe(refused);
        const data = encodeFunctionData({ abi: marketAbi, functionName: 'multicall', args: [[dataOf(item)]] });
        expect(await tried(market, data)).toBe(refused);
      }
    },
  );

  test('calls about own money find none of the owner’s', async () => {
    const { market, token } = network.deployment;
    const before = await fortune();
    const withdraw = encodeFunctionData({ abi: marketAbi, functionName: 'withdraw', args: [token, hot, 1n] });
    expect(await tried(market, withdraw)).toBe('BalanceTooLow');
    await mined(await thief.delegateStake(hot));
    const surrogate = await network.requester.surrogateOf(network.ownerAddress(1));
    const votes = await network.client.readContract({
      ...{ address: token, abi: dpuTokenAbi, functionName: 'delegates' },
      args: [surrogate],
    });
    expect(votes).not.toBe(hot);
    expect(await fortune()).toEqual(before);
  });

  test.each([
    ['the token', () => network.deployment.token, dpuTokenAbi, 'transferFrom burnFrom'],
    [
      'the surrogate that holds the stake',
      () => network.requester.surrogateOf(network.ownerAddress(1)),
      stakeSurrogateAbi,
      'delegate initialize release',
    ],
  ] as const)('%s gives the key nothing of the owner', async (_what, address, abi, names) => {
    for (const name of names.split(' ')) {
      const item = writes(abi).find((candidate) => candidate.name === name);
      if (!item) throw new Error(`no function ${name}`);
      const owner = network.ownerAddress(1);
      const args = item.inputs.map((input, index) =>
        input.type === 'address' && index === 0 && name.endsWith('From') ? owner : argument(input),
      );
      const data = encodeFunctionData({ abi: [item], functionName: name, args: args as never });
      expect(await tried(await address(), data), name).not.toBe('done');
    }
  });

  test('it costs at most the bonds that it locks until the owner puts another key in its place, and pays the key nothing', async () => {
    const { token } = network.deployment;
    const bond = 500n * DPU;
    const before = await fortune();
    const { terms, id } = await network.post({ module: echoModule(), shards: 40, terms: { bond, exec: 60 } });
    await pass(5);

    // It takes what it can carry, and no more than the stake can pay.
    await mined(await thief.claim(terms, 1, 8));
    expect((await network.requester.node(1)).locked).toBe(8n * bond);
    expect(await tried(network.deployment.market, marketCalls.claim(terms, 1, 13))).toBe('StakeTooLow');
    const claimed = await leaseOf(id);
    const garbage = keccak256(toHex('garbage'));
    await mined(await thief.commit(id, claimed, garbage));

    // The owner changes the key; from this block on the thief can do nothing more.
    await mined(await network.owner(1).setNode(1, network.person(9).address, 2, zeroHash, ''));
    expect(await tried(network.deployment.market, marketCalls.claim(terms, 1, 1))).toBe('NotNodeOperator');

    // What was committed with garbage is lost; half of it is burnt, and the key has no part in the other half.
    await pass(3_600);
    await mined(await network.requester.lapse(terms, await leaseOf(id)));
    const after = await fortune();
    expect(before.stake - after.stake).toBe(8n * bond);
    expect(after.locked).toBe(0n);
    expect([after.owner, after.wallet, after.inside]).toEqual([before.owner, before.wallet, before.inside]);
    expect(await network.requester.balanceOf(token, hot)).toBe(0n);
    expect(await balance(hot)).toBe(0n);

    // And the owner has the rest.
    await mined(await network.owner(1).queueUnstake(1, after.stake));
    expect((await network.requester.node(1)).queued).toBe(STAKE - 8n * bond);
  });
});

/** The first lease of a job as it stands. */
async function leaseOf(id: Hex): Promise<Lease> {
  const [first] = (await jobHistory(network.client, network.deployment, id, { gas: false })).leases;
  if (!first) throw new Error(`nothing of ${id} is claimed`);
  return first.lease;
}
async function fortune() {
  const owner = network.ownerAddress(1);
  const node = await network.requester.node(1);
  return {
    ...{ stake: node.stake, locked: node.locked, owner: node.owner },
    wallet: await balance(owner),
    inside: await network.requester.balanceOf(network.deployment.token, owner),
  };
}
const balance = (account: Address): Promise<bigint> =>
  network.client.readContract({
    ...{ address: network.deployment.token, abi: erc20Abi, functionName: 'balanceOf' },
    args: [account],
  });
