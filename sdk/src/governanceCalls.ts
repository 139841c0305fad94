/** The calls of a proposal: read by the ABIs of the deployment's contracts, and made into proposals. Nothing here asks a chain. */
import { decodeFunctionData, erc20Abi, isAddressEqual, type Abi, type AbiFunction, type Address, type Hex } from 'viem';

import { dpuGovernorAbi, dpuTimelockAbi, dpuTokenAbi, marketAbi } from './abi/generated.ts';
import type { Deployment } from './deployment.ts';
import { describe, type Proposal } from './governance.ts';

/** Whose ABI a call was read by. A `currency` is a token that jobs can be paid in, other than DPU. */
export type KnownContract = 'market' | 'governor' | 'timelock' | 'token' | 'currency';

/** One call of a proposal. */
export interface ProposedCall {
  target: Address;
  /** Wei sent with it. */
  value: bigint;
  calldata: Hex;
}

/** A call, read. */
export interface DecodedCall extends ProposedCall {
  /** Undefined when the target is none of the deployment's contracts. */
  contract: KnownContract | undefined;
  /** Name of the function; undefined when the contract's ABI has no such function or the arguments do not fit it. */
  name: string | undefined;
  args: readonly { name: string; type: string; value: unknown }[];
  /** The calls inside a `multicall` or a `relay`. */
  inner: readonly DecodedCall[];
}

type Contracts = Pick<Deployment, 'governor' | 'timelock' | 'token' | 'market' | 'currencies'>;

/** A batch within a batch within a batch has no use; deeper ones are shown as bytes. */
const MOST_DEPTH = 3;

/** Reads every call of a proposal. */
export function decodeCalls(
  deployment: Contracts,
  { targets, values, calldatas }: Pick<Proposal, 'targets' | 'values' | 'calldatas'>,
): DecodedCall[] {
  return targets.map((target, index) =>
    decodeCall(deployment, { target, value: values[index] ?? 0n, calldata: calldatas[index] ?? '0x' }),
  );
}

/** Reads one call. What cannot be read keeps its bytes and has no name. */
export function decodeCall(deployment: Contracts, call: ProposedCall, depth = 0): DecodedCall {
  const known = contractAt(deployment, call.target);
  const unread: DecodedCall = { ...call, contract: known?.contract, name: undefined, args: [], inner: [] };
  if (!known) return unread;
  try {
    const { functionName, args = [] } = decodeFunctionData({ abi: known.abi, data: call.calldata });
    const item = functionOf(known.abi, functionName, args.length);
    const named = args.map((value, index) => ({
      name: (item?.inputs[index]?.name ?? '').replace(/_$/, ''),
      type: item?.inputs[index]?.type ?? '',
      value,
    }));
    const inner = depth < MOST_DEPTH ? innerCalls(call, functionName, args) : [];
    return {
      ...unread,
      name: functionName,
      args: named,
      inner: inner.map((one) => decodeCall(deployment, one, depth + 1)),
    };
  } catch {
    return unread;
  }
}

/** A proposal that makes `calls` in order, all or none. @throws RangeError without any call */
export function callsProposal(calls: readonly ProposedCall[], text: string, proposer: Address): Proposal {
  if (calls.length === 0) throw new RangeError('a proposal needs at least one call');
  return {
    targets: calls.map(({ target }) => target),
    values: calls.map(({ value }) => value),
    calldatas: calls.map(({ calldata }) => calldata),
    description: describe(text, proposer),
  };
}

function contractAt(
  { market, governor, timelock, token, currencies }: Contracts,
  target: Address,
): { contract: KnownContract; abi: Abi } | undefined {
  if (isAddressEqual(target, market)) return { contract: 'market', abi: marketAbi };
  if (governor && isAddressEqual(target, governor)) return { contract: 'governor', abi: dpuGovernorAbi };
  if (timelock && isAddressEqual(target, timelock)) return { contract: 'timelock', abi: dpuTimelockAbi };
  if (isAddressEqual(target, token)) return { contract: 'token', abi: dpuTokenAbi };
  if (currencies.some(({ address }) => isAddressEqual(target, address)))
    return { contract: 'currency', abi: erc20Abi as Abi };
  return undefined;
}

/** The function of that name; where several share it, the one with as many parameters. */
function functionOf(abi: Abi, name: string, count: number): AbiFunction | undefined {
  return abi.find(
    (item): item is AbiFunction => item.type === 'function' && item.name === name && item.inputs.length === count,
  );
}

function innerCalls({ target }: ProposedCall, name: string, args: readonly unknown[]): ProposedCall[] {
  if (name === 'multicall') return (args[0] as readonly Hex[]).map((calldata) => ({ target, value: 0n, calldata }));
  if (name === 'relay') return [{ target: args[0] as Address, value: args[1] as bigint, calldata: args[2] as Hex }];
  return [];
}
