/**
 * `npm run screens`: starts a local network, lets a job run, and takes a picture of every page at desktop and phone width, in
 * both themes, into docs/screens/.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { build } from '../../script/build.ts';
import { root } from '../../script/native.mjs';
import { followJob, progressOf } from '../../script/network/followJob.ts';
import { startNetwork } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { postTemplate } from '../../script/network/postJob.ts';
import { jobHistory } from '@dpu/sdk/history';
import { openPage, settled, startBrowser, VIEWPORTS } from './browser.ts';

const { values } = parseArgs({
  options: { samples: { type: 'string', default: '8' }, out: { type: 'string', default: 'docs/screens' } },
});
const folder = join(root, values.out);
mkdirSync(folder, { recursive: true });

await build((line) => console.log(line));
const network = await startNetwork({ name: 'screens', onStep: (line) => console.log(line) });
const browser = await startBrowser();
try {
  const posted = await postTemplate(network, network.storage, {
    template: 'render',
    options: { samples: Number(values.samples) },
    requester: people.requester,
  });
  const [map, reduce] = posted.ids as [`0x${string}`, `0x${string}`];
  for (;;) {
    const progress = progressOf(await jobHistory(network.local.publicClient, network.deployment, map, { gas: false }));
    if (progress.revealed >= progress.shards / 2) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await shoot({ job: `/jobs/${map}` }, 'running');
  await followJob(network, map);
  await followJob(network, reduce);
  await shoot(
    {
      home: '/',
      post: '/post',
      jobs: '/jobs',
      job: `/jobs/${map}`,
      result: `/jobs/${reduce}`,
      nodes: '/nodes',
      node: '/nodes/1',
      run: '/nodes/run',
      court: '/court',
      stake: '/stake',
      credits: '/credits',
      governance: '/governance',
      propose: '/governance/new',
      account: '/account',
    },
    '',
  );
} finally {
  await browser.close();
  await network.stop();
}

/** Every page in both themes at both widths; each of the four has a context of its own, so they are taken at the same time. */
async function shoot(pages: Record<string, string>, suffix: string): Promise<void> {
  const looks = (['light', 'dark'] as const).flatMap((theme) =>
    (Object.keys(VIEWPORTS) as (keyof typeof VIEWPORTS)[]).map((viewport) => ({ theme, viewport })),
  );
  await Promise.all(
    looks.map(async ({ theme, viewport }) => {
      const { page, context, problems } = await openPage(browser, { viewport, theme });
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(`${network.appUrl}${path}`);
        await settled(page);
        const file = `${[name, suffix, viewport, theme].filter(Boolean).join('-')}.png`;
        await page.screenshot({ path: join(folder, file), fullPage: viewport === 'phone' });
      }
      if (problems.length > 0) console.log(`  problems: ${[...new Set(problems)].join('\n            ')}`);
      await context.close();
    }),
  );
  console.log(`${Object.keys(pages).length * looks.length} pictures in ${folder}`);
}
