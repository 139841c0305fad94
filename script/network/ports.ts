import { createServer } from 'node:net';

/** Ports of a local network, all on loopback and below the ephemeral range, where the system would hand them out at random. */
export const PORTS = { chain: 8545, indexer: 24069, gateway: 24080, nodeGateway: 24100, nodeStatus: 24200, app: 24173 };

/** Thrown when no port near the wanted one is free. */
export class NoFreePort extends Error {
  constructor(wanted: number) {
    super(`No free port between ${wanted} and ${wanted + 40}: end the programs that use them, or free one of them.`);
    this.name = 'NoFreePort';
  }
}

/** The wanted port, or the next free one after it. */
export async function freePort(wanted: number): Promise<number> {
  for (let port = wanted; port <= wanted + 40; port += 1) if (await isFree(port)) return port;
  throw new NoFreePort(wanted);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
