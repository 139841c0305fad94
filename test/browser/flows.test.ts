/** What people do with the dApp besides posting, on one network. Time leaps, so the order counts. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe } from 'vitest';

import { build } from '../../script/build.ts';
import { startNetwork, type Network } from '../../script/network/network.ts';
import { startBrowser } from './browser.ts';
import { creditFlows } from './flows/credits.ts';
import { hostileFlows } from './flows/hostile.ts';
import { keyboardFlow } from './flows/keyboard.ts';
import { lyingFlows } from './flows/lying.ts';
import type { Stage } from './flows/stage.ts';
import { stakeFlows } from './flows/stake.ts';

let network: Network;
let browser: Browser;

beforeAll(async () => {
  await build(() => {});
  network = await startNetwork({ name: 'browser-flows', runtimes: ['wasm'], nodes: 2 });
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await network?.stop();
});

const stage = (): Stage => ({ network, browser, url: network.appUrl ?? '' });

describe('lies', () => lyingFlows(stage));
describe('credits', () => creditFlows(stage, ['phone']));
describe('hostile words', () => hostileFlows(stage));
describe('keyboard', () => keyboardFlow(stage));
describe('stake', () => stakeFlows(stage, ['phone']));
