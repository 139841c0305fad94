import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';

import { openPage, settled } from '../browser.ts';
import { expectFits, type Stage } from './stage.ts';

/** Every kind of page; `{job}` and the like are filled in from what the flows before have left on the network. */
const PAGES = [
  ...['/', '/post', '/jobs', '/nodes', '/nodes/1', '/nodes/run', '/court', '/stake', '/credits'],
  ...['/governance', '/governance/new', '/account', '/nowhere'],
];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Nothing that axe finds on any page in both themes, and no page that is wider than a phone or moves where nobody wants movement. */
export function everyPage(
  stage: () => Stage,
  more: () => Promise<readonly string[]>,
  themes: readonly ('light' | 'dark')[],
): void {
  test.each(themes)('axe finds nothing on any page in the %s theme', async (theme) => {
    const { browser, url } = stage();
    // A policy that forbids strange scripts would forbid axe too.
    const { page, context } = await openPage(
      browser,
      { viewport: theme === 'light' ? 'phone' : 'desktop', theme },
      true,
    );
    const found: string[] = [];
    for (const path of [...PAGES, ...(await more())]) {
      await page.goto(`${url}${path}`);
      await settled(page);
      await expectFits(page);
      await page.evaluate(AXE);
      found.push(...(await violations(page)).map((one) => `${path}: ${one}`));
    }
    expect(found).toEqual([]);
    await context.close();
  });

  test('pages speak German to who asks for it, and remember it', async () => {
    const { browser, url } = stage();
    const { page, context, problems } = await openPage(browser, { viewport: 'phone' });
    await page.goto(`${url}/stake`);
    await page.getByRole('heading', { level: 1, name: 'Stake' }).waitFor();
    await page.getByLabel('Language').selectOption({ label: 'Deutsch' });
    await page.getByRole('heading', { level: 1, name: 'Einlage' }).waitFor();
    for (const path of PAGES) {
      await page.goto(`${url}${path}`);
      await settled(page);
      expect(await page.evaluate(() => document.documentElement.lang), path).toBe('de');
      await expectFits(page);
    }
    await page.getByLabel('Sprache').selectOption({ label: 'English' });
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    expect(problems).toEqual([]);
    await context.close();
  });

  test('who wants no movement sees none', async () => {
    const { browser, url } = stage();
    const { page, context } = await openPage(browser, { viewport: 'phone' });
    for (const path of ['/', '/jobs', ...(await more())]) {
      await page.goto(`${url}${path}`);
      await settled(page);
      const moving = await page.evaluate(() =>
        document
          .getAnimations()
          .filter(({ playState, effect }) => playState === 'running' && Number(effect?.getTiming().duration) > 1)
          .map(({ effect }) => (effect as KeyframeEffect).target?.outerHTML.slice(0, 120)),
      );
      expect(moving, path).toEqual([]);
    }
    await context.close();
  });
}

async function violations(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    interface Found {
      id: string;
      nodes: { target: string[] }[];
    }
    const { run } = (globalThis as unknown as { axe: { run(): Promise<{ violations: Found[] }> } }).axe;
    return (await run()).violations.map(({ id, nodes }) => `${id} at ${nodes[0]?.target.join(' ')}`);
  });
}
