/** Runs the chain of a template on this machine's runtimes, one job after the other, without a network. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { diskAsset } from '@dpu/sdk/templates/diskAssets';
import { moduleFile } from '@dpu/sdk/runtimes/onnx';
import type { JobSpecInput } from '@dpu/sdk/spec';
import type { Template } from '@dpu/sdk/templates/types';

import type { Runtime, ShardOutput } from '../../src/runtimes/runtime.ts';

/** Where the modules and the drawn images are built. */
export const MODULES = new URL('../../../sdk/modules/', import.meta.url);

/** A prepared chain. */
export interface Chain {
  readonly jobs: readonly JobSpecInput[];
  /** Runs one shard after the outputs of the job before it. */
  runShard(spec: JobSpecInput, shard: number, before: readonly ShardOutput[]): Promise<ShardOutput>;
  /** Runs all of it: the outputs of every job's shards. */
  run(): Promise<ShardOutput[][]>;
}

/** Builds the modules where they are out of date, and prepares the jobs of a template. */
export async function prepareChain(
  template: Template,
  options: object,
  runtimes: readonly Pick<Runtime, 'name' | 'run'>[],
): Promise<Chain> {
  execFileSync(process.execPath, [fileURLToPath(new URL('build.mjs', MODULES))], { stdio: 'pipe' });
  const files = new Map<string, Uint8Array>();
  const { jobs } = await template.prepare(options, new Map(), {
    asset: diskAsset,
    addFile: async (bytes) => {
      const cid = await nameOf(bytes);
      files.set(cid, bytes);
      return { cid };
    },
  });
  const runShard: Chain['runShard'] = (spec, shard, before) => {
    const earlier = before.map(({ output }, i) => ({ name: `${spec.after?.name}/${i}`, bytes: output }));
    const inputs = [
      ...spec.inputs.map(({ name, cid }) => ({ name, bytes: files.get(String(cid))! })),
      ...(spec.after === undefined ? [] : earlier),
    ];
    const made = moduleFile(spec);
    const { args, shards, limits, settings } = spec;
    return runtimes
      .find(({ name }) => name === spec.runtime)!
      .run({
        module: made === undefined ? files.get(String(spec.module))! : inputs.find(({ name }) => name === made)!.bytes,
        ...{ args, shard, shards, inputs, seed: new Uint8Array(32), limits },
        ...(settings === undefined ? {} : { settings }),
      });
  };
  return {
    jobs,
    runShard,
    async run() {
      const outputs: ShardOutput[][] = [];
      for (const spec of jobs) {
        const before = outputs.at(-1) ?? [];
        const shards = Array.from({ length: spec.shards }, (_, shard) => runShard(spec, shard, before));
        outputs.push(await Promise.all(shards));
      }
      return outputs;
    },
  };
}

/** Any name will do for a file here, as long as another file has another. */
async function nameOf(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes))).toString('hex');
}

/** The lines of a file of comma-separated numbers, by its head. */
export function rowsOf(csv: Uint8Array): Record<string, number>[] {
  const [head = '', ...lines] = new TextDecoder().decode(csv).trimEnd().split('\n');
  const names = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [names[i], Number(value)])));
}
