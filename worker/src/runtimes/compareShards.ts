/** Whether this node's result of a shard and the one that was shown are the same work. */
import { compare } from '@dpu/sdk/compare/compare';
import { describeComparison } from '@dpu/sdk/compare/describe';
import type { Comparison } from '@dpu/sdk/compare/outcome';
import type { CompareOptions } from '@dpu/sdk/compare/source';
import type { JobSpec } from '@dpu/sdk/spec';
import type { FileSource } from '@dpu/sdk/storage/bytes';

/** The output files of one shard by name: bytes, or what streams them. */
export type ShardOutputs = ReadonlyMap<string, FileSource>;

/** The part of a spec that says what a shard's files are and how they are compared. */
export type ComparedSpec = Pick<JobSpec, 'output' | 'comparator' | 'settings'>;

/** What was found about one file: compared, or not there on one side or both. */
export type FileFinding =
  | { readonly name: string; readonly same: boolean; readonly comparison: Comparison }
  | { readonly name: string; readonly same: false; readonly missing: 'own' | 'shown' | 'both' };

/** What was found about a shard. `same` when every file is. */
export interface ShardComparison {
  readonly same: boolean;
  /** By name, in order of character codes. */
  readonly files: readonly FileFinding[];
}

/** The outputs of a shard whose runtime makes a single file, as the wasm runtime does. */
export function singleOutput({ output }: Pick<JobSpec, 'output'>, source: FileSource): ShardOutputs {
  return new Map([[output.name, source]]);
}

/**
 * Compares all output files of a shard by the spec's comparator. The file that the spec names has to be there; a file that
 * only one side has makes the shards differ. The order of the sides does not matter for the verdict.
 *
 * Never throws for what the bytes are. Rejects with the error of a source that cannot be read: not to reach a result is
 * no verdict about it.
 */
export async function compareShards(
  { output, comparator }: ComparedSpec,
  own: ShardOutputs,
  shown: ShardOutputs,
  options: CompareOptions = {},
): Promise<ShardComparison> {
  const files: FileFinding[] = [];
  for (const name of [...new Set([output.name, ...own.keys(), ...shown.keys()])].sort()) {
    const [left, right] = [own.get(name), shown.get(name)];
    if (left === undefined || right === undefined) {
      const missing = left !== undefined ? 'shown' : right !== undefined ? 'own' : 'both';
      files.push({ name, same: false, missing });
      continue;
    }
    const comparison = await compare(comparator, left, right, options);
    files.push({ name, same: comparison.same, comparison });
  }
  return { same: files.every(({ same }) => same), files };
}

/** One sentence a file, for the log; `left` is this node's result. */
export function describeShards({ files }: ShardComparison): string {
  return files
    .map((finding) => {
      if ('comparison' in finding) return `${finding.name}: ${describeComparison(finding.comparison)}`;
      const where = { own: 'this node did not make it', shown: 'it was not shown', both: 'nobody made it' };
      return `${finding.name}: The results differ: ${where[finding.missing]}.`;
    })
    .join(' ');
}
