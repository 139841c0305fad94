import type { GossipLog } from '@dpu/sdk/gossip/gossip';
import { Hono } from 'hono';

import { createLog } from '../log.ts';
import { NOT_LISTENING, type LiveFacts } from './facts.ts';
import { openLive, type Live } from './live.ts';
import { liveSettings } from './settings.ts';

/** Debug lines of a listener help nobody who runs an indexer. */
const log = createLog('gossip');
const LOG: GossipLog = { debug: () => {}, warn: (message, facts) => log.warn(message, facts ?? {}) };

/** `ponder dev` runs the API's files again after each change: the place in the network that the earlier ones opened must be given up first. */
const scope = globalThis as typeof globalThis & { dpuIndexerLive?: Live };

/** The live part as the environment wants it, with its routes; `heard` is told the topic of each word of a node. */
export async function mountedLive(
  env: Readonly<Record<string, string | undefined>>,
  heard: (topic: string) => void = () => {},
): Promise<LiveFacts & { routes: Hono }> {
  await scope.dpuIndexerLive?.close();
  delete scope.dpuIndexerLive;
  const settings = liveSettings(env);
  if (!settings) return { ...NOT_LISTENING, routes: new Hono() };
  return (scope.dpuIndexerLive = openLive(settings, { log: LOG, now: Date.now, heard }));
}
