import { templates } from '@dpu/sdk/templates/registry';
import { beforeAll, describe, expect, test } from 'vitest';

import { plainRunes } from '../testing.ts';
import type * as Module from './postForm.svelte.ts';
import { outline } from './draft.ts';

let PostForm: typeof Module.PostForm;
beforeAll(async () => {
  plainRunes();
  ({ PostForm } = await import('./postForm.svelte.ts'));
});

const DPU = '0x1111111111111111111111111111111111111111';
const USD = '0x2222222222222222222222222222222222222222';
const DEPLOYMENT = {
  chainId: 8_453,
  rpcUrl: 'http://rpc',
  market: '0x3333333333333333333333333333333333333333',
  token: DPU,
  currencies: [
    { address: DPU, symbol: 'DPU', decimals: 18 },
    { address: USD, symbol: 'USDC', decimals: 6 },
  ],
  startBlock: 0,
  indexerUrl: 'http://indexer',
  gatewayUrl: 'http://gateway',
} as const;

const setup = () => new PostForm({ ...DEPLOYMENT, currencies: [...DEPLOYMENT.currencies] });

describe('money', () => {
  test('a fresh form in DPU needs nothing more', () => {
    const form = setup();
    expect(form.problems).toEqual({});
    expect(form.draft).toMatchObject({
      currency: DPU,
      minPrice: 500_000_000_000_000_000n,
      maxPrice: 2_000_000_000_000_000_000n,
      bond: undefined,
      direct: false,
      auditBps: 0,
      window: 1_800,
    });
  });

  test('a price in another currency asks for a bond, because no rate is known', () => {
    const form = setup();
    form.currency = USD;
    expect(form.problems).toEqual({ bond: 'Say it in DPU: the protocol knows no rate for USDC.' });
    expect(form.draft).toBeUndefined();
    form.bond = '4';
    expect(form.draft).toMatchObject({ maxPrice: 2_000_000n, bond: 4_000_000_000_000_000_000n });
  });

  test.each([
    ['min', { minPrice: 'x' }, { minPrice: 'An amount with at most 18 digits after the point.' }],
    ['zero', { minPrice: '0', maxPrice: '0' }, { maxPrice: 'More than 0 DPU, or no node will come.' }],
    ['order', { minPrice: '3' }, { maxPrice: 'At least the starting price.' }],
  ])('says what is wrong with a price (%s)', (_what, over, problems) => {
    const form = Object.assign(setup(), over);
    expect(form.problems).toEqual(problems);
    expect(form.draft).toBeUndefined();
  });
});

describe('assurance', () => {
  test('a fresh form binds one node and buys nothing more', () => {
    expect(setup().draft).toMatchObject({ seats: 1, direct: false, auditBps: 0 });
  });

  test.each([
    [0, { seats: 1, direct: true, auditBps: 0 }],
    [3, { seats: 1, direct: false, auditBps: 5_000 }],
    [6, { seats: 5, direct: false, auditBps: 0 }],
  ])('stop %i of the slider becomes terms', (level, policy) => {
    expect(Object.assign(setup(), { level }).draft).toMatchObject(policy);
  });

  test('each seat of a private job needs a reader', () => {
    const form = Object.assign(setup(), { level: 5, readers: 'chosen', chosen: [1, 2] });
    expect(form.privacyProblem(true)).toBe(
      'Choose at least 3 nodes: each shard is computed by 3, and all of them must read it.',
    );
    form.chosen = [1, 2, 3];
    expect(form.privacyProblem(true)).toBeUndefined();
  });
});

describe('work', () => {
  const template = templates[0]!;
  const asset = () => Promise.resolve(new Uint8Array(1));

  test('a template brings its defaults, and the outline its shards', async () => {
    const form = setup();
    form.choose(template);
    expect(form.options).toMatchObject({ width: '1280', height: '720' });
    const made = await outline(template, form.values, form.files, asset);
    expect(made).toMatchObject({ ok: true, jobs: [{ shards: 64 }, { shards: 1 }] });
  });

  test('what the template refuses is told by option', async () => {
    const form = setup();
    form.choose(template);
    form.options['width'] = '';
    const made = await outline(template, form.values, form.files, asset);
    expect(made.ok).toBe(false);
    expect(!made.ok && made.problems.map(({ path }) => path)).toEqual(['width']);
  });

  test('files come and go by the names of the template', () => {
    const form = setup();
    form.choose(template);
    form.addFile('scene.obj', Uint8Array.of(1));
    expect([...form.files.keys()]).toEqual(['scene.obj']);
    form.removeFile('scene.obj');
    expect(form.files.size).toBe(0);
  });
});
