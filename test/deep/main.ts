/**
 * The long campaigns of the node and of the index, run by `npm run test:deep`: `node test/deep/main.ts crash --seed 1 --runs 800`. Progress goes to stderr, what
 * replays a violation too; stdout ends with the counts as forge prints them, so that one program reads both.
 */
import { Command } from 'commander';

import { bombs } from './bombs.ts';
import { escapes } from './escapes.ts';
import { indexFaults } from './index/indexFaults.ts';
import { requests } from './index/requests.ts';
import { crash, faults, reorgs, type Campaign } from './stories.ts';

const CAMPAIGNS: Record<string, Campaign> = { crash, reorgs, faults, bombs, escapes, requests, indexFaults };

const program = new Command('node test/deep/main.ts')
  .argument('<campaign>', Object.keys(CAMPAIGNS).join(', '))
  .requiredOption('--seed <number>', 'of the first run')
  .requiredOption('--runs <number>', 'how many')
  .parse();
const { seed, runs } = program.opts<{ seed: string; runs: string }>();
const campaign = CAMPAIGNS[program.args[0] ?? ''];
if (!campaign) throw new Error(`no campaign ${program.args[0]}; there are ${Object.keys(CAMPAIGNS).join(', ')}`);

const { done, violations, actions } = await campaign(Number(seed), Number(runs));
for (const violation of violations) console.error(`VIOLATION ${violation}`);
console.log(`(runs: ${done}, calls: ${done}, reverts: ${violations.length})`);
for (const [name, [did, tried]] of actions) console.log(`  ${name.replaceAll(/\W+/g, '_')} ${did} ${tried}`);
process.exit(violations.length === 0 && done > 0 ? 0 : 1);
