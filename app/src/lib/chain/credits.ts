import { computeCreditsAbi } from '@dpu/sdk/abi';
import {
  creditsOf,
  readCredits,
  readCreditSettings,
  readEpoch,
  readRuntime,
  readSupply,
  type CreditEpoch,
  type CreditRuntime,
  type CreditSettings,
} from '@dpu/sdk/credits';
import type { Deployment } from '@dpu/sdk/deployment';
import { LOG_RANGE } from '@dpu/sdk/logs';
import { readReserves, type Reserves } from '@dpu/sdk/pair';
import { RUNTIME_NAMES, RUNTIMES, type RuntimeName } from '@dpu/sdk/runtimeNames';
import { erc20Abi, getAbiItem, type Address, type PublicClient } from 'viem';

/** A weight as it was set at the end of an epoch. */
export interface WeightPoint {
  epoch: number;
  /** Billionths. */
  weight: bigint;
}

/** Everything about the credits that their page shows, read from the chain. */
export interface CreditsView {
  epoch: CreditEpoch;
  settings: CreditSettings;
  supply: bigint;
  runtimes: (CreditRuntime & { name: RuntimeName; id: number; past: WeightPoint[] })[];
  /** What lies in the pair; undefined where there is none. */
  reserves: Reserves | undefined;
  /** Of the account; undefined without one. Wei. */
  own: { credits: bigint; dpu: bigint } | undefined;
}

const MOVED = getAbiItem({ abi: computeCreditsAbi, name: 'WeightMoved' });

/** Reads it all. @throws NoCredits */
export async function readCreditsView(
  client: PublicClient,
  deployment: Deployment,
  account: Address | undefined,
): Promise<CreditsView> {
  const address = creditsOf(deployment);
  const head = await client.getBlockNumber({ cacheTime: 0 });
  const first = head > BigInt(LOG_RANGE) ? head - BigInt(LOG_RANGE) + 1n : 0n;
  const [epoch, settings, supply, reserves, moves, own, ...runtimes] = await Promise.all([
    readEpoch(client, deployment),
    readCreditSettings(client, deployment),
    readSupply(client, deployment),
    deployment.exchange ? readReserves(client, deployment).catch(() => undefined) : undefined,
    client.getLogs({ address, event: MOVED, strict: true, fromBlock: first, toBlock: head }),
    account && ownOf(client, deployment, account),
    ...RUNTIME_NAMES.map((name) => readRuntime(client, deployment, RUNTIMES[name])),
  ]);
  return {
    ...{ epoch, settings, supply, reserves, own },
    runtimes: RUNTIME_NAMES.map((name, index) => {
      const id = RUNTIMES[name];
      const facts = runtimes[index];
      if (!facts) throw new Error(`Runtime ${name} was not read.`);
      const past = moves
        .filter(({ args }) => args.runtime === id)
        .map(({ args }) => ({ epoch: args.epoch, weight: BigInt(args.weight) }));
      return { ...facts, id, name, past };
    }),
  };
}

async function ownOf(client: PublicClient, deployment: Deployment, account: Address): Promise<CreditsView['own']> {
  const [credits, dpu] = await Promise.all([
    readCredits(client, deployment, account),
    client.readContract({ abi: erc20Abi, address: deployment.token, functionName: 'balanceOf', args: [account] }),
  ]);
  return { credits, dpu };
}
