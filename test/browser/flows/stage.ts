/** What the flows share: one network, one browser, and how a person comes to a page. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { erc20Abi, type Address, type LocalAccount } from 'viem';
import { expect } from 'vitest';

import { call } from '../../../script/network/equip.ts';
import type { Network } from '../../../script/network/network.ts';
import { people } from '../../../script/network/people.ts';
import { openPage, type VIEWPORTS } from '../browser.ts';
import { installWallet, type TestWallet } from '../testWallet.ts';

/** Where flows take place. */
export interface Stage {
  network: Network;
  browser: Browser;
  /** Address of the dApp. */
  url: string;
}

export type Viewport = keyof typeof VIEWPORTS;

/** Every flow is walked on both: on one of them in CI, on the other by name (`test/long/flows.test.ts`). */
export const BOTH: readonly Viewport[] = ['phone', 'desktop'];

/** A person in front of a page. */
export interface Visit {
  page: Page;
  context: BrowserContext;
  wallet: TestWallet;
  problems: string[];
}

/** What the newest of a list of the index is called in the path of its page; undefined where there is none. */
export async function newest(
  { deployment }: Network,
  list: 'jobs' | 'proposals' | 'disputes',
): Promise<string | undefined> {
  const answer = await fetch(`${deployment.indexerUrl}/v1/${list}?limit=1`);
  const [first] = ((await answer.json()) as { items: { id?: string; key?: string }[] }).items;
  return first?.key ?? first?.id;
}

/** Pages about what flows have left on the network: a job, a proposal. */
export async function leftPages({ network }: Stage): Promise<string[]> {
  const [job, proposal] = [await newest(network, 'jobs'), await newest(network, 'proposals')];
  return [...(job ? [`/jobs/${job}`] : []), ...(proposal ? [`/governance/${proposal}`] : [])];
}

/** Opens `path` with a wallet of `person` in it, and connects it. */
export async function visit(
  { network, browser, url }: Stage,
  path: string,
  person: LocalAccount,
  viewport: Viewport,
): Promise<Visit> {
  const { local } = network;
  const { page, context, problems } = await openPage(browser, { viewport });
  const wallet = await installWallet(page, { account: person, chain: local.chain, rpcUrl: local.rpcUrl });
  await page.goto(`${url}${path}`);
  await connect(page);
  return { page, context, wallet, problems };
}

/** Chooses the test wallet, as a person does. */
export async function connect(page: Page): Promise<void> {
  await page
    .getByRole('button', { name: /connect/i })
    .first()
    .click();
  await page.getByRole('button', { name: 'Test Wallet' }).click();
  await page.getByRole('button', { name: 'Test Wallet' }).waitFor({ state: 'hidden' });
}

/** Ends a visit in which nothing may have gone wrong, and in which the page has fitted its screen. */
export async function leave({ page, context, problems }: Visit): Promise<void> {
  await expectFits(page);
  expect(problems, 'nothing went wrong in the page').toEqual([]);
  await context.close();
}

/** Nothing is wider than the screen: a page is never scrolled sideways. */
export async function expectFits(page: Page): Promise<void> {
  const { wide, room } = await page.evaluate(() => {
    const { scrollWidth: wide, clientWidth: room } = document.documentElement;
    return { wide, room };
  });
  expect(wide, `width of ${page.url()}`).toBeLessThanOrEqual(room);
}

/** Time of the newest block, unix seconds. */
export async function now({ network }: Stage): Promise<number> {
  return Number((await network.local.publicClient.getBlock()).timestamp);
}

/** Lets the chain's clock jump to `time`, if it is not past that. */
export async function passTo(stage: Stage, time: number): Promise<void> {
  const { testClient } = stage.network.local;
  const seconds = time - (await now(stage));
  if (seconds <= 0) return;
  await testClient.increaseTime({ seconds });
  await testClient.mine({ blocks: 1 });
}

/** Gives DPU to somebody. */
export async function give(network: Network, to: Address, amount: bigint): Promise<void> {
  const { token } = network.deployment;
  const request = { address: token, abi: erc20Abi, functionName: 'transfer', args: [to, amount] };
  await call(network.local, people.deployer, request);
}

/** What an account has of a token, smallest unit. */
export function balanceOf({ network }: Stage, token: Address, account: Address): Promise<bigint> {
  const question = { abi: erc20Abi, address: token, functionName: 'balanceOf', args: [account] } as const;
  return network.local.publicClient.readContract(question);
}

/** The transactions that a wallet was asked for since `from`. */
export function sent(wallet: TestWallet, from = 0): string[] {
  return wallet.calls
    .slice(from)
    .map(({ method }) => method)
    .filter((method) => /sign|sendTransaction/.test(method));
}
