/** The files that a person brings to a template: whether they are those it knows, and what settings.json says. */
import type { z } from 'zod';

import { problemsOf, type Problem } from '../problems.ts';
import { TemplateError, type TemplateFile } from './types.ts';

/** Names one file of a template after the other. */
const listOf = (files: readonly TemplateFile[]): string => files.map(({ name }) => name).join(', ');

/** Everything that is wrong with files one by one: those that a template does not know, that are empty, or too long. */
export function fileProblems(files: readonly TemplateFile[], provided: ReadonlyMap<string, Uint8Array>): Problem[] {
  return [...provided].flatMap(([path, { length }]): Problem[] => {
    const known = files.find(({ name }) => name === path);
    if (known === undefined) return [{ path, sentence: `is not used: bring ${listOf(files)}` }];
    if (length === 0) return [{ path, sentence: 'is empty' }];
    return length > known.maxBytes
      ? [{ path, sentence: `is ${length} bytes long, the most is ${known.maxBytes}` }]
      : [];
  });
}

/**
 * What a person's `settings.json` says.
 * @throws TemplateError of `template` that lists everything wrong with the file.
 */
export function readSettings<Schema extends z.ZodType>(
  template: string,
  schema: Schema,
  bytes: Uint8Array,
): z.output<Schema> {
  const refuse = (problems: readonly Problem[]): never => {
    throw new TemplateError(
      template,
      problems.map(({ path, sentence }) => ({ path: path ? `settings.json: ${path}` : 'settings.json', sentence })),
    );
  };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return refuse([{ path: '', sentence: 'is not JSON' }]);
  }
  const parsed = schema.safeParse(value, { reportInput: true });
  return parsed.success ? parsed.data : refuse(problemsOf(parsed.error));
}
