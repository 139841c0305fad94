import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { marketAbi } from '@dpu/sdk/abi';
import { decodeFunctionData, parseTransaction, type Hex } from 'viem';

/**
 * What happens to a transaction on its way to the chain. `swallow`: it never gets there, and nobody answers. `deafen`: it
 * gets there, but nobody answers.
 */
export type Fault = 'swallow' | 'deafen';

/** An RPC endpoint in front of the real one that can misbehave. */
export interface RpcProxy {
  url: string;
  /** Closed: connections are reset, as by a process that is gone. */
  down: boolean;
  /** Does this to the next transaction that calls `name`, and to everything after it: the process behind is about to die. */
  fault(name: string, fault: Fault): Promise<void>;
  /** Answers again. */
  heal(): void;
  close(): Promise<void>;
}

interface RpcRequest {
  id: number;
  method: string;
  params?: unknown[];
}

/** Starts a proxy in front of `target`. */
export async function startRpcProxy(target: string): Promise<RpcProxy> {
  const sockets = new Set<Socket>();
  let down = false;
  let planned: { name: string; fault: Fault; met: () => void } | undefined;
  let dead = false;

  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    if (down) {
      socket.resetAndDestroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    if (down) return void response.socket?.resetAndDestroy();
    if (dead) return;
    const { method, params } = JSON.parse(body) as RpcRequest;
    const called = method === 'eth_sendRawTransaction' ? nameOf(params?.[0] as Hex) : undefined;
    const met = planned && planned.name === called ? planned : undefined;
    if (met) {
      dead = true;
      planned = undefined;
      if (met.fault === 'deafen') await forward(body);
      met.met();
      return;
    }
    const text = await forward(body);
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  }
  const forward = async (body: string): Promise<string> =>
    (await fetch(target, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).text();

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get down() {
      return down;
    },
    set down(value: boolean) {
      down = value;
      if (value) for (const socket of sockets) socket.resetAndDestroy();
    },
    fault: (name, fault) =>
      new Promise((resolve) => {
        planned = { name, fault, met: resolve };
      }),
    heal() {
      dead = false;
      planned = undefined;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Name of the Market's function that a signed transaction calls. */
function nameOf(raw: Hex): string | undefined {
  const { data } = parseTransaction(raw as `0x02${string}`);
  try {
    return data && decodeFunctionData({ abi: marketAbi, data }).functionName;
  } catch {
    return undefined;
  }
}
