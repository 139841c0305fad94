/** Thrown when the person at the terminal must act. The message says what happened and what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** The sentence of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
