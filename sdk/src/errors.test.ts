import {
  BaseError,
  ChainMismatchError,
  CallExecutionError,
  encodeErrorResult,
  ExecutionRevertedError,
  HttpRequestError,
  InsufficientFundsError,
  keccak256,
  NonceTooLowError,
  RpcRequestError,
  stringToHex,
  SwitchChainError,
  TimeoutError,
  toHex,
  TransactionExecutionError,
  UserRejectedRequestError,
  type Hex,
} from 'viem';
import { foundry } from 'viem/chains';
import { describe, expect, test } from 'vitest';
import { dpuTokenAbi, marketAbi, stakeSurrogateAbi } from './abi/generated.ts';
import { explain, isRevert, MarketRevert, revertOf } from './errors.ts';
import { JobNotFound } from './history.ts';
import { SENTENCES } from './sentences.ts';
import { knownErrorsAbi } from './revert.ts';
import { SpecError } from './spec.ts';
import { NotFoundError } from './storage/errors.ts';

const DPU = '0x5FbDB2315678afecb367f032d93F642f64180aa3';
const USD = '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512';
const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const ID = keccak256(toHex('job'));
const names = { token: DPU, currencies: [{ address: USD, symbol: 'USDC', decimals: 6 }] } as const;

/** A revert as viem throws it when an RPC answers with the bytes. */
function reverted(errorName: string, args: readonly unknown[] = []): Error {
  const data = encodeErrorResult({ abi: knownErrorsAbi, errorName, args } as never);
  const answer = { code: 3, message: 'execution reverted', data };
  return new CallExecutionError(
    new ExecutionRevertedError({
      cause: new RpcRequestError({ body: {}, error: answer, url: 'http://127.0.0.1' }) as BaseError,
    }),
    { account: null, to: DPU } as never,
  );
}

