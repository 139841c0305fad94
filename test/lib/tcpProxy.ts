import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

/** A line between a program and a server that can be cut and mended, and that tears by itself if asked to. */
export interface TcpProxy {
  port: number;
  url: string;
  /** Ends every connection and takes no new one. */
  cut(): void;
  mend(): void;
  /** Tears this share of the new connections apart after their first answer's first byte, by a seeded draw. */
  tear(share: number): void;
  close(): Promise<void>;
}

/** Starts a proxy on a free loopback port in front of `target`. Equal seeds tear the same connections. */
export async function startTcpProxy({ target, seed }: { target: number; seed: number }): Promise<TcpProxy> {
  const open = new Set<Socket>();
  const draw = drawsOf(seed);
  let isCut = false;
  let tornShare = 0;
  const server = createServer((client) => {
    if (isCut) return void client.destroy();
    const torn = draw() < tornShare;
    const upstream = connect(target, '127.0.0.1');
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on('data', (piece: Buffer) => {
      if (!torn) return void client.write(piece);
      client.write(piece.subarray(0, 1));
      client.destroy();
    });
    upstream.on('end', () => client.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const destroyAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    cut() {
      isCut = true;
      destroyAll();
    },
    mend() {
      isCut = false;
    },
    tear(share) {
      tornShare = share;
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      destroyAll();
      return closed;
    },
  };
}

/** Numbers in [0, 1), always the same for a seed (mulberry32). */
function drawsOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
