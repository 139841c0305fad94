import { Agent, request } from 'node:http';
import { connect } from 'node:net';

import { TABLES } from '../../../indexer/src/verify/dump.ts';
import { startChain } from '../../../indexer/test/lib/chain.ts';
import { startIndexer } from '../../../indexer/test/lib/ponder.ts';
import { postgresBin, startPostgres } from '../../../indexer/test/lib/postgres.ts';
import { post, prepare, idOf } from '../../../indexer/test/lib/story.ts';
import { getTableName } from 'drizzle-orm';
import { drawsOf } from '../../lib/faultPlan.ts';
import { count, type Campaign, type Report } from '../stories.ts';
import { makeRequest, type Asked, type Known } from './requestMaker.ts';

/** An answer that took longer is a violation: two seconds, and what a busy machine adds. */
const LATE_MS = 2_500;
/** Times that an answer must be late while a control is answered this quickly; how often all that is tried. */
const [CONFIRMED, QUICK_MS, MOST_TRIES] = [2, 250, 20];
/** What is said of an answer that never came. */
const SILENT = 'no answer within 10 s';
/** Requests that are on their way at once: fewer than what the indexer sheds. */
const AT_ONCE = 12;
/** Text that must be in no answer. */
const LEAK = /node_modules|\bat [\w.<>]+ \(|\.[tj]s:\d+|\/home\/|\/root\/|postgres(ql)?:\/\//;
/** The only 503s that are documented. */
const DOCUMENTED = /urn:dpu:problem:(overloaded|query-timeout|not-ready)"|"code":"TIMEOUT"/;
/** How long a stream is read. */
const STREAM_MS = 20;

interface Answered {
  status: number;
  type: string;
  body: string;
  ms: number;
}

/** Hostile requests against a real indexer on a real database: each is answered in time, or refused as documented. */
export const requests: Campaign = async (seed, runs) => {
  const report: Report = { done: 0, violations: [], actions: new Map() };
  const bin = postgresBin();
  const [chain, postgres] = await Promise.all([startChain(), bin ? startPostgres(bin) : undefined]);
  const database = postgres ? { DATABASE_URL: postgres.url } : { PONDER_PGLITE_DIR: 'memory://' };
  // Callers are told apart by the header that hostile requests make up: else the first that guesses shuts all others out.
  const env = {
    ...{ PONDER_API_RATE: '1000000', PONDER_API_PROXY: '1', PONDER_ACCOUNT_ORIGINS: 'http://127.0.0.1:24173' },
    ...(postgres === undefined && { PONDER_ACCOUNT_DIR: 'memory://' }),
  };
  const indexer = await startIndexer({ ...chain.env, ...database, ...env });
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  try {
    await prepare(chain);
    const terms = await post(chain);
    await indexer.reach(await chain.client.getBlockNumber());
    const known = await knownOf(indexer.url, [idOf(chain, terms), terms.requester, '1', '2']);
    const control = async () => {
      const from = performance.now();
      await fetch(`${indexer.url}/v1/status`);
      return performance.now() - from;
    };
    const turns = new Turns();
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < runs) {
        const index = next++;
        const asked = makeRequest(drawsOf(seed + index), known);
        const tried = async () => ask(indexer.url, agent, asked).catch((error: unknown) => String(error));
        let answered = await turns.among(tried);
        if (isLate(answered)) answered = await turns.alone(() => unhurried(tried, control));
        const wrong = wrongOf(asked, answered);
        report.done += 1;
        const status = typeof answered === 'string' ? 'failed' : `${answered.status}`;
        count(report.actions, `${asked.kind}_${status}`, wrong === undefined);
        if (wrong !== undefined) {
          const what = `${asked.method} ${asked.path.slice(0, 300)}\n  ${asked.body?.slice(0, 300) ?? ''}`;
          report.violations.push(`request of seed ${seed + index}: ${wrong}\n  ${what}`);
          // At once: a campaign that is stopped has told what it found.
          console.error(report.violations.at(-1));
        }
        if (report.done % 5_000 === 0)
          console.error(`${report.done} of ${runs}, ${report.violations.length} violations`);
        if (report.done % 1_000 === 0 && (await fetch(`${indexer.url}/v1/stats`)).status !== 200)
          report.violations.push(`after request ${report.done} the indexer does not answer any more`);
        if (indexer.child.process.exitCode !== null) {
          report.violations.push(`the indexer ended after request ${report.done}`);
          return;
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    agent.destroy();
    await indexer.stop();
    await Promise.all([chain.stop(), postgres?.stop()]);
  }
  return report;
};

/** The routes as the indexer's own document has them. */
async function knownOf(url: string, ids: string[]): Promise<Known> {
  interface Operation {
    parameters?: { name: string; in: string }[];
  }
  const document = (await (await fetch(`${url}/v1/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Operation>>;
  };
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [] }]) => ({
      ...{ method: method.toUpperCase(), path },
      parameters: parameters.filter((one) => one.in === 'query').map(({ name }) => name),
    })),
  );
  return {
    routes: routes.filter(({ path }) => path !== '/v1/live'),
    ids,
    tables: TABLES.map((table) => getTableName(table)),
  };
}

const isLate = (answered: Answered | string): boolean =>
  typeof answered === 'string' ? answered.includes(SILENT) : answered.ms > LATE_MS;

/** Lets many ask at once, or one alone. */
class Turns {
  #asking = 0;
  #alone: Promise<unknown> = Promise.resolve();
  #left: (() => void) | undefined;

  /** Asks when nobody asks alone. */
  async among<T>(ask: () => Promise<T>): Promise<T> {
    for (let before; before !== this.#alone; await before) before = this.#alone;
    this.#asking += 1;
    try {
      return await ask();
    } finally {
      this.#asking -= 1;
      if (this.#asking === 0) this.#left?.();
    }
  }

  /** Asks when nobody else does, while all others wait. */
  alone<T>(ask: () => Promise<T>): Promise<T> {
    const before = this.#alone;
    const mine = before.then(async () => {
      if (this.#asking > 0) await new Promise<void>((resolve) => (this.#left = resolve));
      this.#left = undefined;
      return ask();
    });
    this.#alone = mine.catch(() => undefined);
    return mine;
  }
}

/**
 * On a busy machine everything is late now and then. What is late by itself is late too when a question that costs nothing is answered at once: asked again
 * until it is in time, or `CONFIRMED` times late beside a quick control.
 */
async function unhurried(tried: () => Promise<Answered | string>, control: () => Promise<number>) {
  let [confirmed, last] = [0, await tried()];
  for (let times = 0; times < MOST_TRIES && confirmed < CONFIRMED && isLate(last); times += 1) {
    const before = await control();
    last = await tried();
    if (isLate(last) && Math.max(before, await control()) < QUICK_MS) confirmed += 1;
  }
  return last;
}

/** What is wrong with an answer; undefined when nothing is. */
function wrongOf(asked: Asked, answered: Answered | string): string | undefined {
  // Whatever is no HTTP may be cut off.
  if (typeof answered === 'string') return asked.kind === 'raw' ? undefined : `no answer: ${answered}`;
  const { status, type, body, ms } = answered;
  if (ms > LATE_MS) return `took ${Math.round(ms)} ms`;
  const leak = LEAK.exec(body);
  if (leak && type !== 'text/html')
    return `tells of itself: ${body.slice(Math.max(0, leak.index - 60), leak.index + 100)}`;
  if (status >= 500 && !(status === 503 && DOCUMENTED.test(body))) return `status ${status}: ${body.slice(0, 200)}`;
  // A head that is too long never gets to the API: the server of HTTP refuses it, without a word (docs/api.md).
  const isUnread = status === 431 && body === '';
  const isProblem = status >= 400 && asked.path.startsWith('/v1') && asked.method !== 'HEAD' && !isUnread;
  if (isProblem && type !== 'application/problem+json') return `status ${status} without problem details: ${type}`;
  return undefined;
}

function ask(url: string, agent: Agent, asked: Asked): Promise<Answered> {
  const { hostname, port } = new URL(url);
  const from = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  if (asked.raw !== undefined) {
    const socket = connect(Number(port), hostname, () => socket.write(asked.raw!, 'latin1'));
    let body = '';
    const end = (): void => {
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1.1 (\d+)/.exec(body)?.[1] ?? 400), type: '', body, ms: 0 });
    };
    // What waits for more of a body may wait: the connection is ours to close.
    socket.setTimeout(100, end).on('data', (piece) => (body += String(piece)));
    socket.on('end', end).on('error', reject);
    return promise;
  }
  // Node refuses to send some of what a hostile client would: a raw socket has that part.
  const headers = Object.fromEntries(
    Object.entries(asked.headers).filter(([, value]) => /^[\t\x20-\x7e]+$/.test(value)),
  );
  if (asked.body !== undefined) headers['content-length'] = String(Buffer.byteLength(asked.body));
  const sent = request({ hostname, port, agent, method: asked.method, path: asked.path, headers }, (response) => {
    let body = '';
    const status = response.statusCode ?? 0;
    const done = (): void =>
      resolve({
        status,
        body,
        ms: performance.now() - from,
        type: (response.headers['content-type'] ?? '').split(';')[0]!,
      });
    response.setEncoding('utf8').on('data', (text: string) => (body += text));
    response.on('end', done).on('error', reject);
    if (response.headers['content-type']?.startsWith('text/event-stream'))
      setTimeout(() => {
        done();
        sent.destroy();
      }, STREAM_MS);
  });
  sent.setTimeout(10_000, () => sent.destroy(new Error(SILENT)));
  sent.on('error', reject);
  sent.end(asked.body);
  return promise;
}
