import { createMarket } from '@dpu/sdk/market';
import { parseEther } from 'viem';
import { expect, test } from 'vitest';

import { people } from '../../../script/network/people.ts';
import { balanceOf, BOTH, give, leave, now, passTo, sent, visit, type Stage, type Viewport } from './stage.ts';

const ADDED = parseEther('40');
const LEAVING = parseEther('25');
/** Seconds before the last one in which nothing may leave: more than a look at the page takes. */
const EARLY = 60;

/** An owner adds stake, queues an exit, waits for it and takes it out. */
export function stakeFlows(stage: () => Stage, viewports: readonly Viewport[]): void {
  test.each(viewports)(
    'on a %s an owner stakes, queues an exit, sees its countdown, and takes it out when it is over',
    async (viewport) => {
      const { network } = stage();
      const node = BOTH.indexOf(viewport) + 1;
      const owner = people.owner(node);
      const market = createMarket({ publicClient: network.local.publicClient, deployment: network.deployment });
      await give(stage().network, owner.address, ADDED);
      const before = await market.node(node);

      const visited = await visit(stage(), '/stake', owner, viewport);
      const { page, wallet } = visited;
      const card = page.getByRole('article', { name: `Node ${node}` });
      await card.getByRole('button', { name: 'Stake more' }).click();
      await page.getByLabel('Amount').fill('40');
      await page.getByRole('button', { name: 'Stake', exact: true }).click();
      await page.getByText('Staked.', { exact: true }).waitFor();
      expect(sent(wallet), 'a permit and one transaction').toEqual(['eth_signTypedData_v4', 'eth_sendTransaction']);
      expect((await market.node(node)).stake - before.stake, 'staked').toBe(ADDED);
      await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();

      await card.getByRole('button', { name: 'Queue an exit' }).click();
      await page.getByLabel('Amount').fill('1000000000');
      await page.getByText(/free/).first().waitFor();
      expect(await page.getByRole('button', { name: 'Queue the exit' }).isDisabled(), 'more than is free').toBe(true);
      await page.getByLabel('Amount').fill('25');
      await page.getByRole('button', { name: 'Queue the exit' }).click();
      await page.getByText('Queued. Come back when the clock has run down.').waitFor();
      await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();

      const queue = card.getByRole('region', { name: 'Exit queue' });
      await queue.getByText('may leave in').waitFor();
      await queue.getByText(/^6 d 23:5/).waitFor();
      const take = queue.getByRole('button', { name: 'Take it out' });
      const { queued, unstakeAt } = await market.node(node);
      expect(queued, 'queued').toBe(LEAVING);
      await passTo(stage(), unstakeAt - EARLY);
      await queue.getByText(/^00:0[01]:\d\d$/).waitFor();
      if ((await now(stage())) < unstakeAt) expect(await take.isDisabled(), 'before its time').toBe(true);
      await passTo(stage(), unstakeAt);
      await queue.getByText('Now', { exact: true }).waitFor();
      const held = await balanceOf(stage(), network.deployment.token, owner.address);
      await take.click();
      await queue.waitFor({ state: 'hidden' });
      expect((await balanceOf(stage(), network.deployment.token, owner.address)) - held, 'taken out').toBe(LEAVING);
      expect((await market.node(node)).stake - before.stake, 'still at stake').toBe(ADDED - LEAVING);
      await leave(visited);
    },
  );
}
