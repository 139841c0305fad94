import type { Hex } from 'viem';

/** A job of a transaction, and the one that it waits for. */
interface Posted {
  id: Hex;
  terms: { afterJob: Hex };
}

/** The jobs that were posted together with job `id` and run one after the other, it included, in that order. */
export function chainOf(posted: readonly Posted[], id: Hex): Hex[] {
  const same = (a: Hex, b: Hex): boolean => a.toLowerCase() === b.toLowerCase();
  const self = posted.find((job) => same(job.id, id));
  if (!self) return [id];
  const chain = [self];
  for (;;) {
    const [head] = chain as [Posted];
    const before = posted.find((job) => same(job.id, head.terms.afterJob));
    if (!before) break;
    chain.unshift(before);
  }
  for (;;) {
    const tail = chain.at(-1) as Posted;
    const next = posted.find(({ terms }) => same(terms.afterJob, tail.id));
    if (!next) return chain.map((job) => job.id);
    chain.push(next);
  }
}