describe('every error of the contracts', () => {
  const ofAbi = [...marketAbi, ...dpuTokenAbi, ...stakeSurrogateAbi].filter((item) => item.type === 'error');

  test('has a sentence and can be decoded', () => {
    expect(ofAbi.length).toBeGreaterThan(50);
    const known = new Set<string>(knownErrorsAbi.map(({ name }) => name));
    expect(ofAbi.map(({ name }) => name).filter((name) => !Object.hasOwn(SENTENCES, name) || !known.has(name))).toEqual(
      [],
    );
  });

  test.each(knownErrorsAbi.map((item) => [item.name, item] as const))('%s reads as one', (name, { inputs }) => {
    const { sentence, action, ...rest } = explain(
      reverted(
        name,
        inputs.map(({ type }) => sample(type)),
      ),
      names,
    );
    expect(rest.name).toBe(name);
    for (const text of [sentence, action]) {
      expect(text).toMatch(/^[A-Z0-9].*[.]$/s);
      expect(text).not.toMatch(/undefined|NaN|\[object|Invalid Date/);
    }
  });
});

describe('a revert is explained', () => {
  const short = `${ID.slice(0, 6)}…${ID.slice(-4)}`;

  test.each<[string, readonly unknown[], object]>([
    [
      'BalanceTooLow',
      [USD, ALICE, 1_500_000n, 1_250_000_000n],
      {
        sentence: 'The balance of 0x7099…79C8 in the Market is 1.5 USDC, but 1,250 USDC is needed.',
        action: 'Deposit at least 1,248.5 USDC more.',
        retryable: false,
      },
    ],
    [
      'StakeTooLow',
      [3, 10n ** 17n, 1_000n * 10n ** 18n],
      {
        sentence:
          'Node 3 has 0.1 DPU of free stake, but 1,000 DPU is needed. Bonds of running leases and queued exits are not free.',
        action: 'Add stake, or wait until running leases are paid.',
        retryable: false,
      },
    ],
    [
      'NotDrawn',
      [ID, 3, 1_795_183_402],
      {
        sentence: `Node 3 was not drawn for this lease of job ${short} yet.`,
        action: 'Try again from 2026-11-20 14:03:22 UTC.',
        retryable: true,
        retryAt: 1_795_183_402,
      },
    ],
    [
      'NotDrawn',
      [ID, 3, 2 ** 40 - 1],
      {
        sentence: `Node 3 was not drawn for this lease of job ${short} yet.`,
        action: 'Try again after the next block or two.',
        retryable: true,
      },
    ],
    [
      'TermsInvalid',
      [ID, stringToHex('seats', { size: 32 })],
      {
        sentence: `The terms of job ${short} cannot be posted: this number of seats is not offered.`,
        action: 'Change the terms and post again.',
        retryable: false,
      },
    ],
    [
      'TermsInvalid',
      [ID, stringToHex('tolerant', { size: 32 })],
      {
        sentence: `The terms of job ${short} cannot be posted: results that may differ need a challenge window or several seats, or whatever its node shows would be paid.`,
        action: 'Change the terms and post again.',
        retryable: false,
      },
    ],
    [
      'LeaseInPhase',
      [ID, 4, 0, 2],
      {
        sentence: `The lease at shard 4 of job ${short} is not held by anyone, or already paid, but the call needs it to be committed.`,
        action: 'Refresh to see where the lease stands now.',
        retryable: false,
      },
    ],
    [
      'SeatsMissing',
      [ID, 4, 1n, 2n],
      {
        sentence: `The call names 1 seats on shard 4 of job ${short}, but 2 have committed.`,
        action:
          'Read the job again from the chain and name every seat that has committed, in the order of the commits.',
        retryable: true,
      },
    ],
    [
      'JobInState',
      [ID, 5, 1],
      {
        sentence: `This job ${short} is held by one node as a whole, so the call does not apply: it needs a job that is open.`,
        action: 'Refresh to see where the job stands now.',
        retryable: false,
      },
    ],
    [
      'PauseNotAllowed',
      [7_500n, 1_795_183_402],
      {
        sentence:
          'A pause of 2 h 5 min is not allowed now: it may last at most 3 days and not follow the last one before 2026-11-20 14:03:22 UTC.',
        action: 'Choose a shorter pause, or wait.',
        retryable: false,
      },
    ],
  ])('%s', (name, args, words) => {
    expect(explain(reverted(name, args), names)).toEqual({ name, ...words });
  });

  test('in smallest units when the currency is not known', () => {
    expect(explain(reverted('BalanceTooLow', [USD, ALICE, 1n, 2_000n])).sentence).toBe(
      'The balance of 0x7099…79C8 in the Market is 1 smallest units of 0xe7f1…0512, but 2,000 smallest units of 0xe7f1…0512 is needed.',
    );
  });

  test("when it is Solidity's own", () => {
    const data = encodeErrorResult({ abi: [STRING_ERROR], errorName: 'Error', args: ['too late'] });
    expect(explain(Object.assign(new Error('x'), { data }))).toEqual({
      name: 'Error',
      sentence: 'The contract refused the call: too late.',
      action: 'Check the values and try again.',
      retryable: false,
    });
  });

  test('when nobody knows it, by its selector', () => {
    const error = new ExecutionRevertedError({
      cause: Object.assign(new BaseError('x'), { data: '0x12345678' as Hex }),
    });
    expect(explain(error)).toMatchObject({
      name: 'Reverted',
      sentence: 'The contract refused the call with an error that this version does not know (0x12345678).',
    });
    expect(explain(new ExecutionRevertedError({}))).toMatchObject({
      sentence: 'The contract refused the call without saying why.',
    });
  });

  test('wherever a provider puts its bytes, and as data', () => {
    const data = encodeErrorResult({ abi: marketAbi, errorName: 'JobBusy', args: [ID] });
    for (const shape of [{ data }, { data: { data } }, { data: { originalError: { data } } }, { cause: { data } }]) {
      expect(revertOf(Object.assign(new Error('reverted'), shape))).toEqual({ name: 'JobBusy', args: [ID] });
    }
    const typed = new MarketRevert('close', { name: 'JobBusy', args: [ID] });
    expect(typed.message).toBe(`The contract refused close: JobBusy("${ID}")`);
    expect([isRevert(typed, 'JobBusy'), isRevert(typed, 'NotDrawn'), isRevert('no error', 'JobBusy')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(explain(new Error('outer', { cause: typed })).name).toBe('JobBusy');
  });
});

describe('other failures are explained', () => {
  const coded = (code: number | string, message = 'x'): Error => Object.assign(new Error(message), { code });
  const sending = (cause: BaseError): Error =>
    new TransactionExecutionError(cause, { account: null, chain: foundry } as never);

  test.each<[string, unknown, boolean]>([
    ['WalletRefused', coded(4001), false],
    ['WalletRefused', coded(5000), false],
    ['WalletRefused', coded('ACTION_REJECTED'), false],
    ['WalletRefused', sending(new UserRejectedRequestError(new Error('no'))), false],
    ['WalletRefused', new Error('MetaMask Tx Signature: User denied transaction signature.'), false],
    ['WrongChain', coded(4902), false],
    ['WrongChain', new SwitchChainError(new Error('no')), false],
    ['WrongChain', new ChainMismatchError({ chain: foundry, currentChainId: 1 }), false],
    ['NotAuthorized', coded(4100), false],
    ['RequestPending', coded(-32002), false],
    ['InsufficientFunds', sending(new InsufficientFundsError({})), false],
    ['InsufficientFunds', new Error('insufficient funds for gas * price + value'), false],
    ['NonceUsed', sending(new NonceTooLowError({})), true],
    ['NonceUsed', new Error('already known'), true],
    ['NonceGap', new Error('nonce too high'), false],
    ['FeeTooLow', new Error('replacement transaction underpriced'), true],
    ['RateLimited', new HttpRequestError({ url: 'http://127.0.0.1', status: 429 }), true],
    ['Timeout', new TimeoutError({ body: {}, url: 'http://127.0.0.1' }), true],
    ['Aborted', new DOMException('stopped', 'AbortError'), true],
    ['RpcUnreachable', new HttpRequestError({ url: 'http://127.0.0.1' }), true],
    ['RpcUnreachable', new TypeError('fetch failed', { cause: coded('ECONNREFUSED') }), true],
    ['RpcUnreachable', new TypeError('Failed to fetch'), true],
  ])('%s', (name, error, retryable) => {
    const words = explain(error);
    expect([words.name, words.retryable]).toEqual([name, retryable]);
    expect(words.sentence).toMatch(/\.$/);
    expect(words.action).toMatch(/\.$/);
  });

  test('with the words of this package where it has some', () => {
    expect(explain(new SpecError([{ path: 'shards', sentence: 'must be at least 1' }]))).toEqual({
      name: 'SpecError',
      sentence: 'The job spec is not valid: shards: must be at least 1.',
      action: 'Correct what the message names, then try again.',
      retryable: false,
    });
    expect(explain(new NotFoundError('bafy'))).toMatchObject({ name: 'NotFoundError', retryable: true });
    expect(explain(new JobNotFound(ID, 5, 7))).toEqual({
      name: 'JobNotFound',
      sentence: `No job ${ID} was posted on this Market between blocks 5 and 7.`,
      action:
        'Check the id, the network and the address of the Market; a job that was posted just now appears with the next block.',
      retryable: false,
    });
  });

  test.each<[unknown, string]>([
    [new Error('boom'), 'boom'],
    ['boom', 'boom'],
    [undefined, 'undefined'],
    [new BaseError('Boom.', { details: 'not this' }), 'Boom.'],
  ])('as unknown when nothing fits: %s', (error, text) => {
    expect(explain(error)).toEqual({
      name: 'Unknown',
      sentence: `Something unexpected happened: ${text}`,
      action: 'Try again; if it repeats, please report it with this text.',
      retryable: false,
    });
  });
});

const STRING_ERROR = { type: 'error', name: 'Error', inputs: [{ name: 'message', type: 'string' }] } as const;

/** A value that fits an ABI type. */
function sample(type: string): unknown {
  if (type === 'address') return ALICE;
  if (type === 'bool') return true;
  if (type === 'string') return 'text';
  if (type === 'bytes32') return ID;
  return Number(type.slice(4)) <= 48 ? 1 : 1n;
}
