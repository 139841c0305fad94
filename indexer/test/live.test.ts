import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { Changes, type Head } from '../src/api/changes.ts';
import { liveRoutes } from '../src/api/live.ts';

const head = (number: number, key = `hash ${number}`): Head => ({ number, timestamp: 1_000 + number, key });

/** Changes over heads given by hand: each read takes the next one, the last one stays. */
function setup(...heads: (Head | undefined | Error)[]) {
  let reads = 0;
  const read = async () => {
    const next = heads[Math.min(reads, heads.length - 1)];
    reads += 1;
    if (next instanceof Error) throw next;
    return next;
  };
  return { changes: new Changes({ everyMs: 1 }, { read }), reads: () => reads };
}

/** The first `count` heads that a listener hears. */
function hear(changes: Changes, count: number): Promise<Head[]> {
  const heard: Head[] = [];
  return new Promise((resolve) => {
    const stop = changes.listen((next) => {
      heard.push(next);
      if (heard.length < count) return;
      stop();
      resolve(heard);
    });
  });
}

/** The first `count` server-sent events. */
async function events(changes: Changes, count: number, heartbeatMs?: number): Promise<string[]> {
  const stop = new AbortController();
  const app = new Hono().route('/', liveRoutes(changes, heartbeatMs));
  const response = await app.request('http://indexer/live', { signal: stop.signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (text.split('\n\n').length <= count) text += (await reader.read()).value;
  await reader.cancel();
  return text.split('\n\n').slice(0, count);
}

describe('changes', () => {
  test('tell each new head once', async () => {
    const { changes } = setup(head(1), head(1), head(2), head(2), head(3));
    expect(await hear(changes, 3)).toEqual([head(1), head(2), head(3)]);
  });

  test('tell a reorg that kept the number', async () => {
    const { changes } = setup(head(7, 'a'), head(7, 'b'));
    expect(await hear(changes, 2)).toEqual([head(7, 'a'), head(7, 'b')]);
  });

  test('outlive a database that is away, and an empty one', async () => {
    const { changes } = setup(new Error('no database'), undefined, head(1));
    expect(await hear(changes, 1)).toEqual([head(1)]);
  });

  test('tell a second listener the newest head at once, without another read', async () => {
    const { changes, reads } = setup(head(1));
    const stop = changes.listen(() => {});
    await hear(changes, 1);
    const before = reads();
    const heard: Head[] = [];
    changes.listen((next) => heard.push(next))();
    expect(heard).toEqual([head(1)]);
    expect(reads()).toBe(before);
    stop();
  });
});

describe('live stream', () => {
  test('sends the newest block at once, then each that follows', async () => {
    const { changes } = setup(head(1), head(2));
    expect(await events(changes, 2)).toEqual([
      'event: block\ndata: {"number":1,"timestamp":1001}\nid: hash 1',
      'event: block\ndata: {"number":2,"timestamp":1002}\nid: hash 2',
    ]);
  });

  test('beats in silence', async () => {
    const { changes } = setup(undefined);
    expect(await events(changes, 2, 1)).toEqual(['event: heartbeat\ndata: {}', 'event: heartbeat\ndata: {}']);
  });
});
