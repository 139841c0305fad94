import { encodeErrorResult, type Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import { dpuGovernorAbi, dpuTimelockAbi, marketAbi } from './abi/generated.ts';
import { decodeGovernanceRevert, explainGovernance, governanceRevertOf } from './governanceErrors.ts';

const WHO = '0x90F79bf6EB2c4f870365E785982E1f101E93b906';
const OPERATION = `0x${'ab'.repeat(32)}` as const;

const thrown = (data: Hex): Error => Object.assign(new Error('execution reverted'), { code: 3, data });
const governor = (errorName: string, args: readonly unknown[]): Error =>
  thrown(encodeErrorResult({ abi: dpuGovernorAbi, errorName, args } as never));

describe('a refusal', () => {
  test('of the governor, the timelock or the Market is told by name', () => {
    expect(governanceRevertOf(governor('GovernorUnableToCancel', [5n, WHO]))).toEqual({
      name: 'GovernorUnableToCancel',
      args: [5n, WHO],
    });
    const tooShort = encodeErrorResult({
      abi: dpuTimelockAbi,
      errorName: 'TimelockInsufficientDelay',
      args: [1n, 2n],
    });
    expect(decodeGovernanceRevert(tooShort)).toEqual({ name: 'TimelockInsufficientDelay', args: [1n, 2n] });
    const notOwner = encodeErrorResult({ abi: marketAbi, errorName: 'OwnableUnauthorizedAccount', args: [WHO] });
    expect(decodeGovernanceRevert(notOwner)).toEqual({ name: 'OwnableUnauthorizedAccount', args: [WHO] });
    expect(decodeGovernanceRevert('0x12345678')).toBeUndefined();
    expect(governanceRevertOf(new Error('offline'))).toBeUndefined();
  });

  test('is explained with its numbers', () => {
    const few = governor('GovernorInsufficientProposerVotes', [WHO, 10n ** 18n, 2_500_000n * 10n ** 18n]);
    expect(explainGovernance(few)).toEqual({
      name: 'GovernorInsufficientProposerVotes',
      sentence: 'A proposal needs 2,500,000 DPU of votes in the second before it; the account had 1.',
      action: 'Delegate DPU (liquid or staked) to the account, wait for the next block, and propose again.',
      retryable: true,
    });
    expect(explainGovernance(governor('GovernorUnexpectedProposalState', [5n, 3, OPERATION])).sentence).toBe(
      'The proposal is defeated, and this cannot be done in that state.',
    );
  });

  test.each([
    ['GovernorRestrictedProposer', [WHO], 'The description names another account as its proposer.'],
    ['GovernorAlreadyCastVote', [WHO], 'The account has voted on this proposal already.'],
    ['GovernorNonexistentProposal', [5n], 'There is no such proposal.'],
    ['GovernorUnableToCancel', [5n, WHO], 'The account may not cancel this proposal.'],
    ['GovernorOnlyExecutor', [WHO], 'Only a proposal that was voted for may change this.'],
  ])('%s has its sentence', (name, args, sentence) => {
    expect(explainGovernance(governor(name, args))).toMatchObject({ name, sentence, retryable: false });
  });

  test('that comes too early may be tried again', () => {
    const data = encodeErrorResult({
      abi: dpuTimelockAbi,
      errorName: 'TimelockUnexpectedOperationState',
      args: [OPERATION, OPERATION],
    });
    expect(explainGovernance(thrown(data))).toMatchObject({
      name: 'TimelockUnexpectedOperationState',
      retryable: true,
    });
  });

  test('about anything else is left to the other sentences', () => {
    const data = encodeErrorResult({ abi: marketAbi, errorName: 'OwnableUnauthorizedAccount', args: [WHO] });
    expect(explainGovernance(thrown(data)).name).toBe('OwnableUnauthorizedAccount');
  });
});
