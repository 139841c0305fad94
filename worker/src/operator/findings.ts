/** One thing that was looked at. `weak`: it works, but not as well as it could. `bad`: the node cannot work like this. */
export interface Finding {
  what: string;
  state: 'good' | 'weak' | 'bad';
  /** One sentence of facts. */
  detail: string;
  /** What to do about it; undefined when it is good. */
  action?: string | undefined;
}

const SIGNS = { good: 'ok  ', weak: 'WEAK', bad: 'BAD ' } as const;

/** Findings as lines for a person. */
export function findingLines(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ what, state, detail, action }) => [
    `${SIGNS[state]} ${what}: ${detail}`,
    ...(action === undefined ? [] : [`     → ${action}`]),
  ]);
}

export const good = (what: string, detail: string): Finding => ({ what, state: 'good', detail });
export const weak = (what: string, detail: string, action: string): Finding => ({
  what,
  state: 'weak',
  detail,
  action,
});
export const bad = (what: string, detail: string, action: string): Finding => ({ what, state: 'bad', detail, action });
