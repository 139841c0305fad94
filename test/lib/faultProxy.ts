import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { keccak256, type Hex } from 'viem';

import { describePlan, drawsOf, faultAt, type Spell } from './faultPlan.ts';

/** A JSON-RPC endpoint in front of another one that misbehaves by plan. */
export interface FaultProxy {
  url: string;
  /** Requests so far: the index of the next one. */
  readonly requests: number;
  /** How often each fault hit. */
  readonly hits: Readonly<Record<string, number>>;
  /** The plan, to be printed where something went wrong. */
  readonly plan: string;
  /** Calm from now on. */
  heal(): void;
  /** Other weather from now on, its requests counted from 0. */
  turn(seed: number, plan: readonly Spell[]): void;
  close(): Promise<void>;
}

interface Call {
  id: number;
  method: string;
  params: unknown[];
}

/** Position of the block tag among the parameters of a question about state. */
const TAGGED: Readonly<Record<string, number>> = {
  eth_call: 1,
  eth_getBalance: 1,
  eth_getTransactionCount: 1,
  eth_getStorageAt: 2,
  eth_getCode: 1,
};
/** Longest time by which an answer comes late, milliseconds. */
const LATE_MS = 60;

/** Starts a proxy in front of `target` on a free loopback port. Equal seeds and plans do the same to the same requests. */
export async function startFaultProxy(
  target: string,
  seedAtFirst: number,
  planAtFirst: readonly Spell[],
): Promise<FaultProxy> {
  let [seed, plan] = [seedAtFirst, planAtFirst];
  const sockets = new Set<Socket>();
  const hits: Record<string, number> = {};
  let requests = 0;
  let calm = false;

  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  async function forward(call: object): Promise<Record<string, unknown>> {
    const body = JSON.stringify({ jsonrpc: '2.0', ...call });
    const response = await fetch(target, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return (await response.json()) as Record<string, unknown>;
  }
  async function head(): Promise<number> {
    return Number((await forward({ id: 1, method: 'eth_blockNumber', params: [] }))['result'] as Hex);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const call = JSON.parse(Buffer.concat(pieces).toString()) as Call;
    const index = requests;
    requests += 1;
    const spell = calm ? undefined : faultAt(plan, seed, index);
    const answer = await misbehave(call, spell, drawsOf(seed + index));
    if (spell && answer.done) hits[spell.fault] = (hits[spell.fault] ?? 0) + 1;
    if (answer.body === undefined) return void response.socket?.resetAndDestroy();
    response
      .writeHead(answer.status ?? 200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ ...answer.body, id: call.id }));
  }

  /** `done`: the fault applied to this call. Without a body nobody answers. */
  async function misbehave(
    call: Call,
    spell: Spell | undefined,
    draw: () => number,
  ): Promise<{ body?: object; status?: number; done?: boolean }> {
    const { method } = call;
    const isSend = method === 'eth_sendRawTransaction';
    switch (spell?.fault) {
      case undefined:
        return { body: await forward(call) };
      case 'error':
        return draw() < 0.5
          ? { status: 429, body: { error: { code: -32005, message: 'too many requests' } }, done: true }
          : { body: { error: { code: -32603, message: 'internal error' } }, done: true };
      case 'silence':
      case 'flap':
        return { done: true };
      case 'lag':
      case 'stale':
        if (isSend) return { body: await forward(call) };
        return { body: await asOf(call, spell.depth), done: true };
      case 'drop':
        if (!isSend) return { body: await forward(call) };
        return { body: { result: keccak256(call.params[0] as Hex) }, done: true };
      case 'duplicate': {
        const body = await forward(call);
        if (isSend) await forward(call);
        return { body, done: isSend };
      }
      case 'hide':
      case 'forge': {
        const body = await forward(call);
        const logs = body['result'];
        if (method !== 'eth_getLogs' || !Array.isArray(logs) || logs.length === 0) return { body };
        const victim = Math.floor(draw() * logs.length);
        const result =
          spell.fault === 'hide'
            ? logs.filter((_, at) => at !== victim)
            : logs.map((log: { data: Hex }, at) => (at === victim ? { ...log, data: flipped(log.data) } : log));
        return { body: { ...body, result }, done: true };
      }
      case 'reorder':
        await sleep(Math.floor(draw() * LATE_MS));
        return { body: await forward(call), done: true };
    }
  }

  /** The answer as an endpoint gives it that is `depth` blocks behind. */
  async function asOf(call: Call, depth: number): Promise<object> {
    const seen = Math.max(0, (await head()) - depth);
    const tag = `0x${seen.toString(16)}`;
    const beyond = (block: unknown): boolean => typeof block === 'string' && Number(block) > seen;
    const { method, params } = call;
    if (method === 'eth_blockNumber') return { result: tag };
    if (method === 'eth_getBlockByNumber') {
      if (beyond(params[0])) return { result: null };
      const known = typeof params[0] === 'string' && params[0].startsWith('0x');
      return forward({ ...call, params: [known ? params[0] : tag, params[1]] });
    }
    if (method === 'eth_getLogs') {
      const [filter] = params as [{ fromBlock: string; toBlock: string }];
      if (beyond(filter.fromBlock)) return { result: [] };
      return forward({ ...call, params: [{ ...filter, toBlock: beyond(filter.toBlock) ? tag : filter.toBlock }] });
    }
    if (method === 'eth_getTransactionReceipt') {
      const body = await forward(call);
      const receipt = body['result'] as { blockNumber: string } | null;
      return receipt && beyond(receipt.blockNumber) ? { ...body, result: null } : body;
    }
    const at = TAGGED[method];
    if (at === undefined) return forward(call);
    return forward({ ...call, params: params.map((value, index) => (index === at ? tag : value)) });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get requests() {
      return requests;
    },
    hits,
    get plan() {
      return describePlan(seed, plan);
    },
    heal() {
      calm = true;
    },
    turn(nextSeed, nextPlan) {
      [seed, plan, requests, calm] = [nextSeed, nextPlan, 0, false];
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The same bytes but for the last one. */
function flipped(data: Hex): Hex {
  if (data.length < 4) return data;
  const last = (Number.parseInt(data.slice(-2), 16) ^ 1).toString(16).padStart(2, '0');
  return `${data.slice(0, -2)}${last}` as Hex;
}
