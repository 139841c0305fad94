/**
 * What the dApp costs a person: `npm run bench:app [-- --json]`. Builds it, serves it compressed beside the pretended network of `app/dev`,
 * and measures in the installed Chromium: JavaScript of the first page, its largest paint at a quarter of the processor's speed, layout
 * shift, an arrow key on 10,000 shards, a search among 100,000 nodes, and what axe finds on every page in both themes. `--only page,axe` leaves
 * out the rest, `--no-build` takes what was built before.
 */
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { execa } from 'execa';
import type { Browser, Page } from 'playwright-core';

import { pagesOf } from '../../app/dev/pages.ts';
import { judge, report, type BenchResult } from '../../script/bench/lib/report.ts';
import { root } from '../../script/native.mjs';
import { startBrowser } from '../browser/browser.ts';

const TARGETS = { jsKilobytes: 150, lcpMs: 1_000, interactionMs: 100, shift: 0.01 };
const SLOWDOWN = 4;
const MANY_NODES = 100_000;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
};

/** Very many nodes as the indexer lists them, made of the few that there are. */
async function manyNodes(indexerUrl: string): Promise<string> {
  const { items } = (await (await fetch(`${indexerUrl}/v1/nodes`)).json()) as { items: object[] };
  const many = Array.from({ length: MANY_NODES }, (_, at) => ({ ...items[at % items.length], id: at + 1 }));
  return JSON.stringify({ items: many, next: null });
}

/** Serves the built pages with gzip, as any server of static files does, and `nodes` where an indexer would. */
async function serve(deployment: string, nodes: string): Promise<{ url: string; server: Server }> {
  const folder = join(root, 'app/build');
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/v1/nodes') {
      response.writeHead(200, { 'content-type': 'application/json' });
      return void response.end(nodes);
    }
    const wanted = pathname === '/config.json' ? deployment : join(folder, pathname);
    const file = pathname !== '/' && existsSync(wanted) ? wanted : join(folder, 'index.html');
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    const packed = /text|json|javascript|svg/.test(type);
    response.writeHead(200, { 'content-type': type, ...(packed && { 'content-encoding': 'gzip' }) });
    if (packed) createReadStream(file).pipe(createGzip()).pipe(response);
    else createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

/** Starts the pretended network at a port of its own; resolves when it answers. */
async function pretend(): Promise<{ stop(): void; port: number }> {
  const port = 20_000 + (process.pid % 4_000);
  const child = execa(process.execPath, ['dev/mock.ts', String(port)], { cwd: join(root, 'app'), reject: false });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => String(data).includes('pretended network') && resolve());
    void child.then(({ stderr }) => reject(new Error(`The pretended network did not start. ${stderr}`)));
  });
  return { stop: () => void child.kill('SIGINT'), port };
}

