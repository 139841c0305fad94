/** Turns schema failures into sentences that a person can act on. */
import type * as z from 'zod';

/** One thing that is wrong: where, and a sentence about it. `path` is empty when it concerns the whole value. */
export interface Problem {
  path: string;
  sentence: string;
}

const NOUNS: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  bigint: 'a whole number',
  array: 'a list',
  object: 'an object',
  boolean: 'true or false',
};

/** Writes a path as people read it: `inputs[0].name`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part)),
    '',
  );
}

/** Every problem of a parse that failed with `reportInput: true` (it tells what is missing from what is wrong). */
export function problemsOf(error: Pick<z.core.$ZodError, 'issues'>): Problem[] {
  return error.issues.map((issue) => ({ path: formatPath(issue.path), sentence: sentenceOf(issue) }));
}

function sentenceOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      if ('input' in issue && issue.input === undefined) return 'is missing';
      return issue.message.startsWith('Invalid input')
        ? `must be ${NOUNS[issue.expected] ?? issue.expected}`
        : issue.message;
    case 'invalid_value':
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'unrecognized_keys':
      return `has ${issue.keys.length === 1 ? 'an unknown field' : 'unknown fields'}: ${issue.keys.join(', ')}`;
    case 'invalid_union':
      return issue.message === 'Invalid input' ? 'has none of the allowed forms' : issue.message;
    default:
      return issue.message;
  }
}
