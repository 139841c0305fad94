import { expect, test } from 'vitest';
import { z } from 'zod';

import { optionFields, optionValues } from './fields.ts';

const schema = z.toJSONSchema(
  z.strictObject({
    tileWidth: z.int().min(1).max(8192).default(160).describe('Width of a tile'),
    ground: z.boolean().default(true).describe('A floor'),
    style: z.string().default('plain'),
    codec: z.enum(['h264', 'av1']).default('av1'),
    list: z.array(z.string()).default([]),
  }),
  { io: 'input' },
);

test('numbers, switches, choices and texts become fields with their bounds, defaults and descriptions', () => {
  expect(optionFields(schema)).toEqual([
    {
      name: 'tileWidth',
      label: 'Tile width',
      hint: 'Width of a tile',
      kind: 'number',
      initial: 160,
      min: 1,
      max: 8192,
    },
    { name: 'ground', label: 'Ground', hint: 'A floor', kind: 'boolean', initial: true },
    { name: 'style', label: 'Style', hint: '', kind: 'text', initial: 'plain' },
    { name: 'codec', label: 'Codec', hint: '', kind: 'choice', initial: 'av1', choices: ['h264', 'av1'] },
  ]);
});

test('a schema without properties makes no fields', () => {
  expect(optionFields({})).toEqual([]);
});

test('an empty or broken number is not taken for zero', () => {
  const values = optionValues(optionFields(schema), { tileWidth: ' ', ground: true, codec: 'h264' });
  expect(values).toEqual({ tileWidth: Number.NaN, ground: true, style: '', codec: 'h264' });
});
