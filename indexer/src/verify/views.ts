import { capabilityProofsAbi, dpuTokenAbi, marketAbi } from '@dpu/sdk/abi';
import { concat, keccak256, zeroAddress, type Address, type PublicClient } from 'viem';
import * as schema from '../../ponder.schema.ts';
import { linesOf, type Dump } from './dump.ts';
import type { MemoryDatabase } from './memory.ts';
import type { Addresses } from './replay.ts';

const lower = (address: Address) => address.toLowerCase();

/**
 * What the contracts' own views say at the end of block `block` about everything that the replay knows of: free balances, nodes, parameters, what is held
 * and voted with. As lines of the same kind, with the columns that the views have.
 */
export async function viewsOf(
  client: PublicClient,
  addresses: Addresses,
  replayed: MemoryDatabase,
  block: bigint,
): Promise<Dump> {
  const at = { address: addresses.Market, abi: marketAbi, blockNumber: block } as const;
  const lines: [string, string][] = [];
  for (const { account, currency } of replayed.rows(schema.balance)) {
    const amount = await client.readContract({ ...at, functionName: 'balanceOf', args: [currency, account] });
    lines.push(...linesOf(schema.balance, [{ account, currency, amount }]));
  }
  for (const { id } of replayed.rows(schema.node)) {
    const { stake, locked, queued, record, since, tier, tierUntil, runtimes, endpoint, key, ...node } =
      await client.readContract({ ...at, functionName: 'node', args: [id] });
    const who = { owner: lower(node.owner), operator: lower(node.operator) };
    const said = { id, ...who, stake, locked, queued, record, since, tier, tierUntil, runtimes, endpoint, key };
    lines.push(...linesOf(schema.node, [{ ...said, unstakeAt: node.unstakeAt || null }]));
  }
  for (const { version } of replayed.rows(schema.params)) {
    const params = await client.readContract({ ...at, functionName: 'params', args: [version] });
    lines.push(...linesOf(schema.params, [{ version, ...params }]));
  }
  for (const { token, account } of replayed.rows(schema.holding)) {
    const of = { address: token, abi: dpuTokenAbi, blockNumber: block } as const;
    const amount = await client.readContract({ ...of, functionName: 'balanceOf', args: [account] });
    lines.push(...linesOf(schema.holding, [{ token, account, amount }]));
  }
  for (const { tier } of replayed.rows(schema.benchmark)) {
    const of = { address: addresses.Proofs, abi: capabilityProofsAbi, blockNumber: block } as const;
    const { runtime, exec, validFor, head, tail } = await client.readContract({
      ...of,
      functionName: 'benchmark',
      args: [tier],
    });
    // A closed tier has no benchmark to ask for.
    const open = exec === 0 ? { tier, exec } : { tier, runtime, exec, validFor, spec: keccak256(concat([head, tail])) };
    lines.push(...linesOf(schema.benchmark, [open]));
  }
  if (addresses.Token !== zeroAddress) {
    const of = { address: addresses.Token, abi: dpuTokenAbi, blockNumber: block } as const;
    for (const { account } of replayed.rows(schema.votingPower)) {
      const votes = await client.readContract({ ...of, functionName: 'getVotes', args: [account] });
      lines.push(...linesOf(schema.votingPower, [{ account, votes }]));
    }
  }
  return new Map(lines);
}
