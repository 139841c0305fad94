/**
 * Looks at pages of the pretended network: a picture of each at desktop and phone width in both themes, and what axe finds wrong.
 * Run beside `dev/mock.ts` and a server of the pages: `node dev/look.ts <address> [--only post,job] [--out folder] [--language de]
 * [--demo]`.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright-core';

import { pagesOf } from './pages.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    out: { type: 'string', default: '/tmp/dpu-look' },
    /** Which of desktop and phone, light and dark. */
    views: { type: 'string', default: 'desktop-light,phone-dark' },
    /** Connects the demo wallet first. */
    demo: { type: 'boolean', default: false },
    /** Which of the pages' languages. */
    language: { type: 'string', default: 'en' },
  },
});
const base = positionals[0] ?? 'http://127.0.0.1:5173';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const config = (await (await fetch(`${base}/config.json`)).json()) as { jobs?: Record<string, string> };
const pages = Object.entries(pagesOf(config.jobs ?? {})).filter(
  ([name]) => !values.only || values.only.split(',').includes(name),
);
mkdirSync(values.out, { recursive: true });

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
let wrong = 0;
for (const view of values.views.split(',')) {
  const [size, theme] = view.split('-') as ['desktop' | 'phone', 'light' | 'dark'];
  const context = await browser.newContext({
    viewport: size === 'desktop' ? { width: 1440, height: 900 } : { width: 360, height: 780 },
    colorScheme: theme,
    reducedMotion: 'reduce',
    bypassCSP: true,
  });
  if (values.demo) {
    await context.addInitScript(() => {
      localStorage.setItem('dpu.demo.allowed', '1');
      localStorage.setItem('dpu.recentConnectorId', '"network.dpu.demo"');
    });
  }
  await context.addInitScript((language) => localStorage.setItem('dpu.language', language), values.language);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    // Only one of the places that are asked for live news has some here.
    if (message.type() === 'error' && !message.location().url.includes('/v1/live/')) problems.push(message.text());
  });
  for (const [name, path] of pages) {
    problems.length = 0;
    await page.goto(`${base}${path}`);
    await settled(page);
    await page.screenshot({ path: join(values.out, `${name}-${view}.png`), fullPage: true });
    const found = await violations(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) problems.push(`the page is ${wide} pixels too wide`);
    wrong += found.length + problems.length;
    console.log(`${name} ${view}: ${found.length + problems.length === 0 ? 'nothing wrong' : ''}`);
    for (const line of [...found, ...new Set(problems)]) console.log(`  ${line}`);
  }
  await context.close();
}
await browser.close();
process.exitCode = wrong > 0 ? 1 : 0;

/** Waits until nothing that loads is shown any more, but not for ever: pages listen as long as they live. */
async function settled(page: Page): Promise<void> {
  await page.waitForSelector('h1', { timeout: 60_000 });
  await page.waitForTimeout(1_000);
  await page
    .waitForFunction(() => !document.querySelector('[data-skeleton]'), { timeout: 8_000 })
    .catch(() => undefined);
  await page.waitForTimeout(500);
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    type Found = { id: string; help: string; nodes: { target: unknown[]; failureSummary?: string }[] };
    const { run } = (globalThis as unknown as { axe: { run(): Promise<{ violations: Found[] }> } }).axe;
    const { violations: all } = await run();
    return all.map(({ id, help, nodes }) => {
      const where = nodes
        .slice(0, 3)
        .map(({ target, failureSummary = '' }) => `${String(target[0])} ${failureSummary.split('\n')[1] ?? ''}`);
      return `${id}: ${help} (${nodes.length}): ${where.join(' | ')}`;
    });
  });
}
