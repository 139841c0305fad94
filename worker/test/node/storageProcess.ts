/**
 * The storage of one registered node as a process of its own: `storageProcess.ts <node> <nodes> <folder>`. Prints its gateway's URL, then answers
 * each command, a JSON line, with a JSON line.
 */
import { createInterface } from 'node:readline';

import { LocalBackend } from '@dpu/sdk/gateway/localBackend';
import { signReceipt } from '@dpu/sdk/gateway/replicaRoutes';
import { cidToDigest, encodeBlock } from '@dpu/sdk/storage/cid';
import { randomBytes } from '@dpu/sdk/storage/fixtures';
import { zeroHash } from 'viem';

import type { Head } from '../../src/chain/chain.ts';
import { silentLog } from '../../src/log.ts';
import type { PromiseBook } from '../../src/leases/promiseBook.ts';
import { Caretaker } from '../../src/replication/caretaker.ts';
import { Collector } from '../../src/replication/collector.ts';
import { Holders } from '../../src/replication/holders.ts';
import { sampleHead, sampleLease } from '../../src/testing/samples.ts';
import {
  DOMAIN,
  headersOf,
  RegisteredNodes,
  registryOf,
  replicasOf,
  startStorageNode,
} from '../../src/testing/storageNode.ts';

/** What a storage process can be told. */
export type Command =
  /** Where the nodes' gateways are. */
  | { peers: [number, string][] }
  /** Stores an output of so many bytes, and a manifest that names it; answers `{ cid, file }`. */
  | { store: { seed: number; bytes: number } }
  /** Collects receipts for a manifest; answers `{ receipts }` once its result may be shown. */
  | { show: string }
  /** One round of audits and repairs; answers the nodes with receipts of the root. */
  | { round: string };

const [id = 0, count = 0] = process.argv.slice(2, 4).map(Number);
const nodes = new RegisteredNodes(count);
const { gateway } = await startStorageNode(id, nodes, { dir: process.argv[4] ?? '' });
const local = new LocalBackend(gateway);
const registry = registryOf(id, nodes);
const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const patience = { stallMs: 2_000, retryMs: 1 };
const holders = new Holders({ domain: DOMAIN, headers: headersOf(id), fetch, nowSeconds, patience });
const caretaker = new Caretaker(
  { node: id, copies: 3, blocks: 2, rootsPerRound: 100 },
  { gateway, registry, holders, nowSeconds, log: silentLog },
);
const signal = new AbortController().signal;

async function show(cid: string): Promise<{ receipts: number }> {
  const manifest = cidToDigest(cid);
  const lease = sampleLease({ job: manifest });
  const promises = {
    promised: () => ({ result: { root: zeroHash, units: 1n, manifest }, salt: zeroHash }),
  } as unknown as PromiseBook;
  const head: Head = sampleHead(1, 1_000);
  await new Promise<void>((resolve) => {
    const collector = new Collector(
      { node: id, copies: 3, waitSeconds: 20, keepSeconds: 60 * 24 * 60 * 60, mostAsked: 16 },
      {
        ...{ gateway, promises, registry, holders, nowSeconds, signal, log: silentLog, onReady: () => resolve() },
        sign: (said) => signReceipt(replicasOf(id, nodes, 1e12), { ...said, nonce: zeroHash }),
      },
    );
    if (collector.mayShow(lease, 1_400, head)) resolve();
  });
  return { receipts: gateway.receipts.get(cid).length };
}

async function obey(command: Command): Promise<unknown> {
  if ('peers' in command) {
    for (const [node, url] of command.peers) nodes.urls.set(node, url);
    return {};
  }
  if ('store' in command) {
    const { cid: file } = await local.addFile(randomBytes(command.store.bytes, command.store.seed));
    const { cid, bytes } = await encodeBlock({ shards: [{ cid: file }] });
    await local.putBlock(cid, bytes);
    return { cid: cid.toString(), file: file.toString() };
  }
  if ('show' in command) return show(command.show);
  await caretaker.round(signal);
  return gateway.receipts.get(command.round).map(({ node }) => node);
}

createInterface(process.stdin).on('line', (line) => {
  void obey(JSON.parse(line) as Command).then(
    (answer) => console.log(JSON.stringify(answer)),
    (error: unknown) => console.log(JSON.stringify({ error: String(error) })),
  );
});
console.log(gateway.url);
