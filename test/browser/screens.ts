/**
 * `npm run screens`: starts a local network, lets a job run, a node lie and a vote pass, and takes a picture of every page at desktop and phone width, in
 * both themes, into docs/screens/, with a page that shows them all.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jobHistory } from '@dpu/sdk/history';
import { Command } from 'commander';
import type { Page } from 'playwright-core';
import { parseEther } from 'viem';

import { build } from '../../script/build.ts';
import { root } from '../../script/native.mjs';
import { followJob, progressOf } from '../../script/network/followJob.ts';
import { startNetwork } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { postTemplate } from '../../script/network/postJob.ts';
import { cheat } from '../../script/scenarios/cheat.ts';
import { govern } from '../../script/scenarios/govern.ts';
import type { Scenario } from '../../script/scenarios/scenario.ts';
import { openPage, settled, startBrowser, VIEWPORTS } from './browser.ts';
import { connect, give, newest } from './flows/stage.ts';
import { installWallet } from './testWallet.ts';

/** A page: the name of its pictures, and where it is. */
interface Shot {
  name: string;
  title: string;
  path: string;
  /** It never stands still: taken as it is. */
  moving?: boolean;
}

const options = new Command('npm run screens --')
  .description('Takes a picture of every page at desktop and phone width, in both themes.')
  .option('--samples <number>', 'light paths for each pixel of the first job', '8')
  .option('--out <folder>', 'where the pictures go', 'docs/screens')
  .option('--language <code>', 'of the pages: en or de', 'en')
  .parse()
  .opts<{ samples: string; out: string; language: string }>();
const folder = join(root, options.out);
mkdirSync(folder, { recursive: true });

const LOOKS = (['light', 'dark'] as const).flatMap((theme) =>
  (Object.keys(VIEWPORTS) as (keyof typeof VIEWPORTS)[]).map((viewport) => ({ theme, viewport })),
);
/** Longest that a page may go on changing, milliseconds: results are fetched and checked, on a machine that also computes them. */
const PATIENCE_MS = 45_000;
/** Tiles of an image come one by one. */
const STILL_MS = 1_500;
/** Of WebP, of 100: text stays sharp, and a page is a few dozen kilobytes. */
const QUALITY = 85;
const fileOf = (name: string, { viewport, theme }: (typeof LOOKS)[number]): string =>
  `${name}-${viewport}-${theme}.webp`;

