import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { openBridge, type Bridge, type BridgeOptions } from '@dpu/sdk/gossip/bridge';
import type { GossipLog } from '@dpu/sdk/gossip/gossip';
import type { Checked } from '@dpu/sdk/gossip/guard';
import { liveRoutes } from '@dpu/sdk/gossip/liveRoutes';
import type { GossipTopic } from '@dpu/sdk/gossip/topics';
import { Hono } from 'hono';

import { countDeclines, heartbeatJson, type LiveFacts } from './facts.ts';
import { PresenceBook } from './presenceBook.ts';
import type { LiveSettings } from './settings.ts';
import { StatementBook } from './statementBook.ts';

/** What the live part works with. */
export interface LiveDeps {
  log: GossipLog;
  /** Unix milliseconds. */
  now: () => number;
  /** Told the topic of each word that is heard. */
  heard?: (topic: string) => void;
  /** Opens the place in the network. */
  open?: (options: BridgeOptions) => Promise<Bridge>;
}

/** The live part of an indexer. */
export interface Live extends LiveFacts {
  /** Mount at the root: nodes ask `GET /v1/peer` before they let this indexer in. */
  readonly routes: Hono;
  close(): Promise<void>;
}

const EXPIRE_MS = 60_000;
/** Pause before the network is joined again after a failure, milliseconds: twice as long each time. */
const RETRY_MS = { first: 1_000, most: 60_000 };

/**
 * Joins the network between the nodes as a listener, and keeps what it hears in `<dir>/statements.sqlite`, and when it heard whom in
 * `<dir>/presence.sqlite`. Answers at once: what was heard before is there from the start, `/v1/live/*` is 503 until the network is joined. A network that
 * cannot be joined is tried again for ever; the API does not wait for it.
 */
export function openLive(settings: LiveSettings, { log, now, heard = () => {}, open = openBridge }: LiveDeps): Live {
  const book = new StatementBook(join(settings.dir, 'statements.sqlite'));
  const presence = new PresenceBook(join(settings.dir, 'presence.sqlite'));
  const forget = (): void => {
    book.expire(now());
    presence.expire(now());
  };
  forget();
  const closing = new AbortController();
  const { signal } = closing;
  let bridge: Bridge | undefined;

  const join_ = async (): Promise<void> => {
    for (let pauseMs = RETRY_MS.first; !signal.aborted; pauseMs = Math.min(RETRY_MS.most, 2 * pauseMs)) {
      try {
        const opened = await open({ ...settings, log });
        for (const statement of book.fresh(now())) opened.gossip.live.add(statement);
        opened.subscribe((statement) => {
          book.add(statement);
          if (isHeartbeat(statement)) presence.heard(statement.node, statement.said.healthy, now());
          heard(statement.topic);
        });
        bridge = opened;
        return;
      } catch (error) {
        log.warn('The network between the nodes cannot be joined yet', { error });
        await pause(pauseMs, signal);
      }
    }
  };
  const expire = async (): Promise<void> => {
    while (await pause(EXPIRE_MS, signal)) forget();
  };
  const running = Promise.all([join_(), expire()]);

  const facts: LiveFacts = {
    listening: true,
    declinesOf: (job) => countDeclines(job, book.declines(job)),
    heartbeatOf: (node) => {
      const heartbeat = book.heartbeat(node);
      return heartbeat && heartbeatJson(heartbeat);
    },
    uptimeOf: (node) => presence.daysOf(node, now()),
  };
  const routes = new Hono().route(
    '/',
    liveRoutes(() => bridge?.gossip),
  );
  return {
    ...facts,
    routes,
    async close() {
      closing.abort();
      await running;
      await bridge?.close();
      book.close();
      presence.close();
    },
  };
}

const isHeartbeat = (statement: Checked<GossipTopic>): statement is Checked<'heartbeat'> =>
  statement.topic === 'heartbeat';

/** @returns whether the time went by; false when it was ended before. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal, ref: false }).catch(() => false);
}
