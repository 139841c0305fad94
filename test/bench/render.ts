/**
 * The same render on one, two and three nodes of this machine, from the mined post to the assembled, paid image. Nodes on one
 * machine share its cores: the ratio says what the protocol leaves of them. `--json` prints JSON, `--quick` renders less.
 */
import { availableParallelism } from 'node:os';

import { judge, report, type BenchResult } from '../../script/bench/lib/report.ts';
import { followJob } from '../../script/network/followJob.ts';
import { startNetwork, type Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { postTemplate } from '../../script/network/postJob.ts';

const quick = process.argv.includes('--quick');
const NODES = 3;
/** 24 tiles, some hundred milliseconds each. */
const OPTIONS = { width: 240, height: 160, tileWidth: 40, tileHeight: 40, samples: quick ? 2 : 16 };

/** Seconds from the mined post to the last payment, and to the last commit of the tiles. */
async function render(network: Network): Promise<{ paid: number; computed: number }> {
  const request = { template: 'render', options: OPTIONS, requester: people.requester, ramp: 5, window: 0 };
  // Leases of four tiles at most, so that no node is left without work.
  const posted = await postTemplate(network, network.storage, { ...request, maxLease: 4 });
  const from = performance.now();
  let computed = 0;
  for (const [index, id] of posted.ids.entries()) {
    await followJob(network, id, {
      onProgress({ committed, shards }) {
        if (index === 0 && committed === shards && computed === 0) computed = (performance.now() - from) / 1_000;
      },
    });
  }
  return { paid: (performance.now() - from) / 1_000, computed };
}

async function measure(network: Network): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  let one: { paid: number; computed: number } | undefined;
  for (const { process: running } of network.nodes.slice(1)) {
    running.kill('SIGINT');
    await running.exited;
  }
  for (let count = 1; count <= NODES; count += 1) {
    const next = network.nodes[count - 1];
    if (count > 1 && next) await network.restartNode(next);
    const took = await render(network);
    one ??= took;
    const nodes = count === 1 ? 'one node' : `${count} nodes`;
    results.push(
      judge({
        name: `tiles computed by ${nodes}`,
        value: took.computed,
        unit: 's',
        baseline: one.computed,
        better: 'lower',
      }),
      judge({ name: `image paid, ${nodes}`, value: took.paid, unit: 's', baseline: one.paid, better: 'lower' }),
    );
  }
  return results;
}

const network = await startNetwork({
  name: 'bench-render',
  nodes: NODES,
  without: ['app', 'indexer'],
  blockSeconds: 1,
});
try {
  const results = await measure(network);
  report(`The same render on 1 … ${NODES} nodes; this machine has ${availableParallelism()} cores`, results);
} finally {
  await network.stop();
}
