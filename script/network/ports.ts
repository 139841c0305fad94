import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Ports of a local network, all on loopback and below the ephemeral range, where the system would hand them out at random. */
export const PORTS = { chain: 8545, indexer: 24069, gateway: 24080, nodeGateway: 24100, nodeStatus: 24200, app: 24173 };

/** How many ports after the wanted one are tried. */
const REACH = 40;

/** Where a process says which ports it is about to use: between the choice of a port and its use another network may start. */
const CLAIMS = join(tmpdir(), 'dpu-ports');

/** Thrown when no port near the wanted one is free. */
export class NoFreePort extends Error {
  constructor(wanted: number) {
    super(`No free port between ${wanted} and ${wanted + REACH}: end the programs that use them, or free one of them.`);
    this.name = 'NoFreePort';
  }
}

/** The wanted port, or the next free one after it. Other networks on this machine do not get it while this process lives. */
export async function freePort(wanted: number): Promise<number> {
  for (let port = wanted; port <= wanted + REACH; port += 1) {
    if (!claim(port)) continue;
    if (await isFree(port)) return port;
  }
  throw new NoFreePort(wanted);
}

const held = new Set<string>();
process.once('exit', () => {
  for (const file of held) rmSync(file, { force: true });
});

/** Whether this process holds the port now: it did already, nobody does, or who did is gone. */
function claim(port: number): boolean {
  const file = join(CLAIMS, String(port));
  if (held.has(file)) return true;
  mkdirSync(CLAIMS, { recursive: true });
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    if (!linked(mine, file)) {
      if (isAlive(Number(readText(file)))) return false;
      rmSync(file, { force: true });
      if (!linked(mine, file)) return false;
    }
    held.add(file);
    return true;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Gives a written file a second name, which nobody may have: unlike writing there, nobody ever reads half of it. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process may not be signalled, but it is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
