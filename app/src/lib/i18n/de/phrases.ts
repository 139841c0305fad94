import type { Phrases } from '../locale.ts';
import { account } from './account.ts';
import { court } from './court.ts';
import { everywhere } from './everywhere.ts';
import { governance } from './governance.ts';
import { jobs } from './jobs.ts';
import { nodes } from './nodes.ts';
import { post } from './post.ts';
import { templates } from './templates.ts';

/** What pages say in German, by what they say in English. Loaded when somebody asks for it. */
export const phrases: Phrases = {
  ...everywhere,
  ...jobs,
  ...post,
  ...templates,
  ...nodes,
  ...court,
  ...governance,
  ...account,
};
