import type { Analysis } from './analyse.ts';
import { STACK_SLOTS } from './limits.ts';
import type { Module } from './parse.ts';

const NEW = -1;

/** Groups of functions that can call each other, callees first; Tarjan's algorithm without recursion. */
function* groups(callees: readonly (readonly number[])[]): Generator<readonly number[]> {
  const order = new Int32Array(callees.length).fill(NEW);
  const lowest = new Int32Array(callees.length);
  const isOpen = new Uint8Array(callees.length);
  const open: number[] = [];
  const path: { readonly of: number; next: number }[] = [];
  let visited = 0;
  const enter = (of: number): void => {
    order[of] = lowest[of] = visited++;
    isOpen[of] = 1;
    open.push(of);
    path.push({ of, next: 0 });
  };
  for (let root = 0; root < callees.length; root++) {
    if (order[root] === NEW) enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { of } = top;
      const callee = callees[of]![top.next++];
      if (callee !== undefined) {
        if (order[callee] === NEW) enter(callee);
        else if (isOpen[callee] === 1) lowest[of] = Math.min(lowest[of]!, order[callee]!);
        continue;
      }
      path.pop();
      const caller = path.at(-1)?.of;
      if (caller !== undefined) lowest[caller] = Math.min(lowest[caller]!, lowest[of]!);
      if (lowest[of] !== order[of]) continue;
      const group = open.splice(open.lastIndexOf(of));
      for (const member of group) isOpen[member] = 0;
      yield group;
    }
  }
}

/** What a function does to the count of stack slots when it is entered. */
export interface StackShare {
  /** Slots that must be left; 0 where nothing is counted. */
  readonly needed: number;
  /** Slots that it takes until it returns. */
  readonly taken: number;
}

const NOTHING: StackShare = { needed: 0, taken: 0 };

/**
 * Who counts the stack, and how much. Only a function that may run again below itself, or be called by something other
 * than a call of its own name, counts while it runs. It stands in for the functions it calls that do not count, on the
 * deepest way: all of them must have room, and it takes those that stay on the stack below the next one that counts.
 * A function that calls none is never counted.
 */
export function planStack(module: Module, analyses: readonly Analysis[]): readonly StackShare[] {
  const first = module.imports.length;
  const callees = analyses.map((analysis) => analysis.callees.map((index) => index - first));
  const counts = analyses.map((_, i) => module.referenced.has(first + i));
  const needed = new Float64Array(analyses.length);
  const taken = new Float64Array(analyses.length);
  for (const group of groups(callees)) {
    if (group.length > 1 || callees[group[0]!]!.includes(group[0]!)) for (const member of group) counts[member] = true;
    for (const member of group) {
      const { calls, callsByTable, slots } = analyses[member]!;
      if (!calls) continue;
      let room = 0;
      let kept = 0;
      let reaches = counts[member]! || callsByTable;
      for (const callee of callees[member]!) {
        if (counts[callee]) reaches = true;
        else {
          room = Math.max(room, needed[callee]!);
          kept = Math.max(kept, taken[callee]!);
        }
      }
      // One slot more than there are is enough to fail, and stays a small number.
      needed[member] = Math.min(slots + room, STACK_SLOTS + 1);
      taken[member] = reaches || kept > 0 ? Math.min(slots + kept, STACK_SLOTS + 1) : 0;
    }
  }
  return analyses.map(({ calls }, i) => (counts[i] && calls ? { needed: needed[i]!, taken: taken[i]! } : NOTHING));
}
