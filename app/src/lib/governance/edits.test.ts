import { describe, expect, test } from 'vitest';

import { newEdit, readEdits } from './edits.ts';
import { openAfter } from './open.ts';
import { settingsOf } from './settings.ts';
import { ANN, DEPLOYMENT, DOLLAR, FACTS, TIMELOCK, TOKEN } from './testing.ts';

const settings = settingsOf(DEPLOYMENT.currencies);
const read = (...edits: [id: string, text: string][]) =>
  readEdits(
    edits.map(([id, text]) => ({ id, text })),
    settings,
    FACTS,
  ).map(({ value, problem }) => value ?? problem);

describe('a new field', () => {
  test.each([
    ['params.feeBps', '3'],
    ['params.bondTenths', '4'],
    ['unbonding', '7 d'],
    ['proposalThreshold', '2500000'],
    ['quorumPercent', '4'],
    ['treasury', TIMELOCK],
    ['seats', 'true'],
    [`currency.${TOKEN}`, 'false'],
  ])('of %s begins with %s', (id, text) => {
    const setting = settings.find((candidate) => candidate.id === id);
    if (!setting) throw new Error(`no ${id}`);
    expect(newEdit(setting, FACTS)).toEqual({ id, text });
  });

  test('holds the value in force and so asks for nothing; a switch holds the other one', () => {
    for (const setting of settings) {
      const [edit] = readEdits([newEdit(setting, FACTS)], settings, FACTS);
      expect([edit?.value, edit?.problem], setting.id).toEqual(
        setting.unit === 'switch' ? [!setting.read(FACTS), undefined] : [undefined, undefined],
      );
    }
  });
});

describe('what was typed', () => {
  test.each([
    ['params.feeBps', '2.5', 250n],
    ['params.feeBps', '10', 1_000n],
    ['params.feeBps', '10.01', 'The contracts allow 0 % to 10 %.'],
    ['params.feeBps', '2.555', 'A share in per cent, with at most two digits after the point.'],
    ['params.bondTenths', '0.5', 5n],
    ['unbonding', '8 d', 691_200n],
    ['unbonding', '6 d 23 h', 'The contracts allow 7 d to 60 d.'],
    ['audits.1', '2', 200n],
    ['audits.1', '2.5', 'It is 0, 1, 2 or 5 %.'],
    ['audits.1', '5', 'The contracts allow 0 % to 3 %.'],
    ['unbonding', '5', 'A length of time, such as 2 d, 36 h or 1 h 30 min.'],
    ['minStake', '1,000.5', 'Whole DPU only.'],
    ['quorumPercent', '20', 20n],
    ['quorumPercent', '21', 'The contracts allow 1 % to 20 %.'],
    ['quorumPercent', '4.5', 'A whole number of per cent.'],
    ['treasury', ANN, ANN],
    ['treasury', '0x12', 'An address: 0x and 40 hexadecimal digits.'],
    ['treasury', `0x${'0'.repeat(40)}`, 'An address: 0x and 40 hexadecimal digits.'],
    [`currency.${DOLLAR}`, 'true', true],
    ['params.feeBps', ' ', undefined],
  ] as const)('%s: %s', (id, text, answer) => {
    expect(read([id, text])).toEqual([answer]);
  });

  test('the burnt and the retry part of a slash are bounded by each other, whichever is changed', () => {
    expect(read(['params.retryBps', '50'])).toEqual([5_000n]);
    expect(read(['params.retryBps', '50.01'])).toEqual(['The contracts allow 0 % to 50 %.']);
    expect(read(['params.burnBps', '60'])).toEqual([6_000n]);
    expect(read(['params.burnBps', '60.01'])).toEqual([
      'More would be burnt and paid for the retry than was slashed: lower the retry part too.',
    ]);
    expect(read(['params.burnBps', '70'], ['params.retryBps', '30'])).toEqual([7_000n, 3_000n]);
    expect(read(['params.burnBps', '70'], ['params.retryBps', '31'])[1]).toBe('The contracts allow 0 % to 30 %.');
  });

  test('a setting that this network does not have is left out', () => {
    expect(read(['mint', '1'])).toEqual([]);
  });
});

test('what is open follows the last switch that is not younger than the block', () => {
  const switches = [
    { what: { kind: 'currency', address: TOKEN }, allowed: true, block: 1n },
    { what: { kind: 'runtime', id: 3 }, allowed: true, block: 2n },
    { what: { kind: 'seats' }, allowed: true, block: 3n },
    { what: { kind: 'runtime', id: 3 }, allowed: false, block: 4n },
    { what: { kind: 'currency', address: TOKEN }, allowed: false, block: 5n },
  ] as const;
  const at = (until?: bigint) => {
    const { currencies, runtimes, seats } = openAfter(switches, until);
    return [[...currencies], [...runtimes], seats];
  };
  expect(at(0n)).toEqual([[], [], false]);
  expect(at(2n)).toEqual([[TOKEN], [3], false]);
  expect(at(3n)).toEqual([[TOKEN], [3], true]);
  expect(at()).toEqual([[], [], true]);
});
