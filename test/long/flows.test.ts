/** The dApp's flows on the screens, and its pages in the theme, that the short suite leaves out. Time leaps, so the order counts. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe } from 'vitest';

import { build } from '../../script/build.ts';
import { startNetwork, type Network } from '../../script/network/network.ts';
import { startBrowser } from '../browser/browser.ts';
import { creditFlows } from '../browser/flows/credits.ts';
import { everyPage } from '../browser/flows/everyPage.ts';
import { governanceFlows } from '../browser/flows/governance.ts';
import { leftPages, type Stage } from '../browser/flows/stage.ts';
import { stakeFlows } from '../browser/flows/stake.ts';

let network: Network;
let browser: Browser;

beforeAll(async () => {
  await build(() => {});
  network = await startNetwork({ name: 'long-flows', runtimes: ['wasm'], nodes: 2 });
  browser = await startBrowser();
}, 600_000);

afterAll(async () => {
  await browser?.close();
  await network?.stop();
});

const stage = (): Stage => ({ network, browser, url: network.appUrl ?? '' });

describe('credits', () => creditFlows(stage, ['desktop']));
describe('stake', () => stakeFlows(stage, ['desktop']));
describe('governance', () => governanceFlows(stage, ['desktop', 'phone']));
describe('every page', () => everyPage(stage, () => leftPages(stage()), ['light', 'dark']));
