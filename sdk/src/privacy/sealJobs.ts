/** From the specs of a template to private jobs: files are kept back until they are sealed, and each job gets a key of its own. */
import type { CID } from 'multiformats/cid';
import type { Hex } from 'viem';

import { encodeSpec, type EncodedSpec, type JobSpecInput } from '../spec.ts';
import { cutFile } from '../storage/unixfs.ts';
import { newJobKey, type JobKey } from './envelope.ts';
import { saltOf } from './salt.ts';
import { sealSpec } from './sealedSpec.ts';
import { sealBytes } from './stream.ts';

/** Files that a template wants stored, by their CIDs: a place to put them before anything leaves this machine. */
export class HeldFiles {
  readonly #files = new Map<string, Uint8Array>();

  /** Takes a file in, like `StorageBackend.addFile`. */
  async addFile(bytes: Uint8Array): Promise<{ cid: CID }> {
    const { cid } = await cutFile(bytes, () => Promise.resolve());
    this.#files.set(cid.toString(), bytes);
    return { cid };
  }

  /** @throws RangeError when the file was not added. */
  bytes(cid: CID | string): Uint8Array {
    const bytes = this.#files.get(cid.toString());
    if (!bytes) throw new RangeError(`The file ${cid.toString()} is not held here; add it first.`);
    return bytes;
  }
}

/** Who may read private jobs, and where their files go. */
export interface SealJobsOptions {
  /** The requester's own key. */
  requester: string;
  /** Nodes that may compute. */
  nodes: readonly string[];
  /** Whoever else may hand the jobs' keys on to nodes later. */
  agents?: readonly string[];
  /** What the specs name. */
  files: HeldFiles;
  /** Stores a file in the network: sealed inputs, and the public code. */
  addFile: (bytes: Uint8Array) => Promise<{ readonly cid: CID | string }>;
  /** The id that the job at `index` gets, by its sealed spec. Asked in order. */
  idOf: (index: number, spec: EncodedSpec) => Hex;
}

/**
 * Makes jobs private. A job with `after` is one that reads the results of the job before it in the list.
 * @returns Their sealed specs in the same order, which are still to be stored.
 * @throws SpecError, SealedSpecError, or as `envelope`; RangeError when a file is not held.
 */
export async function sealJobs(specs: readonly JobSpecInput[], options: SealJobsOptions): Promise<EncodedSpec[]> {
  const { requester, nodes, agents, idOf } = options;
  // All keys first: an earlier job's results are sealed for the later one too.
  const keys = await Promise.all(specs.map(() => newJobKey()));
  const sealed: EncodedSpec[] = [];
  const ids: Hex[] = [];
  for (const [index, spec] of specs.entries()) {
    const jobKey = keys[index] as JobKey;
    const later = specs[index + 1]?.after ? keys[index + 1] : undefined;
    const readers = [requester];
    if (later) readers.push(later.recipient);
    // Outputs that may differ are compared by whoever judges them.
    if (spec.comparator.kind !== 'exact') readers.push(jobKey.recipient);
    const [before, beforeId] = [keys[index - 1], ids[index - 1]];
    const afterSalt = spec.after && before && beforeId ? await saltOf(before, beforeId) : undefined;
    const own = await sealSpec(await withSealedInputs(spec, jobKey, options), {
      ...{ jobKey, requester, nodes, agents, readers, afterSalt },
    });
    const encoded = encodeSpec({ ...own.spec, private: own.private });
    sealed.push(encoded);
    ids.push(idOf(index, encoded));
  }
  return sealed;
}

/** The spec with its inputs' sealed files in their places. The code stays public. */
async function withSealedInputs(
  spec: JobSpecInput,
  jobKey: JobKey,
  { files, addFile }: Pick<SealJobsOptions, 'files' | 'addFile'>,
): Promise<JobSpecInput> {
  const inputs: JobSpecInput['inputs'] = [];
  for (const { name, cid, size } of spec.inputs) {
    const sealed = await sealBytes(files.bytes(cid), [jobKey.recipient]);
    inputs.push({ name, size, cid: (await addFile(sealed)).cid });
  }
  // Code that is the result of an earlier job has no file of its own.
  if (spec.module === undefined) return { ...spec, inputs };
  const { cid: module } = await addFile(files.bytes(spec.module));
  return { ...spec, module, inputs };
}
