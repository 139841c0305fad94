import { readFileSync } from 'node:fs';
import { decodeFunctionData, type Address, type Hex } from 'viem';
import { describe as suite, expect, test } from 'vitest';
import { dpuGovernorAbi, marketAbi } from './abi/generated.ts';
import {
  addParamsProposal,
  describe,
  descriptionHash,
  encodeCancel,
  encodeExecute,
  encodePropose,
  encodeQueue,
  encodeVote,
  governanceOf,
  marketProposal,
  NoGovernance,
  operationId,
  paramsChanges,
  proposalId,
  proposalState,
  textOf,
  UnknownProposalState,
  type Params,
} from './governance.ts';

/** Also asked of the contracts, by test/contracts/governance/Ids.t.sol. */
const vector = JSON.parse(readFileSync(new URL('../../test/vectors/governance.json', import.meta.url), 'utf8')) as {
  governor: Address;
  targets: Address[];
  values: string[];
  calldatas: Hex[];
  description: string;
  id: string;
  operation: Hex;
};
const proposal = { ...vector, values: vector.values.map(BigInt) };

const MARKET: Address = '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512';
const PROPOSER: Address = '0x90F79bf6EB2c4f870365E785982E1f101E93b906';
const PARAMS: Params = {
  feeBps: 300,
  bondTenths: 40,
  noShowBps: 2_000,
  burnBps: 5_000,
  retryBps: 4_000,
  auditRates: 0,
  revealWindow: 600,
  auditWindow: 1_800,
  openFor: 60,
  drawStep: 30,
  drawOpenAfter: 1_800,
};

suite('a proposal', () => {
  test('has the id that the governor gives it', () => {
    expect(proposalId(proposal)).toBe(BigInt(vector.id));
  });

  test('has the id under which the timelock keeps it', () => {
    expect(operationId(vector.governor, proposal)).toBe(vector.operation);
  });

  test('is another one when one byte of it differs', () => {
    expect(proposalId({ ...proposal, description: `${proposal.description} ` })).not.toBe(proposalId(proposal));
    expect(operationId(MARKET, proposal)).not.toBe(vector.operation);
  });

  test('for new parameters calls the Market once, with all of them', () => {
    const { targets, values, calldatas, description } = addParamsProposal(
      MARKET,
      { ...PARAMS, feeBps: 200 },
      'Lower the fee',
      PROPOSER,
    );
    expect(targets).toEqual([MARKET]);
    expect(values).toEqual([0n]);
    expect(description).toBe(`Lower the fee\n\n#proposer=${PROPOSER}`);
    expect(calldatas.map((data) => decodeFunctionData({ abi: marketAbi, data }))).toEqual([
      { functionName: 'addParams', args: [{ ...PARAMS, feeBps: 200 }] },
    ]);
  });

  test('may call the Market several times, but not never', () => {
    const { targets, values, calldatas } = marketProposal(MARKET, ['0x01', '0x02'], 'Two', PROPOSER);
    expect([targets, values, calldatas]).toEqual([
      [MARKET, MARKET],
      [0n, 0n],
      ['0x01', '0x02'],
    ]);
    expect(() => marketProposal(MARKET, [], 'None', PROPOSER)).toThrow('a proposal needs at least one call');
  });
});

suite('a description', () => {
  test('ends with the mark that the governor reads: its last 52 bytes', () => {
    const bytes = new TextEncoder().encode(describe('Weniger für alle\n', PROPOSER));
    expect(new TextDecoder().decode(bytes.slice(-52))).toBe(`#proposer=${PROPOSER}`);
  });

  test('is shown without it', () => {
    expect(textOf(describe('Lower the fee', PROPOSER))).toBe('Lower the fee');
    expect(textOf('No mark #proposer=me')).toBe('No mark #proposer=me');
  });
});

suite('calldata', () => {
  const decode = (data: Hex): unknown => decodeFunctionData({ abi: dpuGovernorAbi, data });
  const { targets, values, calldatas, description } = proposal;
  const hashed = [targets, values, calldatas, descriptionHash(description)];

  test('proposes with the text, and does the rest with its hash', () => {
    expect(decode(encodePropose(proposal))).toEqual({
      functionName: 'propose',
      args: [targets, values, calldatas, description],
    });
    expect(decode(encodeQueue(proposal))).toEqual({ functionName: 'queue', args: hashed });
    expect(decode(encodeExecute(proposal))).toEqual({ functionName: 'execute', args: hashed });
    expect(decode(encodeCancel(proposal))).toEqual({ functionName: 'cancel', args: hashed });
  });

  test.each([
    ['against', 0],
    ['for', 1],
    ['abstain', 2],
  ] as const)('votes %s as %i', (choice, support) => {
    expect(decode(encodeVote(5n, choice))).toEqual({ functionName: 'castVote', args: [5n, support] });
    expect(decode(encodeVote(5n, choice, 'because'))).toEqual({
      functionName: 'castVoteWithReason',
      args: [5n, support, 'because'],
    });
  });
});

test('states have the names of the contract, and no others', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7].map(proposalState)).toEqual([
    'pending',
    'active',
    'canceled',
    'defeated',
    'succeeded',
    'queued',
    'expired',
    'executed',
  ]);
  expect(() => proposalState(8)).toThrow(UnknownProposalState);
});

test('changes are the fields that differ', () => {
  expect(paramsChanges(PARAMS, { ...PARAMS, feeBps: 200, openFor: 0 })).toEqual([
    { name: 'feeBps', before: 300, after: 200 },
    { name: 'openFor', before: 60, after: 0 },
  ]);
  expect(paramsChanges(PARAMS, { ...PARAMS })).toEqual([]);
});

test('a deployment without a governor says so', () => {
  expect(governanceOf({ governor: MARKET, timelock: PROPOSER })).toEqual({ governor: MARKET, timelock: PROPOSER });
  expect(() => governanceOf({ governor: MARKET })).toThrow(NoGovernance);
  expect(() => governanceOf({ timelock: PROPOSER })).toThrow(NoGovernance);
});
