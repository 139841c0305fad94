/** What a template is: a kind of job that people choose by name instead of writing a spec. */
import type { CID } from 'multiformats/cid';
import type { z } from 'zod';

import type { Problem } from '../problems.ts';
import type { JobSpecInput } from '../spec.ts';

/** A file that a person may bring. */
export interface TemplateFile {
  /** Its name in `files` and under `/in`. */
  readonly name: string;
  /** Shown beside the file chooser. */
  readonly description: string;
  /** File name endings, for a chooser's filter: `['.obj']`. */
  readonly accept: readonly string[];
  /** Largest size in bytes. */
  readonly maxBytes: number;
}

/** What a template needs of its surroundings; the browser and Node provide it differently. */
export interface TemplateContext {
  /** The bytes of a built asset (`sdk/modules/build/<name>`), such as `pathtracer.wasm`. */
  asset(name: string): Promise<Uint8Array>;
  /** Stores a file and returns its CID once it is complete. `StorageBackend.addFile` fits. */
  addFile(bytes: Uint8Array): Promise<{ readonly cid: CID | string }>;
}

/** The specs of what is to be posted, in order: each after the first runs on the results of the one before it. */
export interface PreparedJobs {
  readonly jobs: readonly [JobSpecInput, ...JobSpecInput[]];
}

/** A kind of job. */
export interface Template {
  /** Names it in commands and links. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** Schema of the options, each with a default and a description, so that forms can be made of it. */
  readonly options: z.ZodObject;
  /** Files that may be brought; all are optional. */
  readonly files: readonly TemplateFile[];
  /**
   * Checks options and files, stores what the jobs need, and returns their specs.
   * @throws TemplateError that lists everything wrong with the options or the files.
   */
  prepare(options: unknown, files: ReadonlyMap<string, Uint8Array>, context: TemplateContext): Promise<PreparedJobs>;
}

/** Thrown when a template's options or files are not right. `problems` lists everything that is wrong. */
export class TemplateError extends Error {
  readonly template: string;
  readonly problems: readonly Problem[];

  constructor(template: string, problems: readonly Problem[]) {
    const list = problems.map(({ path, sentence }) => (path ? `${path}: ${sentence}` : sentence)).join('; ');
    super(`The ${template} job cannot be prepared: ${list}.`);
    this.name = 'TemplateError';
    this.template = template;
    this.problems = problems;
  }
}
