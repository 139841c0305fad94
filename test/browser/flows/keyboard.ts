import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';

import { people } from '../../../script/network/people.ts';
import { leave, sent, visit, type Stage } from './stage.ts';

/** Most keys until a field is reached: somebody who has to press more has no path. */
const MOST_TABS = 80;
const SMALL = { width: 16, height: 16, tileWidth: 16, tileHeight: 16, samples: 1 };

/** A job is posted without a mouse. */
export function keyboardFlow(stage: () => Stage): void {
  test('a person posts a job with the keyboard alone', async () => {
    const visited = await visit(stage(), '/post', people.requester, 'desktop');
    const { page, wallet } = visited;
    await page.getByRole('button', { name: 'Sign and post' }).waitFor();
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());

    await page.keyboard.press('Tab');
    expect(await focused(page), 'the first key').toContain('Skip to content');
    await page.keyboard.press('Enter');
    await tabTo(page, 'input[type=radio]');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowLeft');
    for (const [name, value] of Object.entries(SMALL)) {
      await tabTo(page, `#option-${name}`);
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.type(String(value));
    }
    await tabTo(page, '#max-price');
    await tabTo(page, 'input[type=range]');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowLeft');
    await tabTo(page, 'button:has-text("Sign and post")');
    await page.getByText('Who could take it now').waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/jobs\/0x[0-9a-f]{64}$/, { timeout: 60_000 });
    expect(sent(wallet).at(-1)).toBe('eth_sendTransaction');
    await leave(visited);
  });
}

/** Presses Tab until the field has the focus, and looks that one can see that it has. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < MOST_TABS; presses += 1) {
    const there = await page
      .locator(selector)
      .evaluateAll((fields) => fields.some((field) => field === document.activeElement));
    if (there) {
      expect(await marked(page), `the mark of ${selector}`).toBe(true);
      return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(
    `${selector} is not reached within ${MOST_TABS} presses of Tab; the focus is at ${await focused(page)}`,
  );
}

/** Whether the element with the focus, or the box that it stands in, has an outline. */
function marked(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    for (let one = document.activeElement, depth = 0; one && depth < 4; one = one.parentElement, depth += 1) {
      const { outlineStyle, outlineWidth, boxShadow, borderColor } = getComputedStyle(one);
      if (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1) return true;
      if (depth < 2 && boxShadow !== 'none' && borderColor !== '') return true;
    }
    return false;
  });
}

function focused(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.outerHTML.slice(0, 300) ?? 'nothing');
}
