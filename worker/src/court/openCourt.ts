import type { LocalBackend } from '@dpu/sdk/gateway/localBackend';
import type { StorageBackend } from '@dpu/sdk/storage/backend';

import type { Chain } from '../chain/chain.ts';
import type { ChainBook } from '../chain/chainBook.ts';
import type { NodeConfig } from '../config.ts';
import type { ChainFacts } from '../chain/facts.ts';
import type { Log } from '../log.ts';
import type { Proposer } from '../sending/proposer.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { Resources } from '../resources/resources.ts';
import type { Workspace } from '../work/workspace.ts';
import { Appellant } from './appellant.ts';
import { Checker } from './checker.ts';
import { Clerk } from './clerk.ts';
import { Court } from './court.ts';
import type { CourtBook } from './courtBook.ts';
import { Juror } from './juror.ts';
import { Shown } from './shown.ts';
import { TrialRun } from './trialRun.ts';

/** What the court of a node is made of. */
export interface CourtParts {
  config: Pick<NodeConfig, 'checkRate' | 'challengeHidden' | 'appealShare' | 'network'>;
  node: number;
  /** Runtime ids, and runtimes by the spec's name, that this machine can run. */
  runtimeIds: ReadonlySet<number>;
  runtimes: ReadonlyMap<string, Runtime>;
  saltSecret: Uint8Array;
  chain: Chain;
  book: ChainBook;
  court: CourtBook;
  facts: ChainFacts;
  proposer: Proposer;
  workspace: Workspace;
  resources: Resources;
  local: LocalBackend;
  remote: StorageBackend;
  /** Gateways of nodes that are asked for files; those of holders are added. */
  peers: Set<string>;
  nextTime: () => number;
  draining: () => boolean;
  log: Log;
}

/** Published data that is not there within these tries counts as out of reach: about half a minute. */
const REACH = { tries: 4, pauseMs: 1_000, tryMs: 10_000 };
/** How far back a node that was away looks for leases to check: about the longest challenge window of small jobs. */
const LOOK_BACK_BLOCKS = 300;

/** Puts together what a node does for the court. */
export function openCourt(parts: CourtParts): Court {
  const { config, node, runtimeIds, saltSecret, chain, peers, log } = parts;
  const trial = new TrialRun({ triesPerShard: 4, retryPauseMs: 1_000 }, parts);
  const reach = async (holder: number): Promise<void> => {
    const { endpoint } = await chain.node(holder);
    if (/^https?:\/\//.test(endpoint)) peers.add(endpoint);
  };
  const shown = new Shown(REACH, { remote: parts.remote, reach, log });
  const deps = { ...parts, trial, shown };
  const own = { node, runtimes: runtimeIds, saltSecret };
  return new Court({
    juror: new Juror(own, deps),
    checker: new Checker(
      {
        ...own,
        rate: config.checkRate,
        challengeHidden: config.challengeHidden,
        lookBackBlocks: LOOK_BACK_BLOCKS,
        proofs: config.network.proofs,
      },
      deps,
    ),
    clerk: new Clerk({ node }, deps),
    appellant: new Appellant({ node, runtimes: runtimeIds, share: config.appealShare }, deps),
  });
}
