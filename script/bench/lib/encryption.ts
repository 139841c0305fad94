import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { measureEncryption, type EncryptionSpeed } from '@dpu/sdk/privacy/bench';

import { judge, type BenchResult } from './report.ts';

/** age's cipher runs as JavaScript where WebCrypto's is native code: what its format and its tools are worth, measured. */
const SHARE = { node: 0.1, Chromium: 0.05 };

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Sealing and opening beside raw WebCrypto, here and in a Chromium if there is one. */
export async function benchEncryption(): Promise<BenchResult[]> {
  const results = judged('node', await measureEncryption());
  const inPage = await measureInChromium();
  return inPage ? [...results, ...judged('Chromium', inPage)] : results;
}

function judged(where: keyof typeof SHARE, speed: EncryptionSpeed): BenchResult[] {
  const against = (name: string, value: number, baseline: number): BenchResult =>
    judge({ name: `${name}, ${where}`, value, unit: 'MB/s', baseline, target: baseline * SHARE[where] });
  return [against('encryption', speed.seal, speed.rawSeal), against('decryption', speed.open, speed.rawOpen)];
}

/** Undefined where there is no Chromium. */
async function measureInChromium(): Promise<EncryptionSpeed | undefined> {
  const executablePath = CHROMIUM.find((path) => existsSync(path));
  if (executablePath === undefined) return undefined;
  const [{ rolldown }, { chromium }] = await Promise.all([import('rolldown'), import('playwright-core')]);
  const input = fileURLToPath(import.meta.resolve('@dpu/sdk/privacy/bench'));
  const bundle = await rolldown({ input, platform: 'browser' });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  const code = output[0].code;
  // a page of localhost may use WebCrypto
  const server = createServer((request, response) => {
    const script = request.url === '/bench.js';
    response.writeHead(200, { 'content-type': script ? 'text/javascript' : 'text/html' });
    response.end(script ? code : '<!doctype html><title>bench</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return (await page.evaluate(
      "import('/bench.js').then(({ measureEncryption }) => measureEncryption())",
    )) as EncryptionSpeed;
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}
