/**
 * A pretended network for working on the pages' looks: an indexer's API, a gateway with real content, and a chain that tells but
 * takes nothing. Nothing here is part of the dApp. Run: `node dev/mock.ts`, then `APP_DEPLOYMENT=../.dpu/mock.json vite dev`.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startGateway } from '@dpu/sdk/gateway/server';
import { HttpBackend } from '@dpu/sdk/storage/httpBackend';

import { Api } from './mock/api.ts';
import { addJobs } from './mock/jobs.ts';
import { liveAnswer } from './mock/live.ts';
import { block, deployment, now, PORT } from './mock/network.ts';
import { Rpc } from './mock/rpc.ts';
import { World } from './mock/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'dpu-mock-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0));

const gateway = await startGateway({ dir: folder });
const world = new World(new HttpBackend({ getHolders: () => [gateway.url], writeTo: gateway.url }));
const { made, cases } = await addJobs(world);
const ids = Object.values(made)
  .map(({ id }) => id)
  .reverse();
const rpc = new Rpc(world.events);
const api = new Api(rpc, world.events, ids);

mkdirSync(new URL('../../.dpu/', import.meta.url), { recursive: true });
const file = new URL('../../.dpu/mock.json', import.meta.url);
const jobs = Object.fromEntries(Object.entries(made).map(([name, { id }]) => [name, id]));
writeFileSync(file, JSON.stringify({ ...deployment, gatewayUrl: gateway.url, jobs: { ...jobs, ...cases } }));

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return parts.length > 0 ? JSON.parse(Buffer.concat(parts).toString()) : undefined;
}

async function rpcAnswer(request: IncomingMessage): Promise<unknown> {
  const body = (await bodyOf(request)) as object;
  const one = ({ id, method, params }: { id: number; method: string; params: never[] }): unknown => {
    try {
      return { jsonrpc: '2.0', id, result: rpc.answer(method, params ?? []) };
    } catch (error) {
      return { jsonrpc: '2.0', id, error: { code: -32601, message: String(error) } };
    }
  };
  return Array.isArray(body) ? body.map(one) : one(body as Parameters<typeof one>[0]);
}

function stream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'access-control-allow-origin': '*' });
  const timer = setInterval(() => {
    response.write(`event: block\ndata: ${JSON.stringify({ number: block(), timestamp: now() })}\n\n`);
  }, 2_000);
  response.on('close', () => clearInterval(timer));
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', deployment.indexerUrl);
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-allow-headers', '*');
  if (request.method === 'OPTIONS') return void response.end();
  if (pathname === '/v1/live' || pathname === '/v1/live/stream') return stream(response);
  const answer = async (): Promise<unknown> =>
    pathname === '/rpc'
      ? rpcAnswer(request)
      : (liveAnswer(pathname, made) ?? (await api.answer(pathname, searchParams, await bodyOf(request))));
  void answer().then(
    (body) => {
      response.statusCode = body === undefined ? 404 : 200;
      response.setHeader('content-type', 'application/json');
      const missing = { type: 'about:blank', title: 'Not Found', status: 404, detail: 'no such thing' };
      response.end(JSON.stringify(body ?? missing));
    },
    (error: unknown) => {
      console.error(error);
      response.statusCode = 500;
      response.end('{}');
    },
  );
});
server.listen(PORT, '127.0.0.1', () => console.log(`pretended network at ${deployment.indexerUrl}`));