async function firstPage(browser: Browser, url: string): Promise<BenchResult[]> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  const scripts = new Set<string>();
  let bytes = 0;
  session.on('Network.responseReceived', ({ requestId, response }) => {
    if (response.mimeType.includes('javascript')) scripts.add(requestId);
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (scripts.has(requestId)) bytes += encodedDataLength;
  });
  await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWDOWN });
  await page.addInitScript(() => {
    const seen = { lcp: 0, shift: 0 };
    Object.assign(globalThis, { seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.lcp = entry.startTime;
    }).observe({ type: 'largest-contentful-paint', buffered: true });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
        if (!entry.hadRecentInput) seen.shift += entry.value;
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(url);
  await page.waitForSelector('h1');
  // What loads by itself after the first paint counts too.
  await page.waitForTimeout(6_000);
  const { lcp, shift } = await page.evaluate(
    () => (globalThis as unknown as { seen: { lcp: number; shift: number } }).seen,
  );
  await context.close();
  const lower = 'lower' as const;
  return [
    judge({
      name: 'JavaScript of the first page, gzip',
      value: bytes / 1_000,
      unit: 'kB',
      target: TARGETS.jsKilobytes,
      better: lower,
    }),
    judge({
      name: `largest paint, processor ${SLOWDOWN} times slower`,
      value: lcp,
      unit: 'ms',
      target: TARGETS.lcpMs,
      better: lower,
    }),
    judge({ name: 'layout shift of the first page', value: shift, unit: '', target: TARGETS.shift, better: lower }),
  ];
}

/** Milliseconds from a key press to the next painted frame; the median of several. */
async function keyToPaint(page: Page, keys: readonly string[]): Promise<number> {
  const times: number[] = [];
  for (const key of keys) {
    await page.evaluate(() => {
      addEventListener(
        'keydown',
        () => {
          const begin = performance.now();
          requestAnimationFrame(() => setTimeout(() => Object.assign(globalThis, { took: performance.now() - begin })));
        },
        { once: true, capture: true },
      );
    });
    await page.keyboard.press(key);
    await page.waitForTimeout(400);
    times.push(await page.evaluate(() => (globalThis as unknown as { took: number }).took));
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

async function interactions(browser: Browser, url: string, job: string): Promise<BenchResult[]> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.goto(`${url}/jobs/${job}`);
  const mosaicOf = page.getByRole('slider', { name: /^Shards of the job/ });
  await mosaicOf.waitFor({ timeout: 60_000 });
  await page.waitForTimeout(3_000);
  await mosaicOf.focus();
  const mosaic = await keyToPaint(
    page,
    Array.from({ length: 9 }, () => 'ArrowRight'),
  );

  // The page is told that the indexer is the server of the files, which knows very many nodes.
  await page.route('**/config.json', async (route) => {
    const answer = (await (await route.fetch()).json()) as object;
    await route.fulfill({ json: { ...answer, indexerUrl: url } });
  });
  await page.goto(`${url}/nodes`);
  await page.waitForSelector('#node-search');
  await page.waitForSelector('text=Node 1', { timeout: 60_000 });
  await page.waitForTimeout(2_000);
  await page.locator('#node-search').focus();
  const list = await keyToPaint(page, ['4', '2', '7', 'Backspace', 'Backspace']);
  await context.close();
  const target = { target: TARGETS.interactionMs, unit: 'ms', better: 'lower' } as const;
  return [
    judge({ name: 'arrow key on 10,000 shards', value: mosaic, ...target }),
    judge({ name: `letter in a search among ${MANY_NODES.toLocaleString('en')} nodes`, value: list, ...target }),
  ];
}

/** What axe finds on every page, in both themes. */
async function accessibility(browser: Browser, url: string, jobs: Record<string, string>): Promise<BenchResult> {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  let found = 0;
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({ colorScheme, reducedMotion: 'reduce', bypassCSP: true });
    const page = await context.newPage();
    for (const [name, path] of Object.entries(pagesOf(jobs))) {
      await page.goto(`${url}${path}`);
      await page.waitForSelector('h1', { timeout: 30_000 });
      await page.waitForTimeout(1_500);
      await page.evaluate(axe);
      const ids = await page.evaluate(async () => {
        const { run } = (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } }).axe;
        return (await run()).violations.map(({ id }) => id);
      });
      found += ids.length;
      if (ids.length > 0) console.error(`${name}, ${colorScheme}: ${ids.join(', ')}`);
    }
    await context.close();
  }
  return judge({ name: 'violations that axe finds, all pages', value: found, unit: '', target: 0, better: 'lower' });
}

const { values } = parseArgs({
  // What other benchmarks are given is none of this one's business.
  strict: false,
  options: { only: { type: 'string' }, json: { type: 'boolean' }, 'no-build': { type: 'boolean' } },
}) as { values: { only?: string; 'no-build'?: boolean } };
const say = (line: string): void => console.error(`${line} …`);
say('building');
if (!values['no-build'])
  await execa('npm', ['run', 'build', '--workspace', '@dpu/app'], { cwd: root, stdin: 'ignore' });
const network = await pretend();
const deployment = join(root, '.dpu/mock.json');
const { jobs, indexerUrl } = JSON.parse(readFileSync(deployment, 'utf8')) as {
  jobs: Record<string, string>;
  indexerUrl: string;
};
const { url, server } = await serve(deployment, await manyNodes(indexerUrl));
const browser = await startBrowser();
try {
  const results: BenchResult[] = [];
  const parts: Record<string, () => Promise<BenchResult[]>> = {
    page: () => firstPage(browser, url),
    interaction: () => interactions(browser, url, jobs['many'] ?? ''),
    axe: async () => [await accessibility(browser, url, jobs)],
  };
  for (const [name, measure] of Object.entries(parts)) {
    if (values.only !== undefined && !values.only.split(',').includes(name)) continue;
    say(name);
    results.push(...(await measure()));
  }
  report('dApp', results);
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
  network.stop();
}
