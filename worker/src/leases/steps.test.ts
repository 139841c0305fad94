import { SEAT } from '@dpu/sdk/lease';
import { expect, test } from 'vitest';

import { bytes32, RESULT, sampleHead, sampleLease, sampleTerms } from '../testing/samples.ts';
import { nextStep, type StepFacts } from './steps.ts';

const promised = { result: RESULT, salt: bytes32(0x5) };
const facts = (time: number, over: Partial<StepFacts> = {}): StepFacts => ({
  head: sampleHead(20, time),
  nextTime: time + 1,
  promised: undefined,
  running: false,
  failed: false,
  reveal: undefined,
  boundBlock: 20,
  agreeAt: undefined,
  lastWord: 'no',
  revealConfirmations: 1,
  ...over,
});
const direct = sampleTerms({ direct: true });
const committed = sampleLease({ phase: 'committed', lease: { commitment: bytes32(0xc), committedBlock: 20 } });
const times = { opens: 1_050, closes: 1_650 };

test.each([
  ['runs when nothing of it is here', 'run', sampleLease(), facts(1_000)],
  ['waits while it runs', 'wait', sampleLease(), facts(1_000, { running: true })],
  ['is lost for now when this node gave it up', 'lost', sampleLease(), facts(1_000, { failed: true })],
  ['commits what is on disk', 'commit', sampleLease(), facts(1_000, { promised })],
  ['submits what is on disk, for a direct job', 'submit', sampleLease({ terms: direct }), facts(1_000, { promised })],
  ['commits in the last good second', 'commit', sampleLease(), facts(1_100, { promised })],
  ['lapses one second later', 'lapse', sampleLease(), facts(1_101, { promised })],
  ['lapses although it still runs', 'lapse', sampleLease(), facts(1_101, { running: true })],
])('a claimed lease %s', (_sentence, step, lease, given) => {
  expect(nextStep(lease, given)).toBe(step);
});

test.each([
  ['reveals at once when no audit was drawn', 'reveal', facts(1_050, { promised, reveal: times })],
  ['waits for the block that draws audits', 'wait', facts(1_050, { promised })],
  ['waits a second too early', 'wait', facts(1_048, { promised, reveal: times })],
  ['reveals when the next block is the first good one', 'reveal', facts(1_049, { promised, reveal: times })],
  ['reveals in the last good second', 'reveal', facts(1_650, { promised, reveal: times })],
  ['lapses one second later', 'lapse', facts(1_651, { promised, reveal: times })],
  [
    'waits for more confirmations where they are asked for',
    'wait',
    facts(1_050, { promised, reveal: times, revealConfirmations: 2 }),
  ],
  ['is computed again when its result is gone with the journal', 'run', facts(1_050, { reveal: times })],
  ['waits while it is computed again', 'wait', facts(1_050, { reveal: times, running: true })],
  ['is lost when it cannot be computed again', 'lost', facts(1_050, { reveal: times, failed: true })],
])('a committed lease %s', (_sentence, step, given) => {
  expect(nextStep(committed, given)).toBe(step);
});

test.each([
  ['waits for its window', 'wait', 1_089],
  ['is settled when the next block is the first after the window', 'settle', 1_090],
])('a revealed lease %s', (_sentence, step, time) => {
  expect(nextStep(sampleLease({ phase: 'revealed', revealedAt: 1_060 }), facts(time))).toBe(step);
});

const seat = { flags: SEAT };
test.each([
  ['waits while others may still commit', 'wait', facts(1_060, { promised })],
  ['is shown once the panel is ready', 'reveal', facts(1_060, { promised, reveal: times })],
  [
    'waits until the last commit of the panel is deep enough',
    'wait',
    facts(1_060, { promised, reveal: times, boundBlock: 20, revealConfirmations: 2 }),
  ],
  [
    'counts confirmations from the last commit, not its own',
    'reveal',
    facts(1_060, { promised, reveal: times, boundBlock: 19, revealConfirmations: 2 }),
  ],
  [
    'never lapses once committed, but waits for the end of its panel',
    'wait',
    facts(1_651, { promised, reveal: times }),
  ],
  [
    'ends its panel with what it shows, when it is the last',
    'agree',
    facts(1_060, { promised, reveal: times, lastWord: 'now' }),
  ],
  ['leaves the first word to others', 'wait', facts(1_060, { promised, reveal: times, lastWord: 'wait' })],
  [
    'says nothing before its time, not even the last word',
    'wait',
    facts(1_048, { promised, reveal: times, lastWord: 'now' }),
  ],
  ['ends its panel all the same', 'agree', facts(1_651, { promised, reveal: times, agreeAt: 1_652 })],
])('a committed seat %s', (_sentence, step, given) => {
  const bound = sampleLease({ ...committed, seated: true, lease: { ...committed.lease, ...seat } });
  expect(nextStep(bound, given)).toBe(step);
});

test.each([
  ['waits while nobody can say when', 'wait', undefined],
  ['waits for its turn', 'wait', 1_072],
  ['ends its panel when it is its turn', 'agree', 1_071],
])('a revealed seat %s', (_sentence, step, agreeAt) => {
  const shown = sampleLease({ phase: 'revealed', revealedAt: 1_000, lease: seat });
  expect(nextStep(shown, facts(1_070, { agreeAt }))).toBe(step);
});

test('a lease that has ended needs nothing', () => {
  expect(nextStep(sampleLease({ phase: 'settled' }), facts(9_999))).toBe('wait');
  expect(nextStep(sampleLease({ phase: 'lapsed' }), facts(9_999))).toBe('wait');
});
