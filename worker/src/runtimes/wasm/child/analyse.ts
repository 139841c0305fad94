import { decode, newStep, VALUE, type Step } from './decode.ts';
import { CALL_SLOTS, LIMITS } from './limits.ts';
import { OP } from './opcodes.ts';
import type { Body, FunctionType, Module } from './parse.ts';
import { Reader } from './reader.ts';
import { ModuleRejected } from './rejection.ts';
import { functionType } from './validate.ts';

/** What has to be known about a function before its first instruction can be written. */
export interface Analysis {
  /** Charged operations on entry: everything outside loops. */
  readonly entryCost: number;
  /** Charged operations per turn of each loop, in the order of the loops' heads; inner loops not included. */
  readonly loopCosts: readonly number[];
  /** Stack slots one call of this function holds. */
  readonly slots: number;
  /** Whether it calls functions of the module; one that does not cannot recurse. */
  readonly calls: boolean;
  /** Whether it calls through a table. */
  readonly callsByTable: boolean;
  /** Functions of the module that it calls by name, each once. */
  readonly callees: readonly number[];
  /** Where the meter is kept while it runs, and whether its own charge is checked. */
  readonly metering: Metering;
  /** Whether it computes with vectors. */
  readonly simd: boolean;
}

/**
 * `global`: in the global variable. `local`: in a local variable, which is handed over at calls and exits: worth it where
 * loops turn more often than calls are made. `unchecked`: a short function without loops and calls only charges; the
 * next check that its caller meets finds what is missing.
 */
export type Metering = 'global' | 'local' | 'unchecked';

/** Operations that a function may run over the limit before it is noticed. */
const UNCHECKED_OPERATIONS = 1_000;
/** How often a loop is thought to turn, and below how many loops that is still told apart. */
const TURNS = 8;
const DEEPEST = 8;

interface Frame {
  /** Operand height below the block's parameters. */
  readonly height: number;
  readonly params: number;
  readonly results: number;
  /** The loop that pays for what follows the block; -1 is the function's entry. */
  readonly payer: number;
  readonly isLoop: boolean;
  readonly dead: boolean;
}

/** Instructions that are charged by their operands, in functions of our own. */
const HELPED: ReadonlySet<number> = new Set([
  OP.memoryGrow,
  OP.memoryInit,
  OP.memoryCopy,
  OP.memoryFill,
  OP.tableGrow,
  OP.tableInit,
  OP.tableCopy,
  OP.tableFill,
]);

const often = (depth: number): number => TURNS ** Math.min(depth, DEEPEST);

/** The type of a call's function. */
export function calleeOf(module: Module, step: Step): FunctionType {
  const callee = functionType(module, step.index);
  if (callee === undefined) throw new ModuleRejected(`there is no function ${step.index}`, step.start);
  return callee;
}

/** The type that an indirect call names. */
export function calleeOfType(module: Module, step: Step): FunctionType {
  const callee = module.types[step.index];
  if (callee === undefined) throw new ModuleRejected(`there is no type ${step.index}`, step.start);
  return callee;
}

/** How many values a block takes and leaves. */
export function blockArity(module: Module, step: Step): { params: number; results: number } {
  if (step.blockType < 0) return { params: 0, results: step.hasResult ? 1 : 0 };
  const type = module.types[step.blockType];
  if (type === undefined) throw new ModuleRejected(`there is no type ${step.blockType}`, step.start);
  return { params: type.params.length, results: type.results.length };
}

/** Walks one function: costs by loop, and the most operands it ever holds. Expects a module that V8 finds valid. */
export function analyse(module: Module, body: Body): Analysis {
  const reader = new Reader(module.bytes, body.code, body.end);
  const step = newStep();
  const type = module.types[body.type]!;
  const frames: Frame[] = [
    { height: 0, params: 0, results: type.results.length, payer: -1, isLoop: false, dead: false },
  ];
  const loopCosts: number[] = [];
  let entryCost = 1;
  let payer = -1;
  let height = 0;
  let highest = 0;
  let dead = false;
  let calls = false;
  let callsByTable = false;
  let simd = false;
  const callees = new Set<number>();
  let depth = 0;
  let turns = 0;
  let handovers = 0;

  const move = (pops: number, pushes: number): void => {
    if (dead) return;
    height += pushes - pops;
    if (height > highest) highest = height;
  };
  while (frames.length > 0) {
    decode(reader, step);
    if (payer < 0) entryCost += step.what.weight;
    else loopCosts[payer]! += step.what.weight;
    if (step.op >= 0xfd0000) simd = true;

    switch (step.op) {
      case OP.block:
      case OP.loop:
      case OP.if: {
        if (step.op === OP.if) move(1, 0);
        const { params, results } = blockArity(module, step);
        if (frames.length >= LIMITS.nesting) {
          throw new ModuleRejected(`blocks are nested deeper than ${LIMITS.nesting}`, step.start);
        }
        frames.push({
          height: dead ? height : height - params,
          params,
          results,
          payer,
          isLoop: step.op === OP.loop,
          dead,
        });
        if (step.op === OP.loop) {
          payer = loopCosts.length;
          loopCosts.push(1);
          depth++;
          turns += often(depth);
        }
        break;
      }
      case OP.else: {
        const frame = frames.at(-1)!;
        height = frame.height + frame.params;
        dead = frame.dead;
        break;
      }
      case OP.end: {
        const frame = frames.pop()!;
        height = frame.height + frame.results;
        dead = frame.dead;
        if (frame.isLoop) depth--;
        payer = frame.payer;
        if (!dead && height > highest) highest = height;
        break;
      }
      case OP.call: {
        const callee = calleeOf(module, step);
        if (step.index >= module.imports.length) {
          calls = true;
          callees.add(step.index);
        }
        handovers += often(depth);
        move(callee.params.length, callee.results.length);
        break;
      }
      case OP.callIndirect: {
        const callee = calleeOfType(module, step);
        calls = callsByTable = true;
        handovers += often(depth);
        move(1 + callee.params.length, callee.results.length);
        break;
      }
      case OP.br:
      case OP.brTable:
      case OP.return:
      case OP.unreachable:
        dead = true;
        break;
      default:
        if (HELPED.has(step.op)) handovers += often(depth);
        move(step.what.pops, step.what.pushes);
    }
  }
  if (!reader.done) throw new ModuleRejected('a function goes on after its end', reader.at);

  const wide = body.locals.reduce((sum, { count, type: of }) => sum + (of === VALUE.v128 ? 2 * count : count), 0);
  const slots = CALL_SLOTS + 2 * type.params.length + wide + highest * (simd ? 2 : 1);
  const isShort = loopCosts.length === 0 && handovers === 0 && entryCost <= UNCHECKED_OPERATIONS;
  const metering = isShort ? 'unchecked' : turns > handovers ? 'local' : 'global';
  return { entryCost, loopCosts, slots, calls, callsByTable, callees: [...callees], metering, simd };
}
