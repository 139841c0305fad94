import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Widths that every page is looked at. */
export const VIEWPORTS = { desktop: { width: 1440, height: 900 }, phone: { width: 360, height: 740 } } as const;

/** What a busy machine may take for one step, milliseconds. */
const MOST_WAIT_MS = 60_000;
/** A page is looked at when nothing has come or gone in it for this long, milliseconds; no longer is waited than that, unless somebody has the time. */
const [STILL_MS, MOST_MS] = [400, 6_000];

/** Starts the installed Chromium, without any traffic of its own. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = INSTALLED.find((path) => existsSync(path));
  return chromium.launch({
    ...(executablePath ? { executablePath } : {}),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/**
 * Whether what the browser complains about is how things work: one holder of several has not got a block; the indexer is a second behind
 * the chain and does not know a job yet, which the page then reads from the chain; or a gateway has not joined the gossip, without which
 * nothing is shown live.
 */
function isExpected(text: string, url: string): boolean {
  return (
    url.includes('/ipfs/') ||
    url.includes('/v1/live/') ||
    (text.includes('404') && /\/v1\/jobs\/0x[0-9a-f]{64}$/.test(url))
  );
}

/** A fresh page, and everything that went wrong in it. `bypassCSP` lets a test bring scripts of its own. */
export async function openPage(
  browser: Browser,
  options: { viewport?: keyof typeof VIEWPORTS; theme?: 'dark' | 'light' } = {},
  bypassCSP = false,
): Promise<{ context: BrowserContext; page: Page; problems: string[] }> {
  const context = await browser.newContext({
    viewport: VIEWPORTS[options.viewport ?? 'desktop'],
    colorScheme: options.theme ?? 'light',
    reducedMotion: 'reduce',
    acceptDownloads: true,
    bypassCSP,
  });
  context.setDefaultTimeout(MOST_WAIT_MS);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() !== 'error' || isExpected(message.text(), message.location().url)) return;
    problems.push(`${message.text()} (${message.location().url})`);
  });
  return { context, page, problems };
}

/** Until the page has a headline and its parts have stopped coming and going. Pages poll and listen for ever, so silence of the network says nothing. */
export async function settled(page: Page, { stillMs = STILL_MS, mostMs = MOST_MS } = {}): Promise<void> {
  await page.waitForSelector('h1', { state: 'attached' }).catch((cause: unknown) => {
    throw new Error(`no headline at ${page.url()}`, { cause });
  });
  await page.evaluate(
    ([still, most]) =>
      new Promise<void>((resolve) => {
        const done = (): void => (observer.disconnect(), clearTimeout(timer), clearTimeout(limit), resolve());
        let timer = setTimeout(done, still);
        const limit = setTimeout(done, most);
        const observer = new MutationObserver(() => {
          clearTimeout(timer);
          timer = setTimeout(done, still);
        });
        // A clock that counts every second is no change of the page.
        observer.observe(document.querySelector('main') ?? document.body, { childList: true, subtree: true });
      }),
    [stillMs, mostMs] as const,
  );
}
