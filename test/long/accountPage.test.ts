import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { build } from '../../script/build.ts';
import { startNetwork, type Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { openPage, startBrowser, VIEWPORTS } from '../browser/browser.ts';
import { installWallet } from '../browser/testWallet.ts';

let network: Network;
let browser: Browser;
let receiver: Server;
let hook: string;
const received: string[] = [];

beforeAll(async () => {
  await build(() => {});
  receiver = createServer((request, response) => {
    request.resume().on('end', () => {
      received.push(request.headers['webhook-id'] as string);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  network = await startNetwork({ name: 'browser-account', runtimes: ['wasm'], nodes: 1 });
  browser = await startBrowser();
}, 600_000);

afterAll(async () => {
  await browser?.close();
  await network?.stop();
  receiver?.close();
});

/** A device with a fingerprint reader that always knows its owner. */
async function installAuthenticator(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

test.each(Object.keys(VIEWPORTS) as (keyof typeof VIEWPORTS)[])(
  'a person signs in, is told by webhook, makes a key, and has a passkey guard both, on a %s',
  async (viewport) => {
    received.length = 0;
    const { page, context, problems } = await openPage(browser, { viewport });
    const { local, appUrl } = network;
    await installWallet(page, { account: people.browser, chain: local.chain, rpcUrl: local.rpcUrl });
    await installAuthenticator(page);
    // Browsers give passkeys to names alone.
    const url = `${appUrl!.replace('127.0.0.1', 'localhost')}/account`;
    await page.goto(url);
    await page
      .getByRole('main')
      .getByRole('button', { name: /connect/i })
      .click();
    await page.getByRole('button', { name: 'Test Wallet' }).click();
    await page.getByRole('button', { name: 'Sign in' }).click();

    await page.getByRole('button', { name: 'Add', exact: true }).first().click();
    await page.getByLabel('Address of the webhook').fill('not an address');
    await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click();
    await page.getByText('Url must be like https://example.com/hook.').waitFor();
    await page.getByLabel('Address of the webhook').fill(hook);
    await page.getByLabel('A vote has begun').uncheck();
    await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click();
    expect(await page.getByTestId('secret').textContent()).toMatch(/^whsec_/);
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByTestId('deliveries').getByText('Sent', { exact: true }).first().waitFor();
    expect(received).toHaveLength(1);

    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Nightly <b>renders</b>');
    await page.getByLabel('Bring orders on chain').check();
    await page.getByLabel('USDL').check();
    await page.getByLabel('In 24 hours').fill('12.5');
    await page.getByRole('button', { name: 'Make the key' }).click();
    const secret = (await page.getByTestId('secret').textContent())!;
    const keys = page.getByTestId('keys');
    await keys.getByText('Nightly <b>renders</b>').waitFor();
    await keys.getByText('USDL: 0 USDL of 12.5 USDL a day').waitFor();
    const ask = (path: string) =>
      fetch(`${network.deployment.indexerUrl}${path}`, { headers: { authorization: `Bearer ${secret}` } });
    expect((await ask('/v1/stats')).status).toBe(200);
    await page.getByRole('button', { name: 'I have it' }).click();

    const passkeys = page.getByRole('region', { name: 'Passkeys' });
    await passkeys.getByRole('button', { name: 'Add' }).click();
    await page.getByLabel('Name of the passkey').fill('Phone');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.getByTestId('passkeys').getByText('Phone').waitFor();

    // A new session has used no passkey: the change asks for it by itself.
    await page.getByRole('button', { name: 'Sign out here' }).click();
    await page.getByRole('button', { name: 'Sign in' }).click();
    const revoke = page.getByRole('button', { name: /Revoke the key/ });
    await revoke.click();
    await page.getByText('Really revoke?').click();
    await page.getByText('No program acts for you').waitFor();
    await page.getByText('used lately: changes are possible').waitFor();
    expect((await ask('/v1/stats')).status).toBe(401);

    // What it leaves is removed, so that the next viewport begins as this one did.
    for (const name of [/^Remove http/, /^Remove the passkey/]) {
      await page.getByRole('button', { name }).click();
      await page.getByText('Really remove?').click();
      await page.getByText('Really remove?').waitFor({ state: 'detached' });
    }
    await page.getByText('Nobody is told yet').waitFor();
    await page.reload();
    await page.getByText('Where you are signed in').waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    expect(wide, 'nothing is cut off or scrolls sideways').toBe(false);
    // The browser writes down that the first attempt was refused, and the address that is none.
    expect(problems.filter((problem) => !/status of (400|403)/.test(problem))).toEqual([]);
    await context.close();
  },
);
