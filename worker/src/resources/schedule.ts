import { Cron } from 'croner';

/** A window of local time on some days of the week, such as `22:00-07:00 weekdays`. */
export interface Window {
  /** The text that it was read from. */
  text: string;
  opens: Cron;
  closes: Cron;
}

/** Whether the hours are open, and when that changes next, unix seconds; undefined when it never does. */
export interface Hours {
  open: boolean;
  changesAt: number | undefined;
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const NAMED: Readonly<Record<string, readonly number[]>> = {
  daily: [0, 1, 2, 3, 4, 5, 6],
  weekdays: [1, 2, 3, 4, 5],
  weekends: [0, 6],
};
const PATTERN = /^([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-4]):([0-5]\d)(?:\s+([a-z,-]+))?$/;
const HELP = 'Write HH:MM-HH:MM and days: daily, weekdays, weekends, or names such as mon,wed,fri or mon-thu.';

/** Says what is wrong with a window. */
export class ScheduleError extends Error {
  override readonly name = 'ScheduleError';
}

/**
 * Reads a window. A window over midnight belongs to the day on which it opens.
 * @throws ScheduleError that says how to write it.
 */
export function parseWindow(text: string, timezone?: string): Window {
  const match = PATTERN.exec(text.trim().toLowerCase());
  const fail = (why: string): never => {
    throw new ScheduleError(`"${text}" is no time window: ${why}. ${HELP}`);
  };
  if (!match) return fail('it cannot be read');
  const [from = 0, fromMinute = 0, to = 0, toMinute = 0] = match.slice(1, 5).map(Number);
  const start = from * 60 + fromMinute;
  const end = to * 60 + toMinute;
  if (end > 24 * 60) return fail('a day has 24 hours');
  if (start === end) return fail('it opens and closes at once; a whole day is 00:00-24:00');
  const days = daysOf(match[5] ?? 'daily') ?? fail('it names a day that there is not');
  const overnight = end <= start || end === 24 * 60;
  const closing = overnight ? days.map((day) => (day + 1) % 7) : days;
  return {
    text,
    opens: cron(start, days, timezone),
    closes: cron(end % (24 * 60), closing, timezone),
  };
}

/** Hours from several windows: open while any of them is. Without a window always open. */
export function hoursAt(windows: readonly Window[], at: number): Hours {
  if (windows.length === 0) return { open: true, changesAt: undefined };
  let open = windows.some((window) => isOpen(window, at));
  const before = open;
  // Windows that follow each other without a gap are one: the change is looked for step by step, a week at most.
  let time = at;
  while (open === before) {
    const next = Math.min(...windows.flatMap(({ opens, closes }) => [after(opens, time), after(closes, time)]));
    if (!Number.isFinite(next) || next > at + WEEK_SECONDS + DAY_SECONDS) return { open: before, changesAt: undefined };
    time = next;
    open = windows.some((window) => isOpen(window, time));
  }
  return { open: before, changesAt: time };
}

const DAY_SECONDS = 24 * 60 * 60;
const WEEK_SECONDS = 7 * DAY_SECONDS;

/** Openings and closings follow each other in turn: it is open when the next thing that happens is a closing. */
function isOpen({ opens, closes }: Window, at: number): boolean {
  return after(closes, at) <= after(opens, at);
}

/** First second after `at` at which it happens. */
function after(when: Cron, at: number): number {
  const next = when.nextRun(new Date(at * 1000));
  return next ? next.getTime() / 1000 : Infinity;
}

function cron(minute: number, days: readonly number[], timezone: string | undefined): Cron {
  const pattern = `0 ${minute % 60} ${Math.floor(minute / 60)} * * ${days.join(',')}`;
  return new Cron(pattern, { paused: true, ...(timezone === undefined ? {} : { timezone }) });
}

function daysOf(text: string): number[] | undefined {
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const named = NAMED[part];
    if (named) {
      for (const day of named) days.add(day);
      continue;
    }
    const [first = '', last = first, more] = part.split('-');
    const from = DAYS.indexOf(first as (typeof DAYS)[number]);
    const to = DAYS.indexOf(last as (typeof DAYS)[number]);
    if (from < 0 || to < 0 || more !== undefined) return undefined;
    for (let day = from; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === to) break;
    }
  }
  return days.size === 0 ? undefined : [...days].sort();
}
