import { problemOf, sayBounds, sayEffect, type Facts, type Setting } from './settings.ts';
import { inputText, readValue, sayValue, type Value } from './values.ts';

/** A change that is being written: a setting, and what stands in its field. */
export interface Edit {
  id: string;
  text: string;
}

/** An edit, read. */
export interface ReadEdit {
  setting: Setting;
  text: string;
  from: Value | undefined;
  /** Value in force, in words. */
  before: string;
  /** What the contracts allow, in words; undefined when everything. */
  allowed: string | undefined;
  /** The new value, once it is one that can be set and differs. */
  value: Value | undefined;
  problem: string | undefined;
  /** What it means, once there is a value. */
  effect: string | undefined;
}

/** Thrown when what is in force changed while a proposal was being written, so that it no longer says what it was meant to. */
export class FormOutdated extends Error {
  override readonly name = 'FormOutdated';
  readonly retryable = false;
  readonly action = 'Look at your changes again, then propose.';

  constructor() {
    super('What is in force has changed since you wrote this.');
  }
}

/** A field for `setting` that begins with the value in force (a switch with the other one). */
export function newEdit(setting: Setting, facts: Facts): Edit {
  const value = setting.read(facts);
  if (typeof value === 'boolean') return { id: setting.id, text: String(!value) };
  return { id: setting.id, text: value === undefined ? '' : inputText(setting.unit, value) };
}

/** Reads the fields against what is in force and what the contracts allow. An edit of an unknown setting is left out. */
export function readEdits(edits: readonly Edit[], settings: readonly Setting[], facts: Facts): ReadEdit[] {
  const wanted = (id: string): number | undefined => {
    const edit = edits.find((candidate) => candidate.id === id);
    const read = edit && readValue('bps', edit.text);
    return read && 'value' in read ? Number(read.value) : undefined;
  };
  const { params } = facts.force;
  const burnBps = wanted('params.burnBps') ?? params.burnBps;
  const retryBps = wanted('params.retryBps') ?? params.retryBps;
  return edits.flatMap(({ id, text }): ReadEdit[] => {
    const setting = settings.find((candidate) => candidate.id === id);
    if (!setting) return [];
    const from = setting.read(facts);
    const bounds = setting.bounds?.(facts, burnBps);
    const read = readValue(setting.unit, text);
    const base = {
      setting,
      text,
      from,
      before: from === undefined ? 'nothing' : sayValue(setting.unit, from),
      allowed: bounds && sayBounds(setting, bounds),
      value: undefined,
      problem: undefined,
      effect: undefined,
    };
    if ('problem' in read) return [{ ...base, problem: text.trim() === '' ? undefined : read.problem }];
    const { value } = read;
    const problem =
      problemOf(setting, value, facts, burnBps) ??
      (id === 'params.burnBps' && retryBps > 10_000 - burnBps
        ? 'More would be burnt and paid for the retry than was slashed: lower the retry part too.'
        : undefined);
    if (problem) return [{ ...base, problem }];
    if (String(from).toLowerCase() === String(value).toLowerCase()) return [base];
    return [{ ...base, value, effect: sayEffect(setting, from, value) }];
  });
}
