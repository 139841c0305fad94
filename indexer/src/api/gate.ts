import { ProblemError } from './problem.ts';

/** What a free query may take, milliseconds. */
export const QUERY_MS = 2_000;
/** Free queries that run at once. */
const QUERIES = 8;

/** Lets so many through at once and refuses the rest. */
export class Gate {
  #running = 0;
  readonly #most: number;

  constructor(most: number = QUERIES) {
    this.#most = most;
  }

  /**
   * Runs `work`, which keeps its place until it is done, even if its answer comes too late for whoever asked.
   * @throws ProblemError when all places are taken.
   */
  async run<Answer>(work: () => Promise<{ answer: Promise<Answer>; done: Promise<unknown> }>): Promise<Answer> {
    if (this.#running >= this.#most) {
      const sentence = `${this.#most} queries run, which is all that this indexer runs at once; come back in a second`;
      throw new ProblemError('overloaded', sentence, { headers: { 'retry-after': '1' } });
    }
    this.#running += 1;
    const { answer, done } = await work();
    void done.catch(() => undefined).finally(() => (this.#running -= 1));
    return answer;
  }
}

/** Runs `work` and answers `late` when it takes longer than a query may. */
export async function withinTime<Answer>(
  work: () => Promise<Answer>,
  ms: number = QUERY_MS,
): Promise<{ answer: Promise<Answer | 'late'>; done: Promise<unknown> }> {
  const done = work();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  const answer = Promise.race([done, late]).finally(() => clearTimeout(timer));
  return { answer, done };
}
