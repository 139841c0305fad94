/** Any error, explained: what happened, why, and what to do next. */
import { BaseError } from 'viem';

import { sayWith, type Names } from './format.ts';
import { causesOf, revertDataOf, revertOf, shortMessage } from './revert.ts';
import { sentenceOf, type Sentence } from './sentences.ts';

export { isRevert, MarketRevert, revertOf } from './revert.ts';

/** An error in words. */
export interface Explanation {
  /** Name of the contract's error, or of the kind of failure, e.g. `NotDrawn`, `WalletRefused`, `RpcUnreachable`. */
  name: string;
  /** What happened, and why. */
  sentence: string;
  /** What to do next. */
  action: string;
  /** The same call may work later without anyone changing anything. */
  retryable: boolean;
  /** Unix second from which it may, when it is known. */
  retryAt?: number;
}

/** A rule that recognises one kind of failure in the chain of causes. */
interface Rule {
  name: string;
  /** Names that viem, wagmi and the platform give such errors. */
  names?: string[];
  /** EIP-1193, EIP-1474 and ethers codes. */
  codes?: (number | string)[];
  /** What nodes and wallets write when they give neither. */
  text?: RegExp;
  sentence: string;
  action: string;
  retryable?: boolean;
}

/** In this order: the first that fits names the failure. */
const RULES: Rule[] = [
  {
    name: 'WalletRefused',
    names: ['UserRejectedRequestError'],
    codes: [4001, 5000, 'ACTION_REJECTED'],
    text: /user (rejected|denied|cancell?ed)/i,
    sentence: 'The request was refused in the wallet.',
    action: 'Nothing was sent. Try again and confirm in the wallet when you are ready.',
  },
  {
    name: 'WrongChain',
    names: ['ChainMismatchError', 'ConnectorChainMismatchError', 'SwitchChainError', 'ChainNotConfiguredError'],
    codes: [4902, 4901],
    text: /unrecognized chain|chain.*does not match/i,
    sentence: 'The wallet is on another network than this Market, or does not know it.',
    action: "Switch the wallet to the Market's network (add it if the wallet asks), then try again.",
  },
  {
    name: 'NotConnected',
    names: ['NoSigner', 'ConnectorNotConnectedError', 'AccountNotFoundError', 'ProviderDisconnectedError'],
    codes: [4900],
    sentence: 'No wallet is connected.',
    action: 'Connect a wallet, then try again.',
  },
  {
    name: 'NotAuthorized',
    names: ['UnauthorizedProviderError'],
    codes: [4100],
    sentence: 'The wallet does not let this page use the account.',
    action: 'Connect the account in the wallet, then try again.',
  },
  {
    name: 'RequestPending',
    names: ['ResourceUnavailableRpcError'],
    codes: [-32002],
    sentence: 'The wallet is still busy with an earlier request.',
    action: 'Open the wallet and answer the request that waits there.',
  },
  {
    name: 'InsufficientFunds',
    names: ['InsufficientFundsError'],
    codes: ['INSUFFICIENT_FUNDS'],
    text: /insufficient funds/i,
    sentence: "The account cannot pay for the transaction's gas.",
    action: "Send some of the network's native coin to the account, then try again.",
  },
  {
    name: 'NonceUsed',
    names: ['NonceTooLowError'],
    codes: ['NONCE_EXPIRED'],
    text: /nonce too low|already known|known transaction/i,
    sentence: 'A transaction with this number was already sent from the account.',
    action: 'Check whether it went through; if not, try again.',
    retryable: true,
  },
  {
    name: 'NonceGap',
    names: ['NonceTooHighError'],
    text: /nonce too high/i,
    sentence: 'An earlier transaction of the account is missing, so this one cannot go through.',
    action:
      "Wait for the earlier ones, or reset the account's activity in the wallet (common after a local chain restarted).",
  },
  {
    name: 'FeeTooLow',
    names: ['FeeCapTooLowError', 'TransactionReplacementUnderpricedError'],
    codes: ['REPLACEMENT_UNDERPRICED'],
    text: /underpriced|max fee per gas less than block base fee/i,
    sentence: 'The fee offered for the transaction is too low for now.',
    action: 'Try again with a higher fee.',
    retryable: true,
  },
  {
    name: 'NoContract',
    names: ['ContractFunctionZeroDataError', 'AbiDecodingZeroDataError'],
    sentence: 'No Market answers at the configured address.',
    action: 'Check that the network and the deployment file belong together; on a local network, deploy again.',
  },
  {
    name: 'NotMined',
    names: ['WaitForTransactionReceiptTimeoutError', 'TransactionReceiptNotFoundError'],
    sentence: 'The transaction was sent but is not in a block yet.',
    action: 'Wait a little; it may still go through. Look it up by its hash before sending again.',
    retryable: true,
  },
  {
    name: 'RateLimited',
    names: ['LimitExceededRpcError'],
    codes: [-32005, 429],
    text: /rate limit|too many requests/i,
    sentence: 'The RPC endpoint answers too many requests already.',
    action: 'Wait a moment and try again, or use another endpoint.',
    retryable: true,
  },
  {
    name: 'Timeout',
    names: ['TimeoutError'],
    text: /timed? ?out/i,
    sentence: 'The network did not answer in time.',
    action: 'Try again; if it repeats, check the connection or use another endpoint.',
    retryable: true,
  },
  {
    name: 'Aborted',
    names: ['AbortError'],
    codes: ['ABORT_ERR'],
    sentence: 'The request was stopped before it ended.',
    action: 'Start it again if you still need it.',
    retryable: true,
  },
  {
    name: 'RpcUnreachable',
    names: ['HttpRequestError', 'WebSocketRequestError', 'SocketClosedError'],
    codes: ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'NETWORK_ERROR'],
    text: /fetch failed|failed to fetch|load failed|network ?error/i,
    sentence: 'The RPC endpoint cannot be reached.',
    action: 'Check the connection and that the endpoint runs, then try again.',
    retryable: true,
  },
];

