import type { Hex } from 'viem';
import type { JobHistory } from '@dpu/sdk/history';
import { NotARecipientError } from '@dpu/sdk/privacy/errors';
import { identityOfBytes, newIdentity } from '@dpu/sdk/privacy/identity';
import { downloadJob, ResultSealed } from '@dpu/sdk/results';
import { diskAsset } from '@dpu/sdk/templates/diskAssets';
import type { Terms } from '@dpu/sdk/terms';
import { hexToBytes } from 'viem';

import { followJob } from '../network/followJob.ts';
import type { LocalNode, Network } from '../network/network.ts';
import { nodeSecret, people } from '../network/people.ts';
import { postTemplate } from '../network/postJob.ts';
import { openPosted } from '../network/postPrivate.ts';
import { table } from '../network/report.ts';
import { describe, reportOf } from './plain.ts';
import type { Outcome, Scenario, Stage } from './scenario.ts';
import { searchNetwork, type Plaintext, type Search } from './searchNetwork.ts';
import { secretScene } from './secretScene.ts';
import { must, StoryDiffers } from './story.ts';

/** Nodes that the envelope is for. */
const ALLOWED = 2;
/** A small image: every tile is searched for on every disk. */
const OPTIONS = { width: 320, height: 180, tileWidth: 80, tileHeight: 90, samples: 24 };

/** A render whose scene and image only the requester and two of three nodes ever see. */
export const privately: Scenario = {
  name: 'private',
  description: 'A scene is rendered in private: two nodes and the requester can read it, and nobody else holds a byte.',

  async play(stage: Stage): Promise<Outcome> {
    const { network, print, signal } = stage;
    must('the number of nodes', network.nodes.length, ALLOWED + 1);
    const allowed = network.nodes.slice(0, ALLOWED).map(({ id }) => id);
    const printed: string[] = [];
    network.tree.listen((name, line) => printed.push(`${name} ${line}`));
    const identity = await newIdentity();
    const scene = secretScene();
    const posted = await postTemplate(network, network.storage, {
      template: 'render',
      options: { ...OPTIONS, ...stage.settings },
      files: scene,
      requester: people.requester,
      private: { identity, nodes: allowed },
    });
    print(`posted a private map job and its reduce job, with an envelope for nodes ${allowed.join(' and ')}`);
    if (network.appUrl) print(`watch it in the dApp: ${network.appUrl}/jobs/${posted.ids[0]}`);

    const secrets: Plaintext[] = [...scene].map(([name, bytes]) => ({ name, bytes }));
    const histories: JobHistory[] = [];
    let image = new Uint8Array();
    for (const [index, id] of posted.ids.entries()) {
      const label = index === 0 ? 'shards' : 'reduce';
      const history = await followJob(network, id, { onProgress: (at) => print(describe(label, at)), signal });
      histories.push(history);
      await mustBeClosedTo(network, history, allowed);
      const { opened, key } = await openPosted(network, id, posted.terms[index] as Terms, identity);
      secrets.push({ name: `the name of the ${label} job`, bytes: new TextEncoder().encode(opened.spec.name) });
      for await (const { shard, bytes } of downloadJob(history, network.storage, { signal, key })) {
        secrets.push({ name: `${label} ${shard}`, bytes });
        image = Uint8Array.from(bytes);
      }
    }
    await mustHaveDeclined(network.nodes[ALLOWED] as LocalNode, posted.ids[0] as Hex);
    print(`the requester has opened and checked ${secrets.length - scene.size - posted.ids.length} results`);
    const report = await mustBeNowhere(network, secrets, printed);
    return {
      job: posted.ids[0] as Hex,
      files: [{ name: 'image.png', mediaType: 'image/png', bytes: image }],
      report: [...reportOf(histories), ...report],
    };
  },
};

/** Checks that a node which is not allowed has looked at a job and says why it does not take it. */
export async function mustHaveDeclined({ id, statusUrl }: LocalNode, job: Hex): Promise<void> {
  const response = await fetch(`${statusUrl}/status`);
  const { declines } = (await response.json()) as { declines: { job: Hex; code: string }[] };
  must(`why node ${id} declined`, declines.find((decline) => decline.job === job)?.code, 'notRecipient');
}

/** Checks that nobody but the allowed nodes took part, and that neither the others nor a stranger can read anything. */
export async function mustBeClosedTo(network: Network, history: JobHistory, allowed: readonly number[]): Promise<void> {
  const { id, terms, leases } = history;
  const holders = new Set(leases.map(({ lease }) => lease.node));
  must(
    'whether only allowed nodes computed',
    [...holders].every((node) => allowed.includes(node)),
    true,
  );
  for (const [index, node] of network.nodes.entries()) {
    if (allowed.includes(node.id)) continue;
    const stranger = await identityOfBytes(hexToBytes(nodeSecret(index + 1)));
    const opening = openPosted(network, id, terms, stranger);
    must(`what node ${node.id} gets with its key`, await outcomeOf(opening), NotARecipientError.name);
  }
  const reading = downloadJob(history, network.storage).next();
  must('what a stranger gets of the results', await outcomeOf(reading), ResultSealed.name);
}

/** Name of the error that a promise ends with. */
const outcomeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'what it must not get',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );

/**
 * Checks that no disk, no block and no printed line holds a piece of the secrets, after making sure that the search finds what is there: the public code.
 * @throws StoryDiffers that names the first place.
 */
export async function mustBeNowhere(
  network: Network,
  secrets: readonly Plaintext[],
  printed: readonly string[],
): Promise<string[]> {
  const code = { name: 'the public code', bytes: await diskAsset('pathtracer.wasm') };
  const search = await searchNetwork(network, [...secrets, code], printed);
  const [found] = search.findings.filter(({ what }) => what !== code.name);
  if (found) throw new StoryDiffers(`a piece of ${found.what}`, `in ${found.where}`, 'on no disk and in no block');
  const places = search.findings.length;
  must('whether the search finds the public code', places > 0, true);
  return reportOfSearch(search, secrets.length, places);
}

function reportOfSearch({ files, bytes, blocks, lines }: Search, secrets: number, places: number): string[] {
  const rows: [string, string][] = [
    ['files of gateway, nodes and indexer', `${files} (${(bytes / 2 ** 20).toFixed(1)} MiB)`],
    ['blocks of the chain', String(blocks)],
    ['lines that processes printed', String(lines)],
    ['secrets looked for: scene, names, tiles, image', String(secrets)],
    ['places that hold a piece of one', '0'],
    ['places that hold the public code, to see that the search works', String(places)],
  ];
  return ['Search of the whole network', ...table([['looked through', 'found'], ...rows]), ''];
}
