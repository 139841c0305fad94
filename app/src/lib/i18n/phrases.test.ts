import { expect, test } from 'vitest';

import { templates } from '@dpu/sdk/templates/registry';
import { z } from 'zod';

import { ASSURANCE_LEVELS } from '../post/assurance.ts';
import { OBSTACLES } from '../post/estimate.ts';
import { optionFields } from '../post/fields.ts';
import { phrases } from './de/phrases.ts';
import { readPages, type Said } from './sources.ts';

const { said, held, bare, joined } = readPages();
const slots = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).sort();
const list = (found: readonly Said[]): string[] => found.map(({ text, file }) => `${file}: ${text}`);

/** Words that stand inside another sentence, which gives them their place. */
const INSIDE = new Set([
  ...[
    'a benchmark job',
    'any amount',
    'block {number}',
    'closed',
    'delegate your DPU',
    'from shard {number}',
    'nothing',
  ],
  ...[
    'open',
    'over {share} %',
    'under {share} %',
    'of {all}',
    'of {count} lease',
    'of {count} leases',
    'this job',
    'this node',
  ],
  ...['and {count} more', 'npx dpu-node start'],
]);
/** What is the same in every language: names, addresses and commands. */
const SAME = [
  /^· DPU$/,
  /^DPU$/,
  /^Token$/,
  /^CSV$/,
  /^dpuk_$/,
  /^\/config\.json$/,
  /^https:\/\//,
  /^name@/,
  /^(curl|npx) /,
  /config\.json &&/,
];

test('every sentence of every page has its German', () => {
  expect(said.length).toBeGreaterThan(1_000);
  expect(list(said.filter(({ text }) => !Object.hasOwn(phrases, text) && !SAME.some((one) => one.test(text))))).toEqual(
    [],
  );
});

test('what objects hold to be said, labels and their like, has its German', () => {
  expect(held.length).toBeGreaterThan(200);
  expect(list(held.filter(({ text }) => !Object.hasOwn(phrases, text) && !SAME.some((one) => one.test(text))))).toEqual(
    [],
  );
});

test('no page has words of its own beside those that it says', () => {
  expect(list(bare.filter(({ text }) => !SAME.some((one) => one.test(text))))).toEqual([]);
});

test('nothing is put together of fragments: what is said is whole, with places for what changes', () => {
  const fragment = /^\s|\s$|^[^\p{Lu}\p{N}“{×]|[,(–]$/u;
  expect(list(said.filter(({ text }) => fragment.test(text) && !INSIDE.has(text)))).toEqual([]);
});

test('no sentence runs on into a value beside it', () => {
  expect(list(joined)).toEqual([]);
});

test('a sentence has the same places in German', () => {
  expect(
    Object.entries(phrases).filter(([english, german]) => String(slots(english)) !== String(slots(german))),
  ).toEqual([]);
});

test('no German sentence is empty, or ends otherwise than the English one', () => {
  const end = (text: string): boolean => /[.?]$/.test(text);
  expect(
    Object.entries(phrases).filter(([english, german]) => german.trim() === '' || end(english) !== end(german)),
  ).toEqual([]);
});

test('German has one word for each thing', () => {
  // See the glossary in docs/dapp.md.
  const others = /\b(Pf[aä]nd\w*|Vergaben?|Netz(es)?|Bilanz(en)?|Kennsatz|Zeitschleuse|Kette|[Üü]bertrag\w+)\b/;
  expect(Object.values(phrases).filter((german) => others.test(german) && !/dieser Kette/.test(german))).toEqual([]);
});

test('what templates, levels of assurance and obstacles are called has its German', () => {
  const words = templates.flatMap(({ title, description, files, options }) => [
    ...[title, description, ...files.map(({ description }) => description)],
    ...optionFields(z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' })).flatMap(
      ({ label, hint, choices = [] }) => [label, hint, ...choices],
    ),
  ]);
  const levels = ASSURANCE_LEVELS.flatMap(({ title, text }) => [title, text]);
  const all = [...words, ...levels, ...Object.values(OBSTACLES)];
  expect(all.length).toBeGreaterThan(100);
  expect(all.filter((text) => !Object.hasOwn(phrases, text))).toEqual([]);
});