/**
 * Explains any error: reverts of the contracts, refusals of the wallet, failures of the RPC, errors of this package, and
 * whatever else was thrown. `names` lets amounts be written in their currency.
 */
export function explain(error: unknown, names: Names = {}): Explanation {
  const revert = revertOf(error);
  if (revert) {
    const found = sentenceOf(revert.name, revert.args, sayWith(names)) ?? solidityError(revert.name, revert.args);
    return { name: revert.name, retryable: false, ...found };
  }

  const causes = causesOf(error);
  const rule = RULES.find((candidate) => fits(candidate, causes));
  if (rule) {
    const { name, sentence, action, retryable = false } = rule;
    return { name, sentence, action, retryable };
  }
  if (causes.some(({ name }: { name?: unknown }) => REVERTED.has(String(name)))) {
    const data = revertDataOf(error);
    return {
      name: 'Reverted',
      sentence: data
        ? `The contract refused the call with an error that this version does not know (${data.slice(0, 10)}).`
        : 'The contract refused the call without saying why.',
      action: 'Check that the network and the deployment file belong together, and report it if they do.',
      retryable: false,
    };
  }
  return ownError(error) ?? unknown(error);
}

const REVERTED = new Set(['ContractFunctionRevertedError', 'ExecutionRevertedError', 'RawContractError']);

function fits({ names = [], codes = [], text }: Rule, causes: object[]): boolean {
  return causes.some((link) => {
    const { name, code, status } = link as { name?: unknown; code?: unknown; status?: unknown };
    if (names.includes(String(name)) || codes.includes(code as number) || codes.includes(status as number)) return true;
    // Only the innermost error speaks for itself: viem repeats inner texts, and ours name things in their own words.
    return text !== undefined && link === causes.at(-1) && text.test(String((link as { message?: unknown }).message));
  });
}

/** Solidity's own two errors. */
function solidityError(name: string, args: readonly unknown[]): Sentence {
  const because =
    name === 'Error' ? `: ${String(args[0])}` : ` with an internal failure (${name} ${args.map(String).join(', ')})`;
  return { sentence: `The contract refused the call${because}.`, action: 'Check the values and try again.' };
}

/** Errors of this project say what happened in their message, and what to do there or in their `action`. */
function ownError(error: unknown): Explanation | undefined {
  if (!(error instanceof Error) || error instanceof BaseError || !('retryable' in error || 'problems' in error))
    return undefined;
  const retryable = 'retryable' in error && error.retryable === true;
  const usual = retryable ? 'Try again in a moment.' : 'Correct what the message names, then try again.';
  const action = 'action' in error && typeof error.action === 'string' ? error.action : usual;
  return { name: error.name, sentence: error.message, action, retryable };
}

function unknown(error: unknown): Explanation {
  return {
    name: 'Unknown',
    sentence: `Something unexpected happened: ${shortMessage(error)}`,
    action: 'Try again; if it repeats, please report it with this text.',
    retryable: false,
  };
}
