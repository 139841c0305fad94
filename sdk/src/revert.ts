/** Reverts as data: which error of the contracts it was, with its arguments. */
import { BaseError, decodeErrorResult, isHex, parseAbi, type Hex } from 'viem';

import { marketAbi } from './abi/generated.ts';

/** Errors of the contracts that the Market calls or inherits from, as OpenZeppelin 5 declares them. */
export const libraryErrorsAbi = parseAbi([
  'error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)',
  'error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)',
  'error ERC20InvalidSender(address sender)',
  'error ERC20InvalidReceiver(address receiver)',
  'error ERC20InvalidApprover(address approver)',
  'error ERC20InvalidSpender(address spender)',
  'error ERC2612ExpiredSignature(uint256 deadline)',
  'error ERC2612InvalidSigner(address signer, address owner)',
  'error ERC721NonexistentToken(uint256 tokenId)',
  'error ERC721InsufficientApproval(address operator, uint256 tokenId)',
  'error ERC721IncorrectOwner(address sender, uint256 tokenId, address owner)',
  'error ERC721InvalidReceiver(address receiver)',
  'error SafeERC20FailedOperation(address token)',
  'error InvalidAccountNonce(address account, uint256 currentNonce)',
  'error OwnableUnauthorizedAccount(address account)',
  'error OwnableInvalidOwner(address owner)',
  'error ReentrancyGuardReentrantCall()',
  'error ECDSAInvalidSignature()',
  'error ECDSAInvalidSignatureLength(uint256 length)',
  'error ECDSAInvalidSignatureS(bytes32 s)',
  'error SafeCastOverflowedUintDowncast(uint8 bits, uint256 value)',
  'error AddressEmptyCode(address target)',
  'error FailedCall()',
  'error FailedDeployment()',
  'error InsufficientBalance(uint256 balance, uint256 needed)',
  'error VotesExpiredSignature(uint256 expiry)',
  'error ERC5805FutureLookup(uint256 timepoint, uint48 clock)',
  'error CheckpointUnorderedInsertion()',
  'error StringTooLong(string str)',
  'error InvalidShortString()',
  'error InvalidInitialization()',
  'error NotInitializing()',
  'error NotMarket(address caller)',
  'error ERC20ExceededSafeSupply(uint256 increasedSupply, uint256 cap)',
  'error ParameterOutOfBounds(bytes32 name, uint256 value, uint256 least, uint256 most)',
]);

/** Every error that a call to the Market can end with. */
export const knownErrorsAbi = [...marketAbi.filter((item) => item.type === 'error'), ...libraryErrorsAbi];

/** A decoded revert: the error's name and its arguments in the contract's order. */
export interface Revert {
  name: string;
  args: readonly unknown[];
}

/** Thrown by the Market client when the contract refuses a call. */
export class MarketRevert extends Error implements Revert {
  /** The contract's call that was refused. */
  readonly call: string;
  readonly args: readonly unknown[];
  /** Name of the contract's error, e.g. `NotDrawn`. `Error` and `Panic` are Solidity's own. */
  readonly errorName: string;

  constructor(call: string, revert: Revert, cause?: unknown) {
    const args = revert.args.map((arg) => (typeof arg === 'bigint' ? arg.toString() : JSON.stringify(arg))).join(', ');
    super(`The contract refused ${call}: ${revert.name}(${args})`, { cause });
    this.name = 'MarketRevert';
    this.call = call;
    this.errorName = revert.name;
    this.args = revert.args;
  }
}

/** The contract's error inside whatever was thrown, or undefined when it is no (known) revert. */
export function revertOf(error: unknown): Revert | undefined {
  for (const link of causesOf(error)) {
    if (link instanceof MarketRevert) return { name: link.errorName, args: link.args };
  }
  const data = revertDataOf(error);
  return data === undefined ? undefined : decodeRevert(data);
}

/** Whether the contract refused with the error `name`. */
export function isRevert(error: unknown, name: string): boolean {
  return revertOf(error)?.name === name;
}

/** Decodes the bytes that a call reverted with, or undefined when no known error made them. */
export function decodeRevert(data: Hex): Revert | undefined {
  try {
    const { errorName, args } = decodeErrorResult({ abi: knownErrorsAbi, data });
    return { name: errorName, args: (args as readonly unknown[] | undefined) ?? [] };
  } catch {
    return undefined;
  }
}

/** The bytes that a call reverted with, wherever the RPC provider and viem put them. */
export function revertDataOf(error: unknown): Hex | undefined {
  for (const link of causesOf(error)) {
    for (const key of ['raw', 'data'] as const) {
      const found = hexIn((link as Record<string, unknown>)[key]);
      if (found) return found;
    }
  }
  return undefined;
}

/** The error and everything that caused it, outermost first. */
export function causesOf(error: unknown): object[] {
  const links: object[] = [];
  for (let link = error; typeof link === 'object' && link !== null && !links.includes(link);) {
    links.push(link);
    link = (link as { cause?: unknown }).cause;
  }
  return links;
}

/** The shortest true description of an error: viem's own short message where there is one. */
export function shortMessage(error: unknown): string {
  if (error instanceof BaseError) return error.shortMessage;
  return error instanceof Error ? error.message : String(error);
}

/** Providers nest the bytes differently: as text, or in `data.data` or `data.originalError.data`. */
function hexIn(value: unknown, depth = 0): Hex | undefined {
  if (isHex(value) && value.length >= 10) return value;
  if (typeof value !== 'object' || value === null || depth === 3) return undefined;
  const { data, originalError, result } = value as { data?: unknown; originalError?: unknown; result?: unknown };
  return hexIn(data, depth + 1) ?? hexIn(originalError, depth + 1) ?? hexIn(result, depth + 1);
}
