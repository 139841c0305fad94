import type { Deployment } from '@dpu/sdk/deployment';
import { expect, test } from 'vitest';

import { CURRENCY } from '../testing/samples.ts';
import { askQuestions } from './questions.ts';

const network = { currencies: [{ address: CURRENCY, symbol: 'DPU', decimals: 18 }] } as unknown as Deployment;

async function answer(answers: string[], given: string[] = []) {
  const asked: string[] = [];
  const said: string[] = [];
  const found = await askQuestions(
    async (question) => {
      asked.push(question.slice(0, 3));
      return answers.shift() ?? '';
    },
    {
      ...{ given: new Set(given), deployment: 'net.json', dataDir: './data', cores: 4 },
      readNetwork: (file) => {
        if (file !== 'net.json') throw new Error(`There is no ${file}.`);
        return network;
      },
      print: (line) => said.push(line),
    },
  );
  return { found, asked, said };
}

test('Enter five times takes what is proposed', async () => {
  const { found, asked } = await answer([]);
  expect(asked).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5']);
  expect(found).toEqual({ deployment: 'net.json', dataDir: './data', slots: '4' });
});

test('answers become settings, and what cannot be used is asked for again', async () => {
  const { found, said } = await answer([
    ...['other.json', 'net.json', '/srv/dpu', 'many', '0', '2', 'a lot', '0.25', 'at night', '22:00-07:00 weekdays'],
  ]);
  expect(found).toEqual({
    ...{ deployment: 'net.json', dataDir: '/srv/dpu', slots: '2', schedule: '22:00-07:00 weekdays' },
    asks: `${CURRENCY}=250000000000000000`,
  });
  expect(said.map((line) => line.slice(0, 24))).toEqual([
    'There is no other.json.',
    'A number from 1 to 1024.',
    'A number from 1 to 1024.',
    'An amount of DPU, such a',
    '"at night" is no time wi',
  ]);
});

test('does not ask for what was given, and idle is a setting of its own', async () => {
  const { found, asked } = await answer(['idle'], ['deployment', 'dataDir', 'slots', 'asks']);
  expect(asked).toEqual(['5/5']);
  expect(found).toEqual({ onlyWhenIdle: 'true' });
  expect((await answer([], ['schedule'])).asked).toEqual(['1/5', '2/5', '3/5', '4/5']);
});
