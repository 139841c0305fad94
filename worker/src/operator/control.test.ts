import { expect, test } from 'vitest';

import { Journal } from '../sending/journal.ts';
import { silentLog } from '../log.ts';
import { openControl } from './control.ts';

function setup(journal = new Journal({ file: ':memory:' })) {
  const done: string[] = [];
  const claimer = { drain: (then: string) => done.push(`drain, ${then}`), resume: () => done.push('resume') };
  const said: string[] = [];
  const control = openControl({ journal, claimer, log: { ...silentLog, warn: (message) => said.push(message) } });
  return { control, done, said, journal };
}

test('a drained node is still drained after a restart, until it is told to go on', () => {
  const first = setup();
  expect([first.done, first.said]).toEqual([[], []]);
  first.control.drain();
  const second = setup(first.journal);
  expect(second.done).toEqual(['drain, stay']);
  expect(second.said).toEqual(['No new work is taken: the node was drained before it was started']);
  second.control.resume();
  expect(setup(first.journal).done).toEqual([]);
});

test('a node that left works again when it is started again', () => {
  const first = setup();
  first.control.drain();
  first.control.leave();
  expect(first.done).toEqual(['drain, stay', 'drain, leave']);
  expect(setup(first.journal).done).toEqual([]);
});
