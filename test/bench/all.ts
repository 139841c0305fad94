/** Every benchmark, one after the other, in one table. `--json` prints JSON; other arguments go to each. */
import { execa } from 'execa';

import { table, type BenchResult } from '../../script/bench/lib/report.ts';
import { root } from '../../script/native.mjs';

const BENCHES = {
  app: 'test/bench/app.ts',
  gas: 'script/bench/gas.ts',
  node: 'test/bench/node.ts',
  gpu: 'test/bench/gpu.ts',
  indexer: 'test/bench/indexer.ts',
  latency: 'test/bench/latency.ts',
  render: 'test/bench/render.ts',
  storage: 'script/bench/storage.ts',
};

const asJson = process.argv.includes('--json');
const given = process.argv.slice(2).filter((argument) => argument !== '--json');
const results: (BenchResult & { bench: string })[] = [];
const failed: string[] = [];
for (const [bench, file] of Object.entries(BENCHES)) {
  console.error(`${bench} …`);
  const { stdout, stderr, exitCode } = await execa(process.execPath, [file, '--json', ...given], {
    cwd: root,
    reject: false,
    stdin: 'ignore',
  });
  if (exitCode === 0) {
    const found = JSON.parse(stdout.slice(stdout.lastIndexOf('\n[') + 1)) as BenchResult[];
    results.push(...found.map((result) => ({ bench, ...result })));
  } else {
    failed.push(bench);
    console.error(`${bench} failed:\n${stderr}`);
  }
}
if (asJson) console.log(JSON.stringify(results));
else console.log(table(results.map(({ bench, ...result }) => ({ ...result, name: `${bench}: ${result.name}` }))));
if (failed.length > 0) {
  console.error(`Not measured: ${failed.join(', ')}. What is above says why.`);
  process.exitCode = 1;
}
