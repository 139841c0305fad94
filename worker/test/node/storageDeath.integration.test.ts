/** What becomes of a result when the machines that keep it die, one after the other, at every moment of its life. Every node is a process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { readAll } from '@dpu/sdk/storage/backend';
import { decodeBlock } from '@dpu/sdk/storage/cid';
import { randomBytes } from '@dpu/sdk/storage/fixtures';
import { HttpBackend } from '@dpu/sdk/storage/httpBackend';
import { rankNodes } from '@dpu/sdk/storage/rendezvous';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Command } from './storageProcess.ts';

const NODES = 5;
const OWNER = 1;
const MIB = 1024 * 1024;
const OUTPUT = 3 * MIB + 7;

class Machine {
  readonly id: number;
  readonly #dir: string;
  #child: ChildProcess | undefined;
  #lines: Interface | undefined;
  #gone: Promise<never> | undefined;
  url = '';

  constructor(id: number, dir: string) {
    this.id = id;
    this.#dir = dir;
  }

  async start(): Promise<void> {
    const script = fileURLToPath(new URL('storageProcess.ts', import.meta.url));
    this.#child = spawn(process.execPath, [script, String(this.id), String(NODES), this.#dir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface(this.#child.stdout!);
    this.#gone = once(this.#child, 'exit').then(() => {
      throw new Error(`machine ${this.id} is dead`);
    });
    this.#gone.catch(() => {});
    this.url = String((await once(this.#lines, 'line'))[0]);
  }

  async tell<T>(command: Command): Promise<T> {
    const answered = Promise.race([once(this.#lines!, 'line'), this.#gone!]);
    this.#child!.stdin!.write(`${JSON.stringify(command)}\n`);
    const answer = JSON.parse(String((await answered)[0])) as T & { error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  /** Without warning. The disk stays. */
  async kill(): Promise<void> {
    const gone = once(this.#child!, 'exit');
    this.#child!.kill('SIGKILL');
    await gone;
  }
}

let dir: string;
let machines: Machine[];
const machine = (id: number): Machine => machines[id - 1]!;

async function introduce(): Promise<void> {
  const peers = machines.map(({ id, url }): [number, string] => [id, url]);
  await Promise.all(machines.map((one) => one.tell({ peers })));
}

async function revive(one: Machine): Promise<void> {
  await one.start();
  await introduce();
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dpu-death-'));
  machines = Array.from({ length: NODES }, (_, index) => new Machine(index + 1, join(dir, String(index + 1))));
  await Promise.all(machines.map((one) => one.start()));
  await introduce();
});
afterAll(async () => {
  await Promise.all(machines.map((one) => one.kill()));
  await rm(dir, { recursive: true, force: true });
});

/** Everybody on chain, in the order in which they should hold a root, whoever is dead; `first` is asked before all others. */
function requester(cid: string, first?: Machine): HttpBackend {
  const others = rankNodes(
    cid,
    machines.filter(({ id }) => id !== OWNER),
  );
  const order = [...(first ? [first] : []), machine(OWNER), ...others];
  return new HttpBackend({
    getHolders: () => order.map(({ url }) => url),
    writeTo: machine(OWNER).url,
    patience: { retryMs: 1, triesPerHolder: 1, stallMs: 2_000 },
  });
}

/** Downloads a result from its manifest down and compares it with what was computed. `onPart` is called after each part. */
async function download(backend: HttpBackend, cid: string, seed: number, onPart?: () => Promise<void>): Promise<void> {
  const manifest = decodeBlock(await backend.getBlock(cid)) as { shards: { cid: string }[] };
  const parts: Uint8Array[] = [];
  for await (const part of backend.readFile(manifest.shards[0]!.cid)) {
    parts.push(part);
    await onPart?.();
  }
  expect(Buffer.compare(Buffer.concat(parts), randomBytes(OUTPUT, seed))).toBe(0);
}

const PHASES = ['before receipts', 'between receipts and reveal', 'after the reveal', 'during the download'] as const;
let seed = 0;

describe.each(PHASES)('a machine dies %s', (phase) => {
  test.each(['the owner', 'the first holder', 'the second holder'])('%s', async (who) => {
    seed += 1;
    const owner = machine(OWNER);
    const { cid } = await owner.tell<{ cid: string }>({ store: { seed, bytes: OUTPUT } });
    const [first, second] = rankNodes(
      cid,
      machines.filter(({ id }) => id !== OWNER),
    );
    const victim = who === 'the owner' ? owner : who === 'the first holder' ? first! : second!;

    if (phase === 'before receipts') await victim.kill();
    // the owner comes back: its bond is at stake until it has shown what it promised
    if (phase === 'before receipts' && victim === owner) await revive(owner);
    expect(await owner.tell({ show: cid })).toEqual({ receipts: 3 });
    if (phase === 'between receipts and reveal') {
      await victim.kill();
      if (victim === owner) await revive(owner);
      // it may be shown at once, from what is on the disk
      expect(await owner.tell({ show: cid })).toEqual({ receipts: 3 });
    }
    if (phase === 'after the reveal') await victim.kill();

    let parts = 0;
    const onPart = async (): Promise<void> => {
      parts += 1;
      if (phase === 'during the download' && parts === 1) await victim.kill();
    };
    await download(requester(cid, phase === 'during the download' ? victim : undefined), cid, seed, onPart);

    const revived = victim === owner && (phase === 'before receipts' || phase === 'between receipts and reveal');
    if (!revived) await revive(victim);
  });
});

test('all but one holder die, and it is enough; the copies are made again without being asked for', async () => {
  seed += 1;
  const owner = machine(OWNER);
  const { cid, file } = await owner.tell<{ cid: string; file: string }>({ store: { seed, bytes: OUTPUT } });
  await owner.tell({ show: cid });
  const [first, second, third, fourth] = rankNodes(
    cid,
    machines.filter(({ id }) => id !== OWNER),
  );
  await owner.kill();
  await first!.kill();
  await download(requester(cid), cid, seed);

  // three rounds without an answer make a holder count as gone
  expect(await second!.tell({ round: cid })).toHaveLength(3);
  expect(await second!.tell({ round: cid })).toHaveLength(3);
  const keepers = await second!.tell<number[]>({ round: cid });
  expect(keepers.sort()).toEqual([second!.id, third!.id, fourth!.id].sort());
  for (const one of [third!, fourth!]) {
    const alone = new HttpBackend({ getHolders: () => [one.url], writeTo: one.url });
    expect(Buffer.compare(await readAll(alone, file, OUTPUT), randomBytes(OUTPUT, seed))).toBe(0);
    const told = (await (await fetch(`${one.url}/v1/receipts/${cid}`)).json()) as { receipts: { node: number }[] };
    expect(told.receipts.map(({ node }) => node)).toEqual(expect.arrayContaining(keepers));
  }
  await Promise.all([owner.start(), first!.start()]);
});
