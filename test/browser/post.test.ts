/** How people post, on one network with nodes enough to choose from. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe } from 'vitest';

import { build } from '../../script/build.ts';
import { startNetwork, type Network } from '../../script/network/network.ts';
import { startBrowser } from './browser.ts';
import { postFlows } from './flows/post.ts';
import { privateFlow } from './flows/private.ts';
import type { Stage } from './flows/stage.ts';

let network: Network;
let browser: Browser;

beforeAll(async () => {
  await build(() => {});
  network = await startNetwork({ name: 'browser', runtimes: ['wasm'], nodes: 3 });
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await network?.stop();
});

const stage = (): Stage => ({ network, browser, url: network.appUrl ?? '' });

describe('public', () => postFlows(stage));
describe('private', () => privateFlow(stage));
