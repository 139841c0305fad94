import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';

import { people } from '../../../script/network/people.ts';
import { openPage } from '../browser.ts';
import { visit, type Stage } from './stage.ts';

/** A recovery file and what opens it. */
interface Recovery {
  file: Buffer;
  passphrase: string;
}

/** Makes a key on the post page, as a person does. */
async function makeKey(page: Page): Promise<Recovery> {
  await page.getByRole('button', { name: 'Make my key' }).click();
  const use = page.getByRole('button', { name: 'Use this key' });
  await use.waitFor({ timeout: 60_000 });
  expect(await use.isDisabled(), 'before the recovery file was downloaded').toBe(true);
  const passphrase = (await page.locator('[data-passphrase]').textContent()) ?? '';
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Recovery file' }).click();
  const file = readFileSync(await (await download).path());
  expect(await use.isDisabled(), 'before it was confirmed').toBe(true);
  await page.getByLabel('I have both, and not in the same place').check();
  await use.click();
  await page.getByText('locked into this browser').waitFor();
  return { file, passphrase };
}

async function bringKey(page: Page, { file, passphrase }: Recovery): Promise<void> {
  await page.locator('input[type=file]').setInputFiles({ name: 'key.age', mimeType: 'text/plain', buffer: file });
  await page.getByLabel('Its passphrase').fill(passphrase);
  await page.getByLabel('Its passphrase').press('Enter');
}

/** A job that only its keys open: its owner sees it, nobody else does. */
export function privateFlow(stage: () => Stage): void {
  test('a person posts a private render, sees it with the key in the browser, and nobody does without', async () => {
    const { browser, url } = stage();
    const { page, context, problems } = await visit(stage(), '/post', people.browser, 'desktop');
    const small = { width: 64, height: 36, tileWidth: 32, tileHeight: 18, samples: 4 };
    for (const [name, value] of Object.entries(small)) await page.locator(`#option-${name}`).fill(String(value));

    await page.getByText('Only nodes I choose').click();
    const post = page.getByRole('button', { name: 'Sign and post' });
    await page.getByText('Make your key first').waitFor();
    expect(await post.isDisabled(), 'without a key').toBe(true);
    const recovery = await makeKey(page);
    await page.getByText('Choose at least one node').waitFor();
    expect(await post.isDisabled(), 'without a node').toBe(true);
    await page.getByLabel('Node 1').check();
    await page.getByLabel('Node 2').check();
    await post.click();
    await page.waitForURL(/\/jobs\/0x[0-9a-f]{64}$/, { timeout: 60_000 });

    // The name was sealed too: it shows that the page has opened the job.
    await page.getByRole('heading', { name: 'Render 64 × 36' }).waitFor();
    await page.getByText('opened in this page with your key').waitFor();
    const result = page.getByRole('link', { name: /download/i }).first();
    await result.waitFor({ timeout: 200_000 });
    const [file] = await Promise.all([page.waitForEvent('download'), result.click()]);
    const image = readFileSync(await file.path());
    expect(image.subarray(1, 4).toString()).toBe('PNG');
    expect(problems, 'nothing went wrong in the page').toEqual([]);

    const elsewhere = await openPage(browser, { viewport: 'phone' });
    await elsewhere.page.goto(page.url());
    await elsewhere.page.getByText('this browser has no key').waitFor();
    await elsewhere.page.getByRole('heading', { name: 'Private job' }).waitFor();
    expect(await elsewhere.page.getByRole('link', { name: /download/i }).count(), 'downloads without a key').toBe(0);
    await bringKey(elsewhere.page, { ...recovery, passphrase: 'aaaa-bbbb-cccc-dddd-eeee' });
    await elsewhere.page.getByText('The passphrase does not open this file').waitFor({ timeout: 60_000 });
    await bringKey(elsewhere.page, recovery);
    await elsewhere.page.getByRole('heading', { name: 'Render 64 × 36' }).waitFor({ timeout: 60_000 });
    const again = elsewhere.page.getByRole('link', { name: /download/i }).first();
    await again.waitFor({ timeout: 60_000 });
    const [second] = await Promise.all([elsewhere.page.waitForEvent('download'), again.click()]);
    expect(readFileSync(await second.path()).equals(image), 'the same image').toBe(true);
    await elsewhere.context.close();

    const stranger = await openPage(browser);
    await stranger.page.goto(`${url}/post`);
    await stranger.page.getByText('Only nodes I choose').click();
    await makeKey(stranger.page);
    await stranger.page.goto(page.url());
    await stranger.page.getByText('None of your keys in this browser opens this job').waitFor();
    expect(await stranger.page.getByRole('link', { name: /download/i }).count(), 'downloads with another key').toBe(0);
    await stranger.context.close();
    await context.close();
  });
}
