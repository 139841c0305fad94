import { spawn } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ReadableStream } from 'node:stream/web';
import { fileURLToPath } from 'node:url';
import { startGateway } from '@dpu/sdk/gateway/server';
import { iterate } from '@dpu/sdk/storage/bytes';
import { HttpBackend } from '@dpu/sdk/storage/httpBackend';
import { recover, serveHolder } from './lib/copies.ts';
import { benchEncryption } from './lib/encryption.ts';
import { judge, report } from './lib/report.ts';
import type { BenchResult } from './lib/report.ts';

/**
 * Throughput and memory of the storage plane between processes over loopback: upload into a gateway, verified download, replication
 * to a second gateway, a lost copy made again with its receipt; and how fast private files are sealed. Beside it the plainest thing that does the same job: one HTTP request with a running sha256, and a
 * file synced to disk where the storage plane syncs too. `--full` adds 1 GB, `--json` prints JSON.
 */

/**
 * Shares of the plain copy's speed to reach. A download hashes at both ends where the copy hashes at one; a write also
 * syncs every block by itself. Small files are measured without a target: there the disk's sync time is all.
 */
const TARGETS = { download: 0.5, write: 0.4 };
/** Most memory that a gateway process may ever have, MB: some shards and what a runtime of JavaScript takes, whatever the file's size. */
const MOST_MEMORY = 400;

const SIZES: [label: string, bytes: number][] = [
  ['1 MB', 1e6],
  ['100 MB', 1e8],
  ...(process.argv.includes('--full') ? ([['1 GB', 1e9]] as [string, number][]) : []),
];

/* ROLES OF THE CHILD PROCESSES */

async function serveGateway(dir: string): Promise<void> {
  const gateway = await startGateway({ dir });
  console.log(gateway.url);
}

/** Keeps one file: POST replaces it, synced and hashed; GET streams it. */
async function servePlain(dir: string): Promise<void> {
  const file = join(dir, 'plain');
  const keep = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const hash = createHash('sha256');
    const handle = await open(file, 'w');
    for await (const chunk of request as AsyncIterable<Buffer>) {
      hash.update(chunk);
      await handle.writeFile(chunk);
    }
    await handle.datasync();
    await handle.close();
    response.end(hash.digest('hex'));
  };
  const server = createServer((request, response) => {
    if (request.method === 'POST') void keep(request, response);
    else createReadStream(file, { highWaterMark: 1024 * 1024 }).pipe(response);
  });
  server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
}

interface Child {
  readonly url: string;
  /** Most memory that it ever had, MB; undefined where the system does not say. */
  peak(): Promise<number | undefined>;
  stop(): Promise<void>;
}

async function start(role: 'gateway' | 'plain' | 'holder', origin = ''): Promise<Child> {
  const dir = await mkdtemp(join(tmpdir(), `dpu-bench-${role}-`));
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), role, dir, origin], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    url,
    async peak() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
      const [, kib] = /VmHWM:\s+(\d+) kB/.exec(status) ?? [];
      return kib === undefined ? undefined : (Number(kib) * 1024) / 1e6;
    },
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/* MEASUREMENTS */

/** Random bytes in chunks as a file read gives them, never the same twice, so that no store has them already. */
async function* randomFile(bytes: number): AsyncGenerator<Uint8Array> {
  const seed = randomFillSync(new Uint8Array(1024 * 1024));
  for (let sent = 0, i = 0; sent < bytes; i++) {
    const chunk = seed.slice(0, Math.min(seed.length, bytes - sent));
    new DataView(chunk.buffer).setUint32(0, i);
    sent += chunk.length;
    yield chunk;
  }
}

/** MB/s of `work` on `bytes` bytes; small sizes are repeated, so that a single pause of the machine does not decide. */
async function speed(bytes: number, work: () => Promise<void>): Promise<number> {
  const times = bytes < 1e7 ? 20 : 1;
  const started = performance.now();
  for (let i = 0; i < times; i++) await work();
  return (bytes * times) / 1e6 / ((performance.now() - started) / 1000);
}

