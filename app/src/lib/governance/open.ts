import type { Switch } from '@dpu/sdk/governanceHistory';

/** What is open for new money and new jobs. */
export interface Open {
  /** Addresses in lower case. */
  currencies: ReadonlySet<string>;
  runtimes: ReadonlySet<number>;
  seats: boolean;
}

/** What was open after the last of `switches` that is not younger than block `until`. */
export function openAfter(switches: readonly Switch[], until?: bigint): Open {
  const currencies = new Set<string>();
  const runtimes = new Set<number>();
  let seats = false;
  for (const { what, allowed, block } of switches) {
    if (until !== undefined && block > until) break;
    if (what.kind === 'seats') seats = allowed;
    else if (what.kind === 'runtime') toggle(runtimes, what.id, allowed);
    else toggle(currencies, what.address.toLowerCase(), allowed);
  }
  return { currencies, runtimes, seats };
}

function toggle<Key>(set: Set<Key>, key: Key, present: boolean): void {
  if (present) set.add(key);
  else set.delete(key);
}
