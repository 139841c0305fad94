/** Tiers that nodes of a local network can prove: small benchmarks, and the wei that their jobs cost. */
import { marketAbi } from '@dpu/sdk/abi';
import { benchmarkOf, encodeBenchmarks, LOCAL_TIERS } from '@dpu/sdk/capability/benchmarks';
import { cutFile } from '@dpu/sdk/storage/unixfs';
import { diskAsset } from '@dpu/sdk/templates/diskAssets';
import { erc20Abi, parseGwei, type Hex } from 'viem';

import type { LocalChain } from './chain.ts';
import { call, type DeployedContracts } from './equip.ts';
import { people } from './people.ts';

/** DPU wei for proofs: one each. */
const PROOFS = parseGwei('1');

/** The tiers' benchmarks as the deployment script takes them, for the modules that are built here. */
export async function localBenchmarks(): Promise<Hex> {
  const benchmarks = LOCAL_TIERS.map(async (tier) => {
    const { cid } = await cutFile(await diskAsset(`capability.${tier.runtime}`), async () => {});
    return { tier: tier.tier, benchmark: benchmarkOf(tier, cid) };
  });
  return encodeBenchmarks(await Promise.all(benchmarks));
}

/** Pays for the proofs to come. */
export async function fundProofs(
  local: LocalChain,
  { market, token, proofs }: Pick<DeployedContracts, 'market' | 'token' | 'proofs'>,
): Promise<void> {
  const { deployer } = people;
  await call(local, deployer, { address: token, abi: erc20Abi, functionName: 'approve', args: [market, PROOFS] });
  await call(local, deployer, {
    address: market,
    abi: marketAbi,
    functionName: 'deposit',
    args: [token, proofs, PROOFS],
  });
}
