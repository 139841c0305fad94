/** Looks for a plaintext everywhere in a local network where it must not be. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

import type { Network } from '../network/network.ts';

/** Bytes of one window: long enough that no two places have the same by chance. */
const WINDOW_BYTES = 32;
/** Windows of one plaintext. */
const WINDOWS = 8;

/** Something secret, and its name for a report. */
export interface Plaintext {
  name: string;
  bytes: Uint8Array;
}

/** Where something was found. */
export interface Finding {
  /** Name of the plaintext. */
  what: string;
  /** File, or what else holds it. */
  where: string;
}

/** What was looked through. */
export interface Search {
  findings: Finding[];
  files: number;
  bytes: number;
  blocks: number;
  lines: number;
}

/**
 * Looks for windows of `plaintexts`, raw and as hex, in every file of the network's folder (the block stores of gateway and nodes, their
 * journals, the indexer's database), in everything on chain and in `lines`, which its processes have printed.
 */
export async function searchNetwork(
  { folder, local }: Pick<Network, 'folder' | 'local'>,
  plaintexts: readonly Plaintext[],
  lines: readonly string[],
): Promise<Search> {
  const needles = plaintexts.flatMap(needlesOf);
  const findings: Finding[] = [];
  const look = (hay: Buffer, where: string): void => {
    for (const { what, bytes } of needles) {
      const known = findings.some((one) => one.what === what && one.where === where);
      if (!known && hay.includes(bytes)) findings.push({ what, where });
    }
  };

  let size = 0;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  const read = files.filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
  for (const file of read) {
    const bytes = readFileSync(file);
    size += bytes.length;
    look(bytes, relative(folder, file));
  }
  const last = await local.publicClient.getBlockNumber();
  for (let number = 0n; number <= last; number += 1n) {
    const block = await local.publicClient.getBlock({ blockNumber: number, includeTransactions: true });
    for (const { input, hash } of block.transactions) look(Buffer.from(input), `transaction ${hash}`);
  }
  look(Buffer.from(lines.join('\n')), 'the lines that processes printed');
  return { findings, files: read.length, bytes: size, blocks: Number(last) + 1, lines: lines.length };
}

/** Windows spread over the plaintext, each raw and as lower-case hex; a short one as a whole. */
function needlesOf({ name, bytes }: Plaintext): { what: string; bytes: Buffer }[] {
  const step = Math.max(1, Math.floor((bytes.length - WINDOW_BYTES) / (WINDOWS - 1)));
  const starts = bytes.length <= WINDOW_BYTES ? [0] : Array.from({ length: WINDOWS }, (_, index) => index * step);
  return [...new Set(starts.filter((start) => start === 0 || start + WINDOW_BYTES <= bytes.length))].flatMap(
    (start) => {
      const window = Buffer.from(bytes.subarray(start, start + WINDOW_BYTES));
      return [window, Buffer.from(window.toString('hex'))].map((needle) => ({ what: name, bytes: needle }));
    },
  );
}
