/** What the commands do with jobs: post, fetch and open results, hand out keys. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Hex } from 'viem';

import { heardDeclines } from '../heardDeclines.ts';
import { jobHistory, type JobHistory } from '../history.ts';
import { openJob, resultKeyOf, type OpenedJob } from '../privacy/openJob.ts';
import { handOut, KeyHolder, type EnvelopeNode } from '../privacy/handOut.ts';
import type { Identity } from '../privacy/identity.ts';
import type { PrivateSpec } from '../privacy/schema.ts';
import { postTemplate, type PostedJobs, type PrivateWish } from '../postTemplate.ts';
import { believedLeases, downloadJob } from '../results.ts';
import { decodeSpec, type JobSpec } from '../spec.ts';
import { digestToCid } from '../storage/cid.ts';
import { diskAsset } from '../templates/diskAssets.ts';
import { marketDomain } from '../terms.ts';
import { CliError } from './cliError.ts';
import type { Connection } from './connect.ts';

/** What to post. */
export interface PostWish {
  template: string;
  /** `name=value`: JSON where it is some, else text. */
  options: readonly string[];
  /** `name=path`. */
  files: readonly string[];
  minPrice?: bigint | undefined;
  maxPrice?: bigint | undefined;
  window?: number | undefined;
  ramp?: number | undefined;
  private?: PrivateWish | undefined;
}

/** Stores, funds and posts. @throws CliError without a wallet; TemplateError for wrong options. */
export async function post(connection: Connection, wish: PostWish): Promise<PostedJobs> {
  const { account, walletClient, publicClient, deployment, storage } = connection;
  if (!account || !walletClient) throw new CliError('Posting costs money: say whose, with --wallet-key-file.');
  const files = wish.files.map(pair).map(([name, path]) => [name, new Uint8Array(readFileSync(path))] as const);
  const { minPrice, maxPrice, window, ramp } = wish;
  return postTemplate(
    { publicClient, walletClient, deployment, backend: storage, asset: diskAsset },
    {
      template: wish.template,
      options: Object.fromEntries(wish.options.map(pair).map(([name, value]) => [name, jsonOrText(value)])),
      files: new Map(files),
      requester: account,
      ...(minPrice === undefined ? {} : { minPrice }),
      ...(maxPrice === undefined ? {} : { maxPrice }),
      ...(window === undefined ? {} : { window }),
      ...(ramp === undefined ? {} : { ramp }),
      ...(wish.private ? { private: wish.private } : {}),
    },
  );
}

/** A file that was written, and which shard it is of. */
export interface WrittenResult {
  shard: number;
  file: string;
  bytes: number;
}

/**
 * Downloads a job's results, checks each against the chain, opens them when the job is private, and writes them to `folder`.
 * @throws CliError when the job is private and no key was brought; as `downloadJob` and `openJob`.
 */
export async function fetchResults(
  connection: Connection,
  id: Hex,
  folder: string,
  identity: Identity | undefined,
): Promise<{ history: JobHistory; written: WrittenResult[]; opened: OpenedJob | undefined }> {
  const { publicClient, deployment, storage, knowHolders } = connection;
  const history = await jobHistory(publicClient, deployment, id);
  const spec = await specOf(connection, history);
  const opened = spec.private && (await openJob(spec, id, identityNeeded(identity)));
  await knowHolders(believedLeases(history));
  mkdirSync(folder, { recursive: true });
  const key = opened && resultKeyOf(opened, identityNeeded(identity));
  const written: WrittenResult[] = [];
  for await (const { shard, bytes } of downloadJob(history, storage, { key })) {
    // The name stands in a spec, which a stranger may have written.
    const file = join(folder, `${shard}-${basename(spec.output.name)}`);
    writeFileSync(file, bytes);
    written.push({ shard, file, bytes: bytes.length });
  }
  return { history, written, opened };
}

function identityNeeded(identity: Identity | undefined): Identity {
  if (!identity) throw new CliError('The job is private: bring the key that may read it, with --key.');
  return identity;
}

/** Hands the job's key to nodes, one after the other. @throws as `handOut` at the first that does not take it. */
export async function allow(
  connection: Connection,
  id: Hex,
  holder: Identity,
  nodes: readonly number[],
): Promise<void> {
  const section = await sectionOf(connection, id);
  for (const node of nodes) await handOut(id, section, holder, await nodeOf(connection, node));
}

/** Whom `hold` lets in. */
export interface HoldOptions {
  /** Ids of nodes; `any` for every node with enough stake. */
  nodes: readonly number[] | 'any';
  /** Least stake, in DPU wei. */
  minStake: bigint;
  /** Pause between two looks, milliseconds. */
  everyMs: number;
}

/**
 * Answers nodes that ask for the job's key until the job has ended.
 * @param print Told of each node that was answered.
 */
export async function hold(
  connection: Connection,
  id: Hex,
  holder: Identity,
  { nodes, minStake, everyMs }: HoldOptions,
  { print, signal }: { print: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  const { deployment, publicClient } = connection;
  const { chainId, market, gatewayUrl, indexerUrl } = deployment;
  const listed = nodes === 'any' ? undefined : new Set(nodes);
  const keeper = new KeyHolder(
    {
      ...{ job: id, section: await sectionOf(connection, id), holder, domain: marketDomain(chainId, market) },
      allow: ({ id: node, stake }) => (listed?.has(node) ?? true) && stake >= minStake,
    },
    {
      declines: (job) => heardDeclines(job, [gatewayUrl, indexerUrl], { signal }),
      node: (node) => nodeOf(connection, node),
      signal,
    },
  );
  while (!signal.aborted) {
    for (const { node, error } of await keeper.round()) {
      print(error ? `node ${node}: ${error.message}` : `node ${node} has the job's key`);
    }
    const { state } = await jobHistory(publicClient, deployment, id, { gas: false });
    if (state === 'complete' || state === 'closed') return print(`the job is ${state}`);
    // Woken early it is about to end anyway.
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

async function specOf({ storage }: Connection, { terms }: Pick<JobHistory, 'terms'>): Promise<JobSpec> {
  return decodeSpec(await storage.getBlock(digestToCid(terms.spec, 'dag-cbor')));
}

async function sectionOf(connection: Connection, id: Hex): Promise<PrivateSpec> {
  const { publicClient, deployment } = connection;
  const spec = await specOf(connection, await jobHistory(publicClient, deployment, id, { gas: false }));
  if (!spec.private) throw new CliError('Everyone can read this job; there is no key to hand out.');
  return spec.private;
}

async function nodeOf({ market }: Connection, id: number): Promise<EnvelopeNode> {
  const { operator, key, endpoint, stake } = await market.node(id);
  return { id, operator, key, endpoint, stake };
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new CliError(`"${text}" must be name=value.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
