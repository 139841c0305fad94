import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findJobs, jobHistory } from '@dpu/sdk/history';
import { downloadJob } from '@dpu/sdk/results';

import type { Network } from '../../../script/network/network.ts';
import { people } from '../../../script/network/people.ts';
import { visit, type Stage } from './stage.ts';

/** A job that everybody may see, from the wallet to the image; and a signature that is refused. */
export function postFlows(stage: () => Stage): void {
  test('a person posts a render from a wallet, watches it and downloads the image that the chain vouches for', async () => {
    const { network } = stage();
    const { local, deployment } = network;
    const { page, context, wallet, problems } = await visit(stage(), '/post', people.browser, 'desktop');

    // A small image keeps the test short; everything else is what the page proposes.
    const small = { width: 64, height: 36, tileWidth: 16, tileHeight: 18, samples: 1 };
    for (const [name, value] of Object.entries(small)) await page.locator(`#option-${name}`).fill(String(value));
    await page.getByRole('button', { name: 'Sign and post' }).click();
    await page.waitForURL(/\/jobs\/0x[0-9a-f]{64}$/, { timeout: 60_000 });
    expect(wallet.calls.map(({ method }) => method).filter((method) => /sign|sendTransaction/.test(method))).toEqual([
      'eth_signTypedData_v4',
      'eth_sendTransaction',
    ]);

    // The assembled image shows up, checked by the page itself against the chain.
    const download = page.getByRole('button', { name: /download/i }).or(page.getByRole('link', { name: /download/i }));
    await download.first().waitFor({ timeout: 200_000 });
    const [file] = await Promise.all([page.waitForEvent('download'), download.first().click()]);
    const shown = readFileSync(await file.path());

    const map = page.url().split('/').at(-1) as `0x${string}`;
    const reduce = await reduceOf(network, map);
    const parts: Uint8Array[] = [];
    const history = await jobHistory(local.publicClient, deployment, reduce, { gas: false });
    for await (const shard of downloadJob(history, network.storage)) parts.push(shard.bytes);
    expect(shown.equals(Buffer.concat(parts)), 'the download is the result that the chain vouches for').toBe(true);
    expect(problems, 'nothing went wrong in the page').toEqual([]);
    await context.close();
  });

  test('a refused signature is said in words and can be tried again', async () => {
    const { page, context, wallet } = await visit(stage(), '/post', people.requester, 'desktop');

    wallet.policy = (method) => (method === 'eth_signTypedData_v4' ? 'reject' : 'allow');
    await page.getByRole('button', { name: 'Sign and post' }).click();
    await page
      .getByText(/reject|refused|declined/i)
      .first()
      .waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await context.close();
  });
}

/** The job that names `map` as its earlier job. */
async function reduceOf(network: Network, map: `0x${string}`): Promise<`0x${string}`> {
  const jobs = await findJobs(network.local.publicClient, network.deployment);
  const found = jobs.find(({ terms }) => terms.afterJob === map);
  if (!found) throw new Error(`no job waits for ${map}`);
  return found.id;
}
