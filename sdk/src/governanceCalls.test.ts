import { encodeFunctionData, erc20Abi, type Address } from 'viem';
import { expect, test } from 'vitest';
import { dpuGovernorAbi, dpuTimelockAbi, dpuTokenAbi, marketAbi } from './abi/generated.ts';
import { callsProposal, decodeCall, decodeCalls } from './governanceCalls.ts';

const at = (digit: string): Address => `0x${digit.repeat(40)}`;
const [GOVERNOR, TIMELOCK, MARKET, TOKEN, DOLLAR, ANN] = ['1', '2', '3', '4', '5', '6'].map(at) as [
  Address,
  Address,
  Address,
  Address,
  Address,
  Address,
];
const deployment = {
  governor: GOVERNOR,
  timelock: TIMELOCK,
  market: MARKET,
  token: TOKEN,
  currencies: [
    { address: TOKEN, symbol: 'DPU', decimals: 18 },
    { address: DOLLAR, symbol: 'USDL', decimals: 6 },
  ],
};
const unbonding = encodeFunctionData({ abi: marketAbi, functionName: 'setUnbonding', args: [864_000] });
const read = (target: Address, calldata: `0x${string}`) => decodeCall(deployment, { target, value: 0n, calldata });

test.each([
  ['market', MARKET, unbonding, 'setUnbonding', [['unbonding', 864_000]]],
  [
    'governor',
    GOVERNOR,
    encodeFunctionData({ abi: dpuGovernorAbi, functionName: 'updateQuorumNumerator', args: [5n] }),
    'updateQuorumNumerator',
    [['newQuorumNumerator', 5n]],
  ],
  [
    'timelock',
    TIMELOCK,
    encodeFunctionData({ abi: dpuTimelockAbi, functionName: 'updateDelay', args: [9n] }),
    'updateDelay',
    [['newDelay', 9n]],
  ],
  [
    'token',
    TOKEN,
    encodeFunctionData({ abi: dpuTokenAbi, functionName: 'delegate', args: [ANN] }),
    'delegate',
    [['delegatee', ANN]],
  ],
  [
    'currency',
    DOLLAR,
    encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [ANN, 7n] }),
    'transfer',
    [
      ['recipient', ANN],
      ['amount', 7n],
    ],
  ],
] as const)('a call of the %s is read by its ABI', (contract, target, calldata, name, args) => {
  const call = read(target, calldata);
  expect([call.contract, call.name, call.args.map(({ name, value }) => [name, value])]).toEqual([contract, name, args]);
});

test('a stranger is not read, and neither are bytes that no function takes', () => {
  expect(read(ANN, unbonding)).toEqual({
    target: ANN,
    value: 0n,
    calldata: unbonding,
    contract: undefined,
    name: undefined,
    args: [],
    inner: [],
  });
  const broken = read(MARKET, `${unbonding.slice(0, 40)}` as `0x${string}`);
  expect([broken.contract, broken.name, broken.args]).toEqual(['market', undefined, []]);
  expect(read(MARKET, '0x12345678').name).toBeUndefined();
  expect(read(MARKET, '0x').name).toBeUndefined();
});

test('batches show what is in them, and one that holds itself too deeply stays bytes', () => {
  const batch = (inside: `0x${string}`) =>
    encodeFunctionData({ abi: marketAbi, functionName: 'multicall', args: [[inside, inside]] });
  expect(read(MARKET, batch(unbonding)).inner.map(({ name }) => name)).toEqual(['setUnbonding', 'setUnbonding']);

  const relay = encodeFunctionData({ abi: dpuGovernorAbi, functionName: 'relay', args: [MARKET, 3n, unbonding] });
  const [sent] = read(GOVERNOR, relay).inner;
  expect([sent?.target, sent?.value, sent?.name]).toEqual([MARKET, 3n, 'setUnbonding']);

  let deep = read(MARKET, batch(batch(batch(batch(unbonding)))));
  let depth = 0;
  while (deep.inner[0]) {
    deep = deep.inner[0];
    depth += 1;
  }
  expect([depth, deep.name]).toEqual([3, 'multicall']);
});

test('calls become a proposal with the mark of its proposer, in their order', () => {
  const calls = [
    { target: MARKET, value: 0n, calldata: unbonding },
    { target: GOVERNOR, value: 2n, calldata: '0x01' as const },
  ];
  const proposal = callsProposal(calls, 'Why\n', ANN);
  expect(proposal).toEqual({
    targets: [MARKET, GOVERNOR],
    values: [0n, 2n],
    calldatas: [unbonding, '0x01'],
    description: `Why\n\n#proposer=${ANN}`,
  });
  expect(decodeCalls(deployment, proposal).map(({ name, value }) => [name, value])).toEqual([
    ['setUnbonding', 0n],
    [undefined, 2n],
  ]);
  expect(() => callsProposal([], 'Why', ANN)).toThrow(RangeError);
});
