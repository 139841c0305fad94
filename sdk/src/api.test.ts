import { describe, expect, test } from 'vitest';
import { ApiError, createApi, type LiveBlock, type Stats } from './api.ts';
import { live } from './apiLive.ts';

const STATS = {
  block: 7,
  timestamp: 1_007,
  jobs: { open: 1, running: 0, complete: 0, cancelled: 0, closed: 0 },
  nodes: 1,
  stake: '9000',
  paid: [],
  shardsSettled: 0,
  seatsAllowed: false,
  unitsSettled: '0',
};

/** An API that gets these answers, and the URLs it asked for. */
function setup(...answers: (Response | Error)[]) {
  const urls: string[] = [];
  const api = createApi('http://indexer/', {
    fetch: async (input) => {
      urls.push(String(input));
      const answer = answers.shift()!;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  return { api, urls };
}

const json = (body: unknown, status = 200) => Response.json(body, { status });

describe('createApi', () => {
  test('turns amounts into bigint', async () => {
    const { api, urls } = setup(json(STATS));
    expect(await api.stats()).toEqual({ ...STATS, stake: 9_000n, unitsSettled: 0n });
    expect(urls).toEqual(['http://indexer/v1/stats']);
  });

  test('passes filters and pages as a query', async () => {
    const { api, urls } = setup(json({ items: [], next: null }));
    await api.jobs({ requester: '0xab', state: 'open', limit: 5, cursor: '9' });
    expect(urls).toEqual(['http://indexer/v1/jobs?requester=0xab&state=open&limit=5&cursor=9']);
  });

  test('says null for what the indexer does not know', async () => {
    const problem = { type: 'about:blank', title: 'Not found', status: 404, detail: 'no job' };
    const { api } = setup(json(problem, 404), json(problem, 404));
    expect(await api.job('0x00')).toBeNull();
    expect(await api.node(1)).toBeNull();
  });

  test("throws the indexer's own reason for a refusal", async () => {
    const { api } = setup(
      json({ type: 'about:blank', title: 'Bad request', status: 400, detail: 'limit is 101' }, 400),
    );
    await expect(api.jobs({ limit: 101 })).rejects.toEqual(
      new ApiError('limit is 101', { status: 400, url: 'http://indexer/v1/jobs?limit=101' }),
    );
  });

  test('throws the status of an answer that is no problem document', async () => {
    const { api } = setup(new Response('bad gateway', { status: 502 }));
    await expect(api.stats()).rejects.toMatchObject({ message: 'HTTP 502', status: 502 });
  });

  test('says that nobody answered', async () => {
    const cause = new TypeError('fetch failed');
    const { api } = setup(cause);
    await expect(api.stats()).rejects.toMatchObject({
      message: 'the indexer did not answer at http://indexer/v1/stats; check that it runs',
      status: 0,
      cause,
    });
  });

  test('refuses an answer of another shape', async () => {
    const { api } = setup(json({ ...STATS, stake: 9_000 }));
    await expect(api.stats()).rejects.toMatchObject({
      message: "the indexer's answer has an unexpected shape; are both of the same version?",
      status: 200,
    });
  });

  test("passes the caller's abort on", async () => {
    const stop = new AbortController();
    const reason = new Error('left the page');
    stop.abort(reason);
    const { api } = setup(reason);
    await expect(api.stats({ signal: stop.signal })).rejects.toBe(reason);
  });
});

const stats = (block: number, stake = 1n): Stats => ({
  ...STATS,
  block,
  timestamp: 1_000 + block,
  stake,
  unitsSettled: 0n,
  paid: [],
});

/** Follows without server-sent events until `count` blocks were told; the answers come in order, the last one stays. */
function poll(
  answers: (Stats | Error)[],
  count: number,
  Source: typeof EventSource | null = null,
): Promise<LiveBlock[]> {
  const heard: LiveBlock[] = [];
  return new Promise((resolve) => {
    const stop = live({
      url: 'http://indexer/v1/live',
      EventSource: Source,
      pollMs: 1,
      stats: async () => {
        const next = answers.length > 1 ? answers.shift()! : answers[0]!;
        if (next instanceof Error) throw next;
        return next;
      },
      parse: (data) => JSON.parse(data) as LiveBlock,
      onBlock: (block) => {
        heard.push(block);
        if (heard.length < count) return;
        stop();
        resolve(heard);
      },
    });
  });
}

/** A browser's EventSource whose events are told by hand. */
class FakeSource extends EventTarget {
  static last: FakeSource;
  readonly CLOSED = 2;
  readyState = 1;
  readonly url: string;

  constructor(url: string) {
    super();
    this.url = url;
    FakeSource.last = this;
  }

  close(): void {
    this.readyState = this.CLOSED;
  }
}

describe('live', () => {
  test('without server-sent events, tells every change but the first answer', async () => {
    expect(await poll([stats(1), stats(1), stats(2), new Error('away'), stats(3)], 2)).toEqual([
      { number: 2, timestamp: 1_002 },
      { number: 3, timestamp: 1_003 },
    ]);
  });

  test('without server-sent events, tells a reorg that kept the number', async () => {
    expect(await poll([stats(1, 5n), stats(1, 4n)], 1)).toEqual([{ number: 1, timestamp: 1_001 }]);
  });

  test('tells what the server sends, and closes the source when stopped', async () => {
    const heard = poll([stats(1)], 1, FakeSource as unknown as typeof EventSource);
    const source = FakeSource.last;
    expect(source.url).toBe('http://indexer/v1/live');
    source.dispatchEvent(new MessageEvent('block', { data: '{"number":4,"timestamp":1004}' }));
    expect(await heard).toEqual([{ number: 4, timestamp: 1_004 }]);
    expect(source.readyState).toBe(source.CLOSED);
  });

  test('polls once the source is closed for good, and not while it reconnects', async () => {
    const heard = poll([stats(1), stats(2)], 1, FakeSource as unknown as typeof EventSource);
    const source = FakeSource.last;
    source.readyState = 0;
    source.dispatchEvent(new Event('error'));
    source.readyState = source.CLOSED;
    source.dispatchEvent(new Event('error'));
    expect(await heard).toEqual([{ number: 2, timestamp: 1_002 }]);
  });
});
