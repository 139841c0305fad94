import type { Unindexed } from './types.ts';

/** The events that no table is made from, and why. */
export const UNINDEXED: Readonly<Record<Unindexed | 'Initialized', string>> = {
  Approval: 'spending an allowance emits nothing, so events cannot rebuild it: read it from the token',
  EIP712DomainChanged: 'no contract here ever emits it: it comes with a base whose domain never changes',
  Initialized: 'each surrogate emits it once, when it is made, which the delegation of the stake tells with its owner',
};
