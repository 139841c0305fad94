/** Takes screenshots: `node dev/shoot.ts <base URL> <folder> <path>…`, each in two sizes and both themes. */
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [base = 'http://127.0.0.1:24173', folder = '/tmp/shots', ...paths] = process.argv.slice(2);
const only = process.env['SHOTS']?.split(',');
const full = process.env['FULL'] === '1';
const demo = process.env['DEMO'] === '1';
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--headless',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
for (const [size, viewport] of Object.entries(sizes)) {
  for (const colorScheme of ['dark', 'light'] as const) {
    if (only && !only.includes(`${size}-${colorScheme}`)) continue;
    const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 1 });
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning')
        console.log(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => console.log('page error:', error.message));
    if (demo) {
      await page.goto(base);
      await page.getByRole('button', { name: 'Use a demo wallet' }).click();
      await page.getByRole('button', { name: /^Wallet/ }).waitFor();
    }
    for (const path of paths.length ? paths : ['/']) {
      await page.goto(base + path);
      await page.waitForTimeout(Number(process.env['WAIT'] ?? 1_500));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) console.log(`${path} ${size}: ${wide} px too wide`);
      const name = `${path.replace(/[^a-z0-9]+/gi, '_').slice(0, 24) || 'home'}-${size}-${colorScheme}.png`;
      await page.screenshot({ path: `${folder}/${name}`, fullPage: full });
    }
    await context.close();
  }
}
await browser.close();
