import { computeCreditsAbi } from '@dpu/sdk/abi';
import { creditsOf } from '@dpu/sdk/credits';
import { parseEther } from 'viem';
import { expect, test } from 'vitest';

import { people } from '../../../script/network/people.ts';
import { balanceOf, leave, sent, visit, type Stage, type Viewport } from './stage.ts';

const BURNT = parseEther('2');
/** A person for each screen, so that neither finds what the other has bought. */
const PEOPLE = { phone: people.browser, desktop: people.requester } satisfies Record<Viewport, unknown>;
/** One shard, because nothing but its payment is looked at. */
const SMALL = { width: 16, height: 16, tileWidth: 16, tileHeight: 16, samples: 1 };

/** A requester buys credits at the standing offer, pays a job with them, and burns some for its priority. */
export function creditFlows(stage: () => Stage, viewports: readonly Viewport[]): void {
  test.each(viewports)(
    'on a %s a requester buys credits, pays a job with them, and buys its priority',
    async (viewport) => {
      const { network, url } = stage();
      const { local, deployment } = network;
      const person = PEOPLE[viewport];
      const credits = creditsOf(deployment);
      const held = (): Promise<bigint> => balanceOf(stage(), credits, person.address);

      const visited = await visit(stage(), '/credits', person, viewport);
      const { page, wallet } = visited;
      await page.getByText('At the offer').click();
      await page.getByLabel('Credits to buy').fill('20');
      await page.getByText(/^It costs /).waitFor();
      const before = await held();
      await page.getByRole('button', { name: 'Buy credits' }).click();
      await page.getByText('Done. The chain has recorded it.').waitFor();
      expect((await held()) - before, 'bought').toBe(parseEther('20'));

      await page.goto(`${url}/post`);
      for (const [name, value] of Object.entries(SMALL)) await page.locator(`#option-${name}`).fill(String(value));
      await page.getByLabel('Currency').selectOption({ label: 'DPUC' });
      await page.getByLabel('Starting price per shard').fill('1');
      await page.getByLabel('Highest price per shard').fill('2');
      await page.getByLabel('Bond per shard').fill('5');
      const from = wallet.calls.length;
      await page.getByRole('button', { name: 'Sign and post' }).click();
      await page.waitForURL(/\/jobs\/0x[0-9a-f]{64}$/, { timeout: 60_000 });
      expect(sent(wallet, from).at(-1), 'what was signed last').toBe('eth_sendTransaction');
      const job = page.url().split('/').at(-1) as `0x${string}`;
      await page.getByText(/DPUC/).first().waitFor();
      // Two jobs of one shard each: the tile, and the image made of it.
      expect(before + parseEther('20') - (await held()), 'in escrow').toBe(parseEther('4'));

      await page.goto(`${url}/credits`);
      await page.locator('#credit-job').fill(job);
      await page.getByLabel('Credits to give').fill('2');
      await page.getByRole('button', { name: 'Burn for the job' }).click();
      await page.getByText('Done. The chain has recorded it.').waitFor();
      const [burnt] = await local.publicClient.getContractEvents({
        ...{ address: credits, abi: computeCreditsAbi, eventName: 'JobPrioritized', fromBlock: 0n },
        args: { job },
      });
      expect(burnt?.args, 'burnt for the job').toMatchObject({ amount: BURNT });
      await leave(visited);
    },
  );
}
