import { afterEach, expect, test } from 'vitest';

import { liveRoutes } from './liveRoutes.ts';
import { filterOf } from './filter.ts';
import { idleHeartbeat, TestNetwork } from './testing.ts';
import { digestToCid } from '../storage/cid.ts';

const JOB = new Uint8Array(32).fill(0xab);
const ID = `0x${'ab'.repeat(32)}`;
const CID = digestToCid(ID, 'raw');

let network: TestNetwork | undefined;
afterEach(() => network?.close());

test('before there is a place, everything waits', async () => {
  const app = liveRoutes(() => undefined);
  for (const path of ['/v1/peer', '/v1/live/heartbeats', '/v1/live/stream']) {
    expect((await app.request(path)).status).toBe(503);
  }
});

test('what was said is served, and what is new is streamed', async () => {
  network = new TestNetwork();
  const [place] = await network.startNodes(1);
  const app = liveRoutes(() => place, { streams: 1 });
  const json = async (path: string): Promise<unknown> => (await app.request(path)).json();

  const stream = await app.request(`/v1/live/stream?topics=heartbeat,decline&job=${ID}`);
  expect(stream.headers.get('content-type')).toBe('text/event-stream');
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader.read()).value).toBe(': listening\n\n');
  expect((await app.request('/v1/live/stream')).status).toBe(503);

  await place!.say('heartbeat', idleHeartbeat(5));
  await place!.say('decline', { job: JOB, code: 'slots', at: 9, detail: {} });
  await place!.say('holdings', filterOf([CID]));
  expect((await reader.read()).value).toMatch(/^event: decline\ndata: \{"topic":"decline","node":1,.*"code":"slots"/);
  await reader.cancel();

  expect(await json('/v1/live/heartbeats')).toMatchObject({ items: [{ node: 1, head: 5, celsius: 41 }] });
  expect(await json(`/v1/live/declines?job=${ID}`)).toMatchObject({ items: [{ node: 1, code: 'slots', at: 9 }] });
  expect(await json(`/v1/live/jobs/${ID}/progress`)).toEqual({ job: ID, shards: [] });
  expect(await json(`/v1/live/holders/${CID}`)).toEqual({ cid: CID.toString(), nodes: [1] });
  expect(await json('/v1/peer')).toMatchObject({ peer: place!.peer, statement: expect.stringMatching(/^0x/) });
  for (const path of ['declines?job=0x1', 'jobs/7/progress', 'holders/x', 'stream?topics=weather', 'stream?job=1']) {
    expect([path, (await app.request(`/v1/live/${path}`)).status]).toEqual([path, 400]);
  }
});
