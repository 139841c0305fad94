import { capabilityProofsAbi, marketAbi } from '@dpu/sdk/abi';
import { revertOf } from '@dpu/sdk/revert';
import { specOf, TIERS, type Benchmark } from '@dpu/sdk/capability/benchmarks';
import type { StorageBackend } from '@dpu/sdk/storage/backend';
import { RUNTIMES, type RuntimeName } from '@dpu/sdk/terms';
import { parseEventLogs, type Address, type Hex, type PublicClient, type WalletClient } from 'viem';

import { OperatorError } from '../errors.ts';

/** What `dpu-node prove` works with. */
export interface ProveDeps {
  client: PublicClient;
  /** The owner's wallet. */
  wallet: WalletClient;
  market: Address;
  /** The contract of the proofs; undefined where the network has none. */
  proofs: Address | undefined;
  /** Where the benchmark and its spec are put for everybody to fetch. */
  storage: Pick<StorageBackend, 'addFile' | 'putBlock'>;
  /** Reads a built module of the sdk. */
  asset: (name: string) => Promise<Uint8Array>;
  print: (line: string) => void;
  /** Waits until the chain may have gone on. */
  pause: (signal: AbortSignal) => Promise<void>;
}

/** States of a job in the contract. */
const [COMPLETE, CLOSED, LEASED] = [3, 4, 5];
/** What a proof may take beyond its windows, seconds: blocks, and somebody to settle it. */
const SLACK = 600;

/**
 * Has the running node `node` prove `tier`: begins, waits until the node has done the job and its window is over, and has the tier entered.
 * Answers the last second at which it counts.
 * @throws OperatorError when the tier cannot be proven here, or was not.
 */
export async function prove(deps: ProveDeps, node: number, tier: number, signal: AbortSignal): Promise<number> {
  const { client, print, storage } = deps;
  const proofs = requireProofs(deps.proofs);
  const benchmark = await requireBenchmark(deps, proofs, tier);
  await requireAble(deps, node, benchmark);
  await putModule(deps, benchmark, tier);

  const { job, nonce } = await begin(deps, proofs, node, tier);
  const { block } = specOf(benchmark, nonce);
  await storage.putBlock(block.cid, block.bytes);
  print(`Proof of tier ${tier} begun: job ${job}. The node has ${benchmark.claimFor} seconds to claim it.`);

  await completed(deps, job, benchmark, signal);
  await enter(deps, proofs, job);
  const { tierUntil } = await client.readContract({
    address: deps.market,
    abi: marketAbi,
    functionName: 'node',
    args: [node],
  });
  print(`Node ${node} has tier ${tier} until ${new Date(tierUntil * 1_000).toISOString()}.`);
  return tierUntil;
}

function requireProofs(proofs: Address | undefined): Address {
  if (proofs) return proofs;
  throw new OperatorError('This network has no proofs of capability: its deployment file names no such contract.', {});
}

async function requireBenchmark({ client }: ProveDeps, proofs: Address, tier: number): Promise<Benchmark> {
  const read = (number: number) =>
    client.readContract({ address: proofs, abi: capabilityProofsAbi, functionName: 'benchmark', args: [number] });
  const benchmark = await read(tier);
  if (benchmark.exec !== 0) return benchmark;
  const known = await Promise.all(TIERS.map(async (one) => ({ one, open: (await read(one.tier)).exec !== 0 })));
  const open = known.filter((entry) => entry.open).map(({ one }) => one.tier);
  throw new OperatorError(
    `Tier ${tier} cannot be proven on this network. ${open.length === 0 ? 'No tier can.' : `These can: ${open.join(', ')}.`}`,
    { tier },
  );
}

