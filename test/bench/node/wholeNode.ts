/** A whole node on a chain of its own: what it takes while it does nothing, and how soon it claims what it may claim. */
import { setTimeout as sleep } from 'node:timers/promises';
import { marketAbi } from '@dpu/sdk/abi';

import { buildNode } from '../../../script/network/nodeBuild.ts';
import { judge, type BenchResult } from '../../../script/bench/lib/report.ts';
import { echoModule } from '../../../worker/test/node/modules.ts';
import { startNetwork } from '../../../worker/test/node/network.ts';
import { prepareNode } from '../../../worker/test/node/nodeProcess.ts';

const IDLE_TARGET_BYTES = 150e6;
/** Garbage of the start is gone by then. */
const IDLE_AFTER_MS = 15_000;
const MB = 1e6;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Starts a node as operators do, and measures it with `jobs` jobs. */
export async function wholeNode(jobs: number): Promise<BenchResult[]> {
  const network = await startNetwork();
  const env = { WORKER_LOG_LEVEL: 'info', WORKER_POLL_MS: '250', WORKER_WARM_PROCESSES: '1' };
  const node = await prepareNode(network, 1, env, await buildNode());
  node.start();
  try {
    await node.said('Node works');
    await sleep(IDLE_AFTER_MS);
    const idle = await residentBytes(node.statusUrl);

    // The draw lets the only node in with the block after the post: from there to the block of its claim.
    const blocks: number[] = [];
    for (let job = 0; job < jobs; job += 1) {
      const { id } = await network.post({ module: echoModule(), args: [String(job)] });
      const claimed = await network.until('the claim', async () => {
        const base = { address: network.deployment.market, abi: marketAbi, fromBlock: 0n } as const;
        const [posted] = await network.client.getContractEvents({ ...base, eventName: 'JobPosted', args: { id } });
        const [lease] = await network.client.getContractEvents({
          ...base,
          eventName: 'LeaseClaimed',
          args: { id },
        });
        return posted && lease && Number(lease.blockNumber - posted.blockNumber) - 1;
      });
      blocks.push(claimed);
    }
    const { timings } = await node.status();
    return [
      judge({
        name: 'memory of an idle node',
        value: idle / MB,
        unit: 'MB',
        target: IDLE_TARGET_BYTES / MB,
        better: 'lower',
      }),
      judge({
        name: 'from the block that allows a claim to its sending, median',
        value: median(timings['claim'] ?? []),
        unit: 'ms',
        better: 'lower',
      }),
      judge({
        name: 'from the block that allows a claim to its block, median',
        value: median(blocks),
        unit: 'blocks',
        better: 'lower',
      }),
    ];
  } finally {
    await node.stop();
    await network.stop();
  }
}

async function residentBytes(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^dpu_node_process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
}