await build((line) => console.log(line));
const network = await startNetwork({
  name: 'screens',
  runtimes: ['wasm'],
  nodes: cheat.nodes ?? 3,
  ...(cheat.settings && { settings: cheat.settings }),
  onStep: (line) => console.log(line),
});
const browser = await startBrowser();
try {
  for (const file of readdirSync(folder)) if (file.endsWith('.webp')) rmSync(join(folder, file));
  const posted = await postTemplate(network, network.storage, {
    template: 'render',
    options: { samples: Number(options.samples) },
    requester: people.requester,
  });
  const [map, reduce] = posted.ids as [`0x${string}`, `0x${string}`];
  for (;;) {
    const progress = progressOf(await jobHistory(network.local.publicClient, network.deployment, map, { gas: false }));
    if (progress.revealed >= progress.shards / 4) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const shots: Shot[] = [];
  const show = async (some: Shot[], withWallet = false): Promise<void> => {
    await shoot(some, withWallet);
    shots.push(...some);
  };
  await show([{ name: 'job-running', title: 'A job while it runs', path: `/jobs/${map}`, moving: true }]);
  await followJob(network, map);
  await followJob(network, reduce);
  await show([
    { name: 'home', title: 'The network', path: '/' },
    { name: 'jobs', title: 'Jobs', path: '/jobs' },
    { name: 'job', title: 'A job with its result', path: `/jobs/${map}` },
    { name: 'result', title: 'An assembled result', path: `/jobs/${reduce}` },
    { name: 'nodes', title: 'Nodes', path: '/nodes' },
    { name: 'node', title: 'A node', path: `/nodes/${network.nodes[0]?.id}` },
  ]);
  await give(network, people.owner(1).address, parseEther('1000'));
  await show(
    [
      { name: 'post', title: 'Post a job', path: '/post' },
      { name: 'run', title: 'Run a node', path: '/nodes/run' },
      { name: 'stake', title: 'Stake', path: '/stake' },
      { name: 'credits', title: 'Credits', path: '/credits' },
      { name: 'account', title: 'Account', path: '/account' },
    ],
    true,
  );
  const { job: tried } = await play(cheat);
  await show([
    { name: 'job-tried', title: 'A job in which a node lied', path: `/jobs/${tried}` },
    { name: 'court', title: 'The court', path: '/court' },
    { name: 'case', title: 'A case', path: `/court/${await newest(network, 'disputes')}` },
  ]);
  // Last, because the clock leaps over the vote.
  await play(govern);
  await show(
    [
      { name: 'governance', title: 'Governance', path: '/governance' },
      { name: 'proposal', title: 'A proposal', path: `/governance/${await newest(network, 'proposals')}` },
      { name: 'propose', title: 'Propose a change', path: '/governance/new' },
    ],
    true,
  );
  writeFileSync(join(folder, 'README.md'), gallery(shots));
} finally {
  await browser.close();
  await network.stop();
}

function play(scenario: Scenario): ReturnType<Scenario['play']> {
  const print = (line: string): void => console.log(line);
  return scenario.play({ network, template: 'render', settings: {}, print, signal: new AbortController().signal });
}

/** Every page in both themes at both widths; each of the four has a context of its own, so they are taken at the same time. */
async function shoot(shots: Shot[], withWallet = false): Promise<void> {
  await Promise.all(
    LOOKS.map(async (look) => {
      const { page, context, problems } = await openPage(browser, look);
      await context.addInitScript((language) => localStorage.setItem('dpu.language', language), options.language);
      if (withWallet) {
        const { chain, rpcUrl } = network.local;
        await installWallet(page, { account: people.owner(1), chain, rpcUrl });
        await page.goto(`${network.appUrl}/stake`);
        await connect(page);
      }
      for (const { name, path, moving } of shots) {
        await page.goto(`${network.appUrl}${path}`);
        await (moving ? settled(page) : finished(page));
        writeFileSync(join(folder, fileOf(name, look)), await picture(page, look.viewport === 'phone'));
      }
      if (problems.length > 0) console.log(`  problems: ${[...new Set(problems)].join('\n            ')}`);
      await context.close();
    }),
  );
  console.log(`${shots.length * LOOKS.length} pictures in ${folder}`);
}

/** Until everything that the page fetches is there. */
async function finished(page: Page): Promise<void> {
  await settled(page);
  await page
    .waitForFunction(() => !document.querySelector('[data-skeleton], [data-pending]'), null, { timeout: PATIENCE_MS })
    .catch(() => console.log(`  ${page.url()} is still waiting for something`));
  await settled(page, { stillMs: STILL_MS, mostMs: PATIENCE_MS });
}

/** What is to be seen, or the page from its head to its foot. */
async function picture(page: Page, isWhole: boolean): Promise<Buffer> {
  const session = await page.context().newCDPSession(page);
  const { cssContentSize } = await session.send('Page.getLayoutMetrics');
  const { data } = await session.send('Page.captureScreenshot', {
    ...{ format: 'webp', quality: QUALITY },
    ...(isWhole && { captureBeyondViewport: true, clip: { ...cssContentSize, scale: 1 } }),
  });
  await session.detach();
  return Buffer.from(data, 'base64');
}

/** Every page in its four looks, as a document. */
function gallery(shots: Shot[]): string {
  const sections = shots.map(({ name, title }) => {
    const cells = LOOKS.map((look) => `![${title}, ${look.viewport}, ${look.theme}](${fileOf(name, look)})`);
    const columns = LOOKS.map(({ viewport, theme }) => `${viewport}, ${theme}`);
    return [
      `## ${title}`,
      '',
      `| ${columns.join(' | ')} |`,
      `|${' --- |'.repeat(LOOKS.length)}`,
      `| ${cells.join(' | ')} |`,
    ].join('\n');
  });
  const head =
    '# Every page\n\nMade by `npm run screens` on a local network in which a job ran, a node lied and was tried, and a vote changed the fee.';
  return `${[head, ...sections].join('\n\n')}\n`;
}
