/** What a dispute looks like while it runs, and who has what when it is over. */
import { erc20Abi, formatEther, type Address, type Hash } from 'viem';
import { marketAbi } from '@dpu/sdk/abi';
import { disputeCost, jurySeats } from '@dpu/sdk/court';
import type { JobHistory } from '@dpu/sdk/history';
import type { HistoryDispute } from '@dpu/sdk/historyDisputes';

import type { Network } from '../network/network.ts';
import { table } from '../network/report.ts';
import { dpu, must } from './story.ts';

/** Says each step of a dispute once, when it has happened. */
export class CourtTeller {
  readonly #network: Network;
  readonly #print: (line: string) => void;
  readonly #told = new Set<string>();

  constructor(network: Network, print: (line: string) => void) {
    this.#network = network;
    this.#print = print;
  }

  /** Says what is new of `dispute`. */
  async tell({ terms }: JobHistory, dispute: HistoryDispute): Promise<void> {
    const { challenger, lease, index, juries, verdict, ended, transactions } = dispute;
    const { challenging, juror } = disputeCost(terms);
    if (this.#isNew('challenge')) {
      const gas = await this.#gasOf(transactions.challenge);
      this.#print(`node ${challenger.node} challenges shard ${index} of node ${lease.node}, proven by its Merkle path`);
      this.#print(`  that sets ${dpu(challenging)} of its stake aside, and costs ${gas} gas`);
    }
    for (const [round, { jurors, votes, judged }] of juries.entries()) {
      const { seats } = jurySeats(round + 1);
      for (const [place, { node }] of jurors.entries()) {
        if (this.#isNew(`${round} sits ${node}`))
          this.#print(
            `juror ${place + 1} of ${seats}: node ${node} has computed the shard and sits down, bound to its vote`,
          );
      }
      for (const [node, vote] of votes) {
        if (this.#isNew(`${round} votes ${node}`)) this.#print(`node ${node} votes "${vote}"`);
      }
      if (judged && this.#isNew(`${round} judged`))
        this.#print(`the jury finds "${judged.found}": ${judged.paid} jurors get ${dpu(juror)} each`);
    }
    if (ended && transactions.enforce && this.#isNew('ended'))
      this.#print(`the verdict "${verdict}" is carried out (${await this.#gasOf(transactions.enforce)} gas)`);
  }

  #isNew(what: string): boolean {
    if (this.#told.has(what)) return false;
    this.#told.add(what);
    return true;
  }

  async #gasOf(hash: Hash): Promise<bigint> {
    return (await this.#network.local.publicClient.getTransactionReceipt({ hash })).gasUsed;
  }
}

/**
 * Who won and lost DPU by a dispute that convicted its holder: parties and jurors by its events, treasury and what was burnt by the balances before and
 * after it. @throws StoryDiffers when the sum is not zero
 */
export async function moneyOf(network: Network, history: JobHistory, dispute: HistoryDispute): Promise<string[]> {
  const { lease, challenger, juries, ended, transactions } = dispute;
  const { juror } = disputeCost(history.terms);
  const lost = history.replaced.find(({ lease: one }) => one.node === lease.node && one.deadline === lease.deadline);
  const slashed = lost?.loss?.slashed ?? 0n;
  const judged = juries.flatMap(({ judged: one }) => (one ? [one] : []));
  const spent = judged.reduce((sum, { paid }) => sum + juror * BigInt(paid), 0n);
  const { burnt, treasury } = await publicPurse(network, transactions);
  const rows: [who: string, part: string, change: bigint][] = [
    [`node ${lease.node}`, 'lied', -slashed],
    [`node ${challenger.node}`, 'challenged', (ended?.rewarded ?? 0n) - spent],
  ];
  for (const { jurors, votes, judged: count } of juries) {
    for (const { node } of jurors)
      rows.push([`node ${node}`, 'juror', votes.get(node) === count?.found ? juror : -juror]);
  }
  rows.push(['treasury', '', treasury], ['burnt', '', burnt]);
  must('the sum of what was won and lost', formatEther(rows.reduce((sum, [, , change]) => sum + change, 0n)), '0');
  const lines = rows.map(([who, part, change]) => [who, part, signed(change)]);
  return ['What the lie changed', ...table([['who', 'part', 'DPU'], ...lines]), ''];
}

/** What the treasury got, and what was burnt, between the challenge and the end of a dispute. */
async function publicPurse(
  { local, deployment }: Network,
  { challenge, enforce = challenge }: HistoryDispute['transactions'],
): Promise<{ burnt: bigint; treasury: bigint }> {
  const { publicClient } = local;
  const { market, token } = deployment;
  const before = (await publicClient.getTransactionReceipt({ hash: challenge })).blockNumber - 1n;
  const after = (await publicClient.getTransactionReceipt({ hash: enforce })).blockNumber;
  const supply = (blockNumber: bigint): Promise<bigint> =>
    publicClient.readContract({ address: token, abi: erc20Abi, functionName: 'totalSupply', blockNumber });
  const account = (await publicClient.readContract({
    address: market,
    abi: marketAbi,
    functionName: 'treasury',
  })) as Address;
  const purse = (blockNumber: bigint): Promise<bigint> =>
    publicClient.readContract({
      ...{ address: market, abi: marketAbi, functionName: 'balanceOf', blockNumber },
      args: [token, account],
    });
  return {
    burnt: (await supply(before)) - (await supply(after)),
    treasury: (await purse(after)) - (await purse(before)),
  };
}

function signed(change: bigint): string {
  return `${change > 0n ? '+' : ''}${formatEther(change)}`;
}
