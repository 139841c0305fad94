import { createMarket } from '@dpu/sdk/market';
import { readProposal } from '@dpu/sdk/governanceReads';
import { readRules } from '@dpu/sdk/rules';
import { parseEther } from 'viem';
import { expect, test } from 'vitest';

import { people } from '../../../script/network/people.ts';
import { give, leave, now, passTo, visit, type Stage, type Viewport } from './stage.ts';

/** Enough for a quorum by itself: 4 % of all DPU. */
const VOTES = parseEther('45000000');
/** Who proposes and votes, and to which fee, per cent. */
const STORIES = {
  phone: { person: people.browser, percent: '2.5' },
  desktop: { person: people.requester, percent: '2.75' },
} satisfies Record<Viewport, unknown>;
/** Seconds before the first one in which a decision may be executed: more than a look at the page takes. */
const EARLY = 60;

/** A holder delegates, proposes a change, votes, queues and executes it. */
export function governanceFlows(stage: () => Stage, viewports: readonly Viewport[]): void {
  test.each(viewports)('on a %s a holder proposes, votes, queues and executes a lower fee', async (viewport) => {
    const { network, url } = stage();
    const { person, percent } = STORIES[viewport];
    const { publicClient } = network.local;
    await give(stage().network, person.address, VOTES);
    const visited = await visit(stage(), '/stake', person, viewport);
    const { page } = visited;
    await page.getByRole('button', { name: 'Vote with all of it' }).click();
    await page.getByText('Done. It counts for every vote that opens from now on.').waitFor();
    // Votes count as they were a second before a proposal.
    await passTo(stage(), (await now(stage())) + 2);

    await page.goto(`${url}/governance/new`);
    await page.getByLabel('What should change?').selectOption({ label: 'Protocol fee' });
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const field = page.locator('[id="edit-params.feeBps"]');
    await field.fill('50');
    await page.locator('[id="edit-params.feeBps-note"] .text-danger').waitFor();
    await field.fill(percent);
    await page.getByLabel('Headline').fill(`Lower the fee to ${percent} %`);
    await page.getByLabel('Reasons').fill('Nodes keep more of what they earn.');
    await page.getByRole('heading', { name: 'What is signed' }).waitFor();
    await page.getByRole('button', { name: 'Sign and propose' }).click();
    await page.waitForURL(/\/governance\/0x[0-9a-f]+$/);
    const id = BigInt(new URL(page.url()).pathname.split('/').at(-1) ?? '');
    const read = async () => readProposal(publicClient, network.deployment, id, await now(stage()));
    const { snapshot, deadline } = await read();

    await passTo(stage(), snapshot + 1);
    await page.getByText('For', { exact: true }).first().click();
    await page.getByRole('button', { name: 'Vote for' }).click();
    const voted = page.getByRole('status').filter({ hasText: /You voted\s+for\s+with\s+4[56],/ });
    await voted.waitFor();
    await passTo(stage(), deadline + 1);
    await page.getByRole('button', { name: 'Queue the decision' }).click();
    const execute = page.getByRole('button', { name: 'Execute the decision' });
    await execute.waitFor();

    const eta = (await read()).eta ?? Number.NaN;
    await passTo(stage(), eta - EARLY);
    await page.getByText(/^Possible in \d+ s: /).waitFor();
    if ((await now(stage())) < eta) expect(await execute.isDisabled(), 'before the timelock is over').toBe(true);
    await passTo(stage(), eta);
    await execute.click();
    await page.getByRole('heading', { name: 'What it changed' }).waitFor();
    const market = createMarket({ publicClient, deployment: network.deployment });
    const { feeBps } = readRules((await market.config()).rules);
    expect(feeBps, 'the fee in force').toBe(Number(percent) * 100);
    await leave(visited);
  });
}
