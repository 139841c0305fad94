import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { Changes, type NewsSource } from '../src/api/changes.ts';
import { liveRoutes, type LiveOptions } from '../src/api/live.ts';
import { onError } from '../src/api/problem.ts';
import { eventId } from './lib/world.ts';

const JOB = `0x${'1b'.repeat(32)}` as const;
const hashOf = (part: string) => `0x${part.repeat(32)}` as const;

/** A chain of events that a test writes, and takes back. */
class Chain implements NewsSource {
  events: { block: number; part: string; job: `0x${string}` | null; node: number | null }[] = [];
  failures = 0;
  reads = 0;

  add(block: number, part = 'aa', of: { job?: typeof JOB; node?: number } = {}): this {
    this.events.push({ block, part, job: of.job ?? null, node: of.node ?? null });
    return this;
  }

  async head() {
    this.reads += 1;
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('no database');
    }
    const last = this.events.at(-1);
    if (!last) return undefined;
    return { key: `${last.part} ${last.block}`, number: last.block, timestamp: 1_000 + last.block };
  }

  async since(event: string, limit: number) {
    return this.events
      .filter(({ block }) => eventId(block) > event)
      .slice(0, limit)
      .map(({ block, part, job, node }) => ({
        ...{ id: eventId(block), type: 'staked' as const, job, first: null, node, account: null, amount: null },
        ...{ currency: null, block, timestamp: 1_000 + block, transaction: hashOf(part) },
      }));
  }

  async transactionOf(event: string) {
    const found = this.events.find(({ block }) => eventId(block) === event);
    return found && hashOf(found.part);
  }

  async newest() {
    const last = this.events.at(-1);
    return last && { id: eventId(last.block), transaction: hashOf(last.part) };
  }
}

interface Told {
  event: string;
  id: string;
  data: Record<string, unknown>;
}

/** Opens a stream; `next` resolves with the next thing that it says, comments as text. */
async function listen(
  chain: Chain,
  { path = '/live', last, ...options }: LiveOptions & { path?: string; last?: string } = {},
) {
  const app = new Hono();
  app.onError(onError);
  app.route('/', liveRoutes(new Changes({ everyMs: 1 }, { source: chain }), options));
  const response = await app.request(`http://indexer${path}`, { headers: last ? { 'last-event-id': last } : {} });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const nextText = async (): Promise<string> => {
    while (!text.includes('\n\n')) {
      const { value, done } = await reader.read();
      if (done) throw new Error('the stream ended');
      text += value;
    }
    const [one, ...rest] = text.split('\n\n');
    text = rest.join('\n\n');
    return one!;
  };
  const next = async (): Promise<Told> => {
    const block = await nextText();
    if (block.startsWith(':')) return next();
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
    return { event: field('event'), id: field('id'), data: JSON.parse(field('data')) as Record<string, unknown> };
  };
  return { app, response, next, nextText, stop: () => reader.cancel() };
}

const id = (block: number, part = 'aa') => `${eventId(block)}.${part.repeat(4)}`;

describe('live stream', () => {
  test('tells the newest block at once, then each event and the block that it is in', async () => {
    const chain = new Chain().add(1);
    const { next, stop } = await listen(chain);
    expect(await next()).toEqual({ event: 'block', id: id(1), data: { number: 1, timestamp: 1_001 } });
    chain.add(2);
    expect(await next()).toMatchObject({ event: 'activity', id: id(2), data: { block: 2, type: 'staked' } });
    expect(await next()).toEqual({ event: 'block', id: id(2), data: { number: 2, timestamp: 1_002 } });
    await stop();
  });

  test('tells a reorg that kept the number as a reset', async () => {
    const chain = new Chain().add(1).add(2, 'aa');
    const { next, stop } = await listen(chain);
    await next();
    chain.events.pop();
    chain.add(2, 'bb');
    expect(await next()).toEqual({ event: 'reset', id: id(2, 'bb'), data: { reason: 'reorg' } });
    expect(await next()).toMatchObject({ event: 'block', data: { number: 2 } });
    await stop();
  });

  test('goes on after what a client heard last', async () => {
    const chain = new Chain().add(1).add(2).add(3);
    const { next, stop } = await listen(chain, { last: id(1) });
    expect(await next()).toMatchObject({ event: 'activity', id: id(2) });
    expect(await next()).toMatchObject({ event: 'activity', id: id(3) });
    await stop();
  });

  test.each([
    ['an event of another chain', id(2, 'bb')],
    ['an event that is not there', id(9)],
    ['nonsense', 'x'.repeat(200)],
  ])('a client that heard %s reads all again', async (_name, last) => {
    const { next, stop } = await listen(new Chain().add(1).add(2).add(3), { last });
    expect(await next()).toMatchObject({ event: 'reset', data: { reason: 'missed' } });
    await stop();
  });

  test('one that missed more than five hundred events reads all again', async () => {
    const chain = new Chain();
    for (let block = 1; block <= 502; block += 1) chain.add(block);
    const late = await listen(chain, { last: id(1) });
    expect(await late.next(), 'five hundred and one').toMatchObject({ event: 'reset' });
    await late.stop();
    const intime = await listen(chain, { last: id(2) });
    expect(await intime.next(), 'five hundred').toMatchObject({ event: 'activity', id: id(3) });
    await intime.stop();
  });

  test('leaves out events of others where a job or a node is asked for, and no block', async () => {
    const chain = new Chain().add(1);
    const { next, stop } = await listen(chain, { path: `/live?job=${JOB.toUpperCase().replace('0X', '0x')}&node=7` });
    await next();
    chain.add(2, 'aa', { job: JOB, node: 6 }).add(3, 'aa', { job: JOB, node: 7 }).add(4, 'aa', { node: 7 });
    expect(await next()).toMatchObject({ event: 'activity', data: { block: 3 } });
    expect(await next()).toMatchObject({ event: 'block', data: { number: 4 } });
    await stop();
  });

  test('keeps a silent connection open with comments', async () => {
    const { nextText, stop } = await listen(new Chain(), { heartbeatMs: 1 });
    expect(await nextText()).toBe(': still here');
    expect(await nextText()).toBe(': still here');
    await stop();
  });

  test('outlives a database that is away', async () => {
    const chain = new Chain().add(1);
    chain.failures = 3;
    const { next, stop } = await listen(chain);
    expect(await next()).toMatchObject({ event: 'block', data: { number: 1 } });
    await stop();
  });

  test('one stream more than there may be is refused, and one that ends makes room', async () => {
    const first = await listen(new Chain().add(1), { streams: 1 });
    await first.next();
    const refused = await first.app.request('http://indexer/live');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('10');
    expect(await refused.json()).toMatchObject({ type: 'urn:dpu:problem:overloaded', status: 503 });
    await first.stop();
    await expect.poll(async () => (await first.app.request('http://indexer/live')).status).toBe(200);
  });
});