/** A node without the runtime or the bond would let the proof run out. */
async function requireAble({ client, market }: ProveDeps, node: number, { runtime, bond }: Benchmark): Promise<void> {
  const { runtimes, stake, locked, queued } = await client.readContract({
    address: market,
    abi: marketAbi,
    functionName: 'node',
    args: [node],
  });
  const name = Object.entries(RUNTIMES).find(([, id]) => id === runtime)?.[0] as RuntimeName | undefined;
  if ((runtimes & (1 << runtime)) === 0) {
    throw new OperatorError(
      `Node ${node} does not offer the runtime ${name ?? runtime}, which this tier is proven with. Offer it, then run the command again.`,
      { node, runtime },
    );
  }
  const free = stake - locked - queued;
  if (free < bond) {
    throw new OperatorError(
      `Node ${node} has ${free} DPU wei of free stake, a proof locks ${bond}. Stake more, or wait until work is paid.`,
      { node, free, bond },
    );
  }
}

/** Stores the benchmark's own file, which the spec names. */
async function putModule({ storage, asset }: ProveDeps, benchmark: Benchmark, tier: number): Promise<void> {
  const { spec } = specOf(benchmark, `0x${'0'.repeat(64)}`);
  const { cid } = await storage.addFile(await asset(`capability.${spec.runtime}`));
  if (spec.module?.equals(cid)) return;
  throw new OperatorError(
    `Tier ${tier} is proven by ${spec.module?.toString()}, this version has ${cid.toString()}. Install the version of dpu-node that the network proves tiers with.`,
    { tier },
  );
}

async function begin(deps: ProveDeps, proofs: Address, node: number, tier: number): Promise<{ job: Hex; nonce: Hex }> {
  const receipt = await send(deps, proofs, 'begin', [node, tier]);
  const [event] = parseEventLogs({ abi: capabilityProofsAbi, eventName: 'ProofBegun', logs: receipt.logs });
  if (!event) throw new OperatorError(`The transaction ${receipt.transactionHash} began no proof.`, {});
  return event.args;
}

/** Sends a call of the proofs' contract from the owner's wallet; what it would revert with is said before it costs anything. */
async function send(
  { client, wallet }: ProveDeps,
  proofs: Address,
  functionName: 'begin' | 'finish',
  args: readonly [number, number] | readonly [Hex],
) {
  const account = wallet.account!;
  const call = { address: proofs, abi: capabilityProofsAbi, functionName, args, account } as Parameters<
    PublicClient['simulateContract']
  >[0];
  const { request } = await client.simulateContract(call);
  const hash = await wallet.writeContract({ ...request, chain: null } as Parameters<WalletClient['writeContract']>[0]);
  const receipt = await client.waitForTransactionReceipt({ hash });
  if (receipt.status === 'success') return receipt;
  throw new OperatorError(`The transaction ${hash} reverted. Look it up, then run the command again.`, { hash });
}

/** Has what is complete entered; the running node may have been first. */
async function enter(deps: ProveDeps, proofs: Address, job: Hex): Promise<void> {
  try {
    await send(deps, proofs, 'finish', [job]);
  } catch (error) {
    if (revertOf(error)?.name !== 'ProofUnknown') throw error;
  }
}

async function completed(
  { client, market, print, pause }: ProveDeps,
  job: Hex,
  { claimFor, exec, window }: Benchmark,
  signal: AbortSignal,
): Promise<void> {
  const begun = await timeOf(client);
  let leased = false;
  for (;;) {
    const { state } = await client.readContract({ address: market, abi: marketAbi, functionName: 'job', args: [job] });
    if (state === COMPLETE) return;
    const last = state === LEASED ? claimFor + exec + window + SLACK : claimFor;
    if (state === CLOSED || (await timeOf(client)) > begun + last) {
      throw new OperatorError(
        leased
          ? `The node did not prove it: it missed its ${exec} seconds, or its result was refused. dpu-node status says more; then run the command again.`
          : `The node did not claim the job in ${claimFor} seconds. Is it running? dpu-node status says why it declined; then run the command again.`,
        { job },
      );
    }
    if (state === LEASED && !leased) {
      leased = true;
      print(`Claimed. It has ${exec} seconds; then anyone may challenge the result for ${window} seconds.`);
    }
    await pause(signal);
  }
}

async function timeOf(client: PublicClient): Promise<number> {
  const { timestamp } = await client.getBlock();
  return Number(timestamp);
}
