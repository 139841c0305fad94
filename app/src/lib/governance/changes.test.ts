import { decodeCall, type ProposedCall } from '@dpu/sdk/governanceCalls';
import { dpuGovernorAbi, dpuTimelockAbi, dpuTokenAbi, marketAbi } from '@dpu/sdk/abi';
import { encodeFunctionData, erc20Abi, zeroHash } from 'viem';
import { describe, expect, test } from 'vitest';

import { currencyOf } from '../currency.ts';
import { changesOf } from './changes.ts';
import { callsOf } from './encode.ts';
import { fixedSetting, settingsOf } from './settings.ts';
import { ANN, DEPLOYMENT, DOLLAR, FACTS, GOVERNOR, MARKET, TIMELOCK, TOKEN } from './testing.ts';

const reading = { facts: FACTS, currencyOf: (address: string) => currencyOf(DEPLOYMENT, address) };
const say = (calls: readonly ProposedCall[], facts: typeof FACTS | undefined = FACTS) =>
  changesOf(
    calls.map((call) => decodeCall(DEPLOYMENT, call)),
    { ...reading, facts },
  );
const call = (target: `0x${string}`, calldata: `0x${string}`, value = 0n): ProposedCall => ({
  target,
  value,
  calldata,
});
const market = (
  functionName: 'setTreasury' | 'allowCurrency' | 'allowRuntime' | 'renounceOwnership',
  args: unknown[],
) => call(MARKET, encodeFunctionData({ abi: marketAbi, functionName, args } as never));

describe('settings in plain words', () => {
  test.each([
    [
      'params.feeBps',
      250n,
      'Protocol fee',
      '3 %',
      '2.5 %',
      'Of every 100 paid for work the treasury keeps 2.5 instead of 3; the node gets the rest.',
    ],
    [
      'params.bondTenths',
      45n,
      'Least bond',
      '4 × the price',
      '4.5 × the price',
      'For each shard of a job paid in DPU a node locks at least 4.5 instead of 4 times its price.',
    ],
    [
      'params.revealWindow',
      900n,
      'Reveal window',
      '10 min',
      '15 min',
      'A node has 15 min instead of 10 min to show its result after committing to it.',
    ],
    [
      'minStake',
      5n * 10n ** 21n,
      'Least stake',
      '1,000 DPU',
      '5,000 DPU',
      'A node with less than 5,000 DPU instead of 1,000 DPU at stake gets no new work. Leases that run go on.',
    ],
    [
      'unbonding',
      864_000n,
      'Unbonding time',
      '7 d',
      '10 d',
      'Stake queued from then on leaves after 10 d instead of 7 d. Exits already queued keep their date.',
    ],
    [
      'seats',
      true,
      'Jobs with several seats',
      'closed',
      'open',
      'New jobs may ask for three or five nodes on each shard.',
    ],
    ['runtime.3', true, 'Runtime onnx', 'closed', 'open', 'New jobs may use it.'],
    [`currency.${DOLLAR}`, true, 'Currency USDL', 'closed', 'open', 'It can be deposited to pay for jobs.'],
    ['votingPeriod', 259_200n, 'Voting period', '5 d', '3 d', 'A vote is open for 3 d instead of 5 d.'],
    [
      'timelockDelay',
      129_600n,
      'Timelock',
      '2 d',
      '1 d 12 h',
      'A decision waits 1 d 12 h instead of 2 d before it happens: the time to leave for who disagrees.',
    ],
    [
      'proposalThreshold',
      10n ** 24n,
      'Proposal threshold',
      '2,500,000 DPU',
      '1,000,000 DPU',
      'Proposing needs 1,000,000 DPU instead of 2,500,000 DPU of votes.',
    ],
    [
      'quorumPercent',
      5n,
      'Quorum',
      '4 %',
      '5 %',
      'A vote counts when 5 instead of 4 % of all DPU vote for or abstain.',
    ],
  ] as const)('%s', (id, value, label, from, to, effect) => {
    const calls = callsOf([{ id, value }], FACTS.force, DEPLOYMENT);
    expect(say(calls)).toEqual([
      {
        label,
        from,
        to,
        effect,
        grave: false,
        turn: { id: expect.stringContaining(id), from: expect.anything(), to: value },
      },
    ]);
  });

  test('every setting that is offered can be encoded and is read back under its own name', () => {
    for (const setting of settingsOf(DEPLOYMENT.currencies)) {
      const before = setting.read(FACTS);
      const step = setting.id.startsWith('audits.') ? 100n : 1n; // audits know four rates
      const value = typeof before === 'bigint' ? before + step : typeof before === 'boolean' ? !before : ANN;
      const [change, ...more] = say(callsOf([{ id: setting.id, value }], FACTS.force, DEPLOYMENT));
      expect([change?.label, more], setting.id).toEqual([setting.label, []]);
    }
  });

  test('the numbers of one version travel in one call, with those in force for the rest', () => {
    const calls = callsOf(
      [
        { id: 'params.feeBps', value: 200n },
        { id: 'unbonding', value: 864_000n },
        { id: 'params.burnBps', value: 5_500n },
      ],
      FACTS.force,
      DEPLOYMENT,
    );
    expect(calls).toHaveLength(2);
    expect(say(calls).map(({ label, from, to }) => [label, from, to])).toEqual([
      ['Protocol fee', '3 %', '2 %'],
      ['Burnt part of a slash', '50 %', '55 %'],
      ['Unbonding time', '7 d', '10 d'],
    ]);
  });

  test('an unknown setting is not encoded', () => {
    expect(() => callsOf([{ id: 'mint', value: 1n }], FACTS.force, DEPLOYMENT)).toThrow(RangeError);
    expect(() => fixedSetting('mint')).toThrow(RangeError);
  });
});

