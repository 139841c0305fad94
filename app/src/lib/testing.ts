import { vi } from 'vitest';

/**
 * Stands in for Svelte's compiler in tests of state classes: without a page nobody watches, so a state is simply its value.
 * Call it before importing a `.svelte.ts` module.
 */
export function plainRunes(): void {
  const state = <Value>(value: Value): Value => value;
  vi.stubGlobal('$state', Object.assign(state, { raw: state }));
}
