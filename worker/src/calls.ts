import { marketAbi } from '@dpu/sdk/abi';
import type { Lease, Result } from '@dpu/sdk/lease';
import type { Terms } from '@dpu/sdk/terms';
import { encodeFunctionData, type Hex } from 'viem';

/** Calldata of everything that a node does. */
export const calls = {
  claim: (terms: Terms, node: number, count: number): Hex =>
    encodeFunctionData({ abi: marketAbi, functionName: 'claim', args: [terms, node, count] }),
  takeOver: (terms: Terms, first: number, node: number): Hex =>
    encodeFunctionData({ abi: marketAbi, functionName: 'takeOver', args: [terms, first, node] }),
  commit: (job: Hex, lease: Lease, commitment: Hex): Hex =>
    encodeFunctionData({ abi: marketAbi, functionName: 'commit', args: [job, lease, commitment] }),
  reveal: (terms: Terms, lease: Lease, result: Result, salt: Hex): Hex =>
    encodeFunctionData({ abi: marketAbi, functionName: 'reveal', args: [terms, lease, result, salt] }),
  submit: (job: Hex, lease: Lease, result: Result): Hex =>
    encodeFunctionData({ abi: marketAbi, functionName: 'submit', args: [job, lease, result] }),
  settle: (terms: Terms, leases: readonly Lease[], results: readonly Result[]): Hex =>
    encodeFunctionData({ abi: marketAbi, functionName: 'settle', args: [terms, leases, results] }),
  lapse: (terms: Terms, lease: Lease): Hex =>
    encodeFunctionData({ abi: marketAbi, functionName: 'lapse', args: [terms, lease] }),
  close: (terms: Terms): Hex => encodeFunctionData({ abi: marketAbi, functionName: 'close', args: [terms] }),
  setEndpoint: (node: number, endpoint: string): Hex =>
    encodeFunctionData({ abi: marketAbi, functionName: 'setEndpoint', args: [node, endpoint] }),
};