async function plainUpload(url: string, bytes: number): Promise<void> {
  const body = ReadableStream.from(randomFile(bytes));
  const response = await fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit);
  await response.text();
}

async function plainDownload(url: string): Promise<void> {
  const hash = createHash('sha256');
  const response = await fetch(url);
  for await (const chunk of iterate(response.body!)) hash.update(chunk);
}

async function measure(
  [label, bytes]: [string, number],
  [plain, one, two, holder]: readonly [Child, Child, Child, Child],
): Promise<BenchResult[]> {
  const backend = new HttpBackend({ getHolders: () => [one.url], writeTo: one.url });
  const replica = new HttpBackend({ getHolders: () => [one.url], writeTo: two.url });
  const plainUp = await speed(bytes, () => plainUpload(plain.url, bytes));
  const plainDown = await speed(bytes, () => plainDownload(plain.url));

  const cids: string[] = [];
  const up = await speed(bytes, async () => {
    cids.push((await backend.addFile(randomFile(bytes))).cid.toString());
  });
  let firstByteMs = 0;
  const down = await speed(bytes, async () => {
    const started = performance.now();
    let received = 0;
    for await (const part of backend.readFile(cids[0]!)) {
      if (received === 0) firstByteMs = performance.now() - started;
      received += part.length;
    }
    if (received !== bytes) throw new Error(`received ${received} of ${bytes} bytes`);
  });
  let next = 0;
  const copy = await speed(bytes, () => replica.pin(cids[next++]!));

  const began = performance.now();
  await recover(holder.url, cids[0]!, 2 * bytes + 1e6);
  const recoveredMs = performance.now() - began;

  const against = (name: string, value: number, baseline: number, share: number): BenchResult => {
    const target = bytes < 1e7 ? {} : { target: baseline * share };
    return judge({ name: `${name} ${label}`, value, unit: 'MB/s', baseline, ...target });
  };
  return [
    against('upload', up, plainUp, TARGETS.write),
    against('verified download', down, plainDown, TARGETS.download),
    against('replication', copy, plainUp, TARGETS.write),
    judge({ name: `first byte ${label}`, value: firstByteMs, unit: 'ms', target: 200, better: 'lower' }),
    judge({
      ...{ name: `lost copy ${label}, asked to receipt`, value: recoveredMs, unit: 'ms', better: 'lower' },
      ...{
        baseline: bytes / 1e3 / plainUp,
        ...(bytes < 1e7 ? {} : { target: bytes / 1e3 / (plainUp * TARGETS.write) }),
      },
    }),
  ];
}

async function main(): Promise<void> {
  const children: Child[] = [];
  try {
    for (const role of ['plain', 'gateway', 'gateway'] as const) children.push(await start(role));
    children.push(await start('holder', children[1]!.url));
    const all = children as [Child, Child, Child, Child];
    // the first request of a process pays for compiling its code
    await measure(['warm-up', 1e6], all);
    const results: BenchResult[] = [];
    for (const size of SIZES) {
      results.push(...(await measure(size, all)));
      for (const [index, name] of [
        [1, 'gateway'],
        [2, 'copying gateway'],
      ] as const) {
        const value = await all[index].peak();
        if (value === undefined) continue;
        results.push(
          judge({ name: `memory of the ${name} ${size[0]}`, value, unit: 'MB', target: MOST_MEMORY, better: 'lower' }),
        );
      }
    }
    results.push(...(await benchEncryption()));
    report('Storage between processes over loopback; baseline is one plain HTTP copy with sha256', results);
  } finally {
    for (const child of children) await child.stop();
  }
}

const [role, dir, origin] = process.argv.slice(2);
if (role === 'gateway') await serveGateway(dir!);
else if (role === 'plain') await servePlain(dir!);
else if (role === 'holder') console.log(await serveHolder(dir!, origin!));
else await main();
