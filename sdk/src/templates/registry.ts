/** All templates, by name. */
import { blender } from './blender.ts';
import { container } from './container.ts';
import { gpu } from './gpu.ts';
import { inference } from './inference.ts';
import { learn } from './learn.ts';
import { render } from './render.ts';
import { train } from './train.ts';
import type { Template } from './types.ts';
import { video } from './video.ts';
import { wasm } from './wasm.ts';

/** Every template, in the order in which they are shown. */
export const templates: readonly Template[] = [render, gpu, inference, train, learn, video, wasm, container, blender];

/** Thrown when no template has the name that was asked for. */
export class UnknownTemplateError extends Error {
  readonly retryable = false;
  readonly id: string;
  readonly known: readonly string[];

  constructor(id: string, known: readonly string[]) {
    super(`There is no template called ${JSON.stringify(id)}. Choose one of: ${known.join(', ')}.`);
    this.name = 'UnknownTemplateError';
    this.id = id;
    this.known = known;
  }
}

/**
 * The template called `id`.
 * @throws UnknownTemplateError that lists the known ones.
 */
export function templateNamed(id: string): Template {
  const found = templates.find((template) => template.id === id);
  if (found === undefined)
    throw new UnknownTemplateError(
      id,
      templates.map((template) => template.id),
    );
  return found;
}
