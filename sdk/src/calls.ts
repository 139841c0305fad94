/** Calldata of the Market's calls, with terms and leases in their readable form. Nothing here asks a chain. */
import { encodeFunctionData, type ContractFunctionArgs, type ContractFunctionName, type Hex } from 'viem';

import { marketAbi } from './abi/generated.ts';
import { packLease, type Lease, type PackedLease } from './lease.ts';
import { packTerms, type PackedTerms } from './packedTerms.ts';
import type { Terms } from './terms.ts';

type MarketAbi = typeof marketAbi;
type Mutability = 'nonpayable' | 'view' | 'pure';
/** Names of the calls that change state. */
export type WriteName = ContractFunctionName<MarketAbi, 'nonpayable'>;
/** Names of the views. */
export type ReadName = ContractFunctionName<MarketAbi, 'view' | 'pure'>;

/** An argument as callers give it: packed structs in their readable form. */
type Readable<Arg> = Arg extends PackedTerms
  ? Terms
  : Arg extends PackedLease
    ? Lease
    : Arg extends readonly PackedTerms[]
      ? readonly Terms[]
      : Arg extends readonly PackedLease[]
        ? readonly Lease[]
        : Arg;
type ReadableArgs<List extends readonly unknown[]> = { [Index in keyof List]: Readable<List[Index]> };

/** The arguments of a function of the Market, as this package takes them. */
export type MarketArgs<Kind extends Mutability, Name extends WriteName | ReadName> = ReadableArgs<
  Extract<ContractFunctionArgs<MarketAbi, Kind, Name & ContractFunctionName<MarketAbi, Kind>>, readonly unknown[]>
>;

/** Calldata of every state-changing call. @throws RangeError when a field of terms or a lease does not fit */
export type MarketEncoders = {
  [Name in WriteName]: (...args: MarketArgs<'nonpayable', Name>) => Hex;
};

/** What the ABI says of a function's parameters. */
export type Inputs = readonly { readonly internalType?: string }[];

/** Calldata of every state-changing call. */
export const marketCalls = Object.fromEntries(
  marketAbi.flatMap((item) =>
    item.type === 'function' && item.stateMutability === 'nonpayable'
      ? [[item.name, (...args: unknown[]) => encodeCall(item.name, packArgs(item.inputs, args))]]
      : [],
  ),
) as unknown as MarketEncoders;

/** Arguments as the ABI wants them. @throws RangeError when a field of terms or a lease does not fit */
export function packArgs(inputs: Inputs, args: readonly unknown[]): readonly unknown[] {
  return args.map((arg, index) => {
    switch (inputs[index]?.internalType) {
      case 'struct Terms':
        return packTerms(arg as Terms);
      case 'struct Terms[]':
        return (arg as Terms[]).map(packTerms);
      case 'struct Lease':
        return packLease(arg as Lease);
      case 'struct Lease[]':
        return (arg as Lease[]).map(packLease);
      default:
        return arg;
    }
  });
}

function encodeCall(functionName: string, args: readonly unknown[]): Hex {
  return encodeFunctionData({ abi: marketAbi, functionName, args } as Parameters<typeof encodeFunctionData>[0]);
}