describe('what a reader must not miss', () => {
  test('a value that is in force already', () => {
    const [change] = say(callsOf([{ id: 'unbonding', value: 604_800n }], FACTS.force, DEPLOYMENT));
    expect(change).toEqual({
      label: 'Unbonding time',
      to: '7 d',
      effect: 'Nothing changes: this is the value in force.',
      grave: false,
    });
    expect(say(callsOf([{ id: 'params.feeBps', value: 300n }], FACTS.force, DEPLOYMENT))).toMatchObject([
      { label: 'New version of the parameters', to: 'As before' },
    ]);
  });

  test('a value that the contracts will refuse', () => {
    const problem = (id: string, value: bigint) => say(callsOf([{ id, value }], FACTS.force, DEPLOYMENT))[0]?.problem;
    expect(problem('params.feeBps', 1_000n)).toBeUndefined();
    expect(problem('params.feeBps', 1_001n)).toBe('The contracts allow 0 % to 10 %.');
    expect(problem('params.retryBps', 5_001n)).toBe('The contracts allow 0 % to 50 %.');
    expect(problem('votingDelay', 21_599n)).toBe('The contracts allow 6 h to 30 d.');
    expect(problem('minStake', 10n ** 18n + 1n)).toBe('Whole DPU only.');
  });

  test('without knowing what was in force, only the new values are said', () => {
    const changes = changesOf(
      callsOf([{ id: 'unbonding', value: 864_000n }], FACTS.force, DEPLOYMENT).map((one) =>
        decodeCall(DEPLOYMENT, one),
      ),
      { ...reading, facts: undefined },
    );
    expect(changes).toEqual([
      {
        label: 'Unbonding time',
        to: '10 d',
        effect: 'Stake queued from then on leaves after 10 d. Exits already queued keep their date.',
        grave: false,
        turn: { id: 'unbonding', from: undefined, to: 864_000n },
      },
    ]);
  });

  test('money and power that are given away are marked', () => {
    const dpu = encodeFunctionData({ abi: dpuTokenAbi, functionName: 'transfer', args: [ANN, 5n * 10n ** 18n] });
    const dollars = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [ANN, 2_500_000n] });
    const role = encodeFunctionData({ abi: dpuTimelockAbi, functionName: 'grantRole', args: [zeroHash, ANN] });
    const guardian = encodeFunctionData({ abi: dpuGovernorAbi, functionName: 'setProposalGuardian', args: [ANN] });
    const changes = say([
      call(TOKEN, dpu),
      call(DOLLAR, dollars),
      call(TIMELOCK, role),
      call(GOVERNOR, guardian),
      market('setTreasury', [ANN]),
      market('renounceOwnership', []),
    ]);
    expect(changes.map(({ label, to, grave }) => [label, to, grave])).toEqual([
      ['Payment from the treasury', '5 DPU', true],
      ['Payment from the treasury', '2.5 USDL', true],
      ['Role in the timelock given', ANN, true],
      ['Guardian of the governor', ANN, true],
      ['Treasury', ANN, true],
      ['Owner of the Market', 'Nobody', true],
    ]);
  });

  test('what cannot be read is said to be so, with the coin that it takes along', () => {
    const transfer = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [ANN, 1n] });
    expect(
      say([call(ANN, transfer, 10n ** 17n), call(MARKET, '0xdeadbeef')]).map(({ label, to }) => [label, to]),
    ).toEqual([
      ['Payment', '0.1 of the chain’s own coin'],
      ['Call of an unknown contract', '0x6666…6666'],
      ['Unreadable call of a contract: market', '0x3333…3333'],
    ]);
    const approve = encodeFunctionData({ abi: dpuTokenAbi, functionName: 'approve', args: [ANN, 1n] });
    expect(say([call(TOKEN, approve)])).toMatchObject([
      { label: 'Call of a contract: token', to: 'approve', grave: true },
    ]);
  });

  test('batches are read through', () => {
    const runtime = market('allowRuntime', [3, true]).calldata;
    const currency = market('allowCurrency', [TOKEN, false]).calldata;
    const batch = encodeFunctionData({ abi: marketAbi, functionName: 'multicall', args: [[runtime, currency]] });
    expect(say([call(MARKET, batch)]).map(({ label, to }) => [label, to])).toEqual([
      ['Runtime onnx', 'open'],
      ['Currency DPU', 'closed'],
    ]);
  });
});
