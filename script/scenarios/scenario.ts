import type { Hex } from 'viem';

import type { Network } from '../network/network.ts';

/** What a scenario plays with. */
export interface Stage {
  network: Network;
  /** Template of the job. */
  template: string;
  /** Options of the template. */
  settings: Record<string, unknown>;
  print: (line: string) => void;
  signal: AbortSignal;
}

/** How it ended: a verified result and what there is to say about it. */
export interface Outcome {
  /** The job whose result this is. */
  job: Hex;
  files: readonly ResultFile[];
  report: string[];
}

/** One file of a result. */
export interface ResultFile {
  name: string;
  mediaType: string;
  bytes: Uint8Array;
}

/** A story played on a fresh local network; it throws when the story does not end as it must. */
export interface Scenario {
  name: string;
  description: string;
  /** Least number of nodes that it needs, and starts by default. Default 3. */
  nodes?: number;
  /** Settings of single nodes by their environment names; `node` counts from 1. */
  settings?: (node: number) => Record<string, string>;
  play(stage: Stage): Promise<Outcome>;
}
