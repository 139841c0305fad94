import { blockArity, calleeOf, calleeOfType } from './analyse.ts';
import { decode, newStep, VALUE, type Step } from './decode.ts';
import { OP, type Lanes } from './opcodes.ts';
import type { Body, Module } from './parse.ts';
import { Reader } from './reader.ts';

/**
 * Where in a function vectors must be made canonical. A NaN with odd bits may live on as long as everything that reads
 * it treats it as a NaN of the same width: then nobody can tell. Decided once per function, without regard to the order
 * of its instructions; whatever is not understood counts as an observer.
 */
export interface NanPlan {
  /** Instructions, by their number in the function, that make a float vector nobody observes. */
  readonly unobserved: ReadonlySet<number>;
  /** Reads of locals that are made canonical there, in place of the many writes. */
  readonly atReads: ReadonlyMap<number, Lanes>;
}

/** How a value is read: as bits, as lanes of 32-bit floats, as lanes of 64-bit floats. */
const USE = { bits: 1, f32: 2, f64: 4 } as const;

/** A vector and what may happen to it. Locals are vectors too: of everything that was ever put into them. */
interface Vector {
  /** Lanes that may hold odd NaNs, made by this instruction; absent when the vector is only passed on. */
  readonly makes: Lanes | undefined;
  /** Whether all its lanes are such floats, so that making it canonical changes no integer. */
  readonly isWhole: boolean;
  /** The instruction, -1 for a local. */
  readonly ordinal: number;
  /** Loops around it. */
  readonly depth: number;
  /** Vectors whose bits can be seen through this one. */
  readonly sources: number[];
  uses: number;
}

interface Local {
  /** Its vector's place, or -1 for other types. */
  readonly vector: number;
  /** Lanes of everything written into it; `mixed` when it is not one kind of floats only. */
  kind: Lanes | 'empty' | 'mixed';
  readonly reads: number[];
}

const SIMD = 0xfd0000;
const SHUFFLE = SIMD + 13;
const F32_READERS: ReadonlySet<number> = new Set([65, 66, 67, 68, 69, 70, 31, 248, 249].map((n) => SIMD + n));
const F64_READERS: ReadonlySet<number> = new Set([71, 72, 73, 74, 75, 76, 33, 252, 253].map((n) => SIMD + n));
/** abs, neg, pmin, pmax: a NaN stays what it was, up to its sign. */
const F32_PASSERS: ReadonlySet<number> = new Set([224, 225, 234, 235].map((n) => SIMD + n));
const F64_PASSERS: ReadonlySet<number> = new Set([236, 237, 246, 247].map((n) => SIMD + n));
const REPLACE: ReadonlyMap<number, Lanes> = new Map([
  [SIMD + 32, 'f32'],
  [SIMD + 34, 'f64'],
]);
const SPLAT: ReadonlyMap<number, Lanes> = new Map([
  [SIMD + 19, 'f32'],
  [SIMD + 20, 'f64'],
]);
const CONTROL: ReadonlySet<number> = new Set([
  OP.block,
  OP.loop,
  OP.if,
  OP.else,
  OP.end,
  OP.br,
  OP.brIf,
  OP.brTable,
  OP.return,
  OP.unreachable,
]);

/** Stands on the stack for everything that is no vector, or one whose bits are settled. */
const SETTLED = -1;

class Planner {
  readonly #module: Module;
  readonly #body: Body;
  readonly #vectors: Vector[] = [];
  readonly #locals: Local[] = [];
  readonly #stack: number[] = [];
  readonly #frames: { height: number; params: number; results: number; isLoop: boolean }[] = [];
  #ordinal = 0;
  #depth = 0;

  constructor(module: Module, body: Body) {
    this.#module = module;
    this.#body = body;
    const { params, results } = module.types[body.type]!;
    // Parameters come from a caller, who settled them; but what they are is not known here.
    for (const type of params) this.#addLocal(type, 'mixed');
    for (const { count, type } of body.locals) for (let i = 0; i < count; i++) this.#addLocal(type, 'empty');
    this.#frames.push({ height: 0, params: 0, results: results.length, isLoop: false });
  }

  #addLocal(type: number, kind: Local['kind']): void {
    const vector = type === VALUE.v128 ? this.#add(undefined, [], false, -1) : SETTLED;
    this.#locals.push({ vector, kind, reads: [] });
  }

  #add(makes: Lanes | undefined, sources: number[], isWhole = false, ordinal = this.#ordinal): number {
    return this.#vectors.push({ makes, isWhole, ordinal, depth: this.#depth, sources, uses: 0 }) - 1;
  }

  #use(vector: number, use: number): void {
    if (vector !== SETTLED) this.#vectors[vector]!.uses |= use;
  }

  /** Dead code may pop more than there is; what it pops never exists. */
  #pop(): number {
    return this.#stack.length > this.#frames.at(-1)!.height ? this.#stack.pop()! : SETTLED;
  }

  #pass(pops: number, pushes: number, use: number = USE.bits): void {
    for (let i = 0; i < pops; i++) this.#use(this.#pop(), use);
    for (let i = 0; i < pushes; i++) this.#stack.push(SETTLED);
  }

  #setLocal(index: number, value: number, constant: Lanes | 'both' | undefined): void {
    const local = this.#locals[index];
    if (local === undefined || local.vector === SETTLED) return;
    if (value === SETTLED) {
      if (constant === 'both') return;
      local.kind = local.kind === 'empty' || local.kind === constant ? (constant ?? 'mixed') : 'mixed';
      return;
    }
    const { makes, isWhole } = this.#vectors[value]!;
    this.#vectors[local.vector]!.sources.push(value);
    local.kind = isWhole && makes !== undefined && (local.kind === 'empty' || local.kind === makes) ? makes : 'mixed';
  }

  #control(step: Step): void {
    // Where values go over a branch is not followed.
    for (const vector of this.#stack) this.#use(vector, USE.bits);
    switch (step.op) {
      case OP.block:
      case OP.loop:
      case OP.if: {
        if (step.op === OP.if) this.#pop();
        const { params, results } = blockArity(this.#module, step);
        for (let i = 0; i < params; i++) this.#pop();
        this.#frames.push({ height: this.#stack.length, params, results, isLoop: step.op === OP.loop });
        for (let i = 0; i < params; i++) this.#stack.push(SETTLED);
        if (step.op === OP.loop) this.#depth++;
        return;
      }
      case OP.else:
      case OP.end: {
        const frame = this.#frames.at(-1)!;
        this.#stack.length = frame.height;
        const values = step.op === OP.else ? frame.params : frame.results;
        if (step.op === OP.end) {
          this.#frames.pop();
          if (frame.isLoop) this.#depth--;
        }
        for (let i = 0; i < values; i++) this.#stack.push(SETTLED);
        return;
      }
      case OP.brIf:
      case OP.brTable:
        this.#pop();
    }
  }

  #vectorOp(step: Step): boolean {
    const { op, what } = step;
    if (what.simdFloat !== undefined) {
      this.#pass(what.pops, 0, USE[what.simdFloat.reads]);
      this.#stack.push(this.#add(what.simdFloat.makes, [], true));
      return true;
    }
    const splat = SPLAT.get(op);
    if (splat !== undefined) {
      this.#pop();
      this.#stack.push(this.#add(splat, [], true));
      return true;
    }
    const replace = REPLACE.get(op);
    if (replace !== undefined) {
      this.#pop();
      const into = this.#pop();
      // A narrow lane overwrites half of a wide one: what the other half holds then counts.
      if (replace === 'f32') this.#use(into, USE.f32);
      // The other lanes may be integers, so such a vector is never made canonical as a whole: only its new scalar is.
      this.#stack.push(this.#add(replace, into === SETTLED ? [] : [into]));
      return true;
    }
    if (F32_READERS.has(op) || F64_READERS.has(op)) {
      this.#pass(what.pops, what.pushes, F32_READERS.has(op) ? USE.f32 : USE.f64);
      return true;
    }
    const use = F32_PASSERS.has(op) ? USE.f32 : F64_PASSERS.has(op) ? USE.f64 : this.#shuffleUse(step);
    if (use === undefined) return false;
    const sources: number[] = [];
    for (let i = 0; i < what.pops; i++) {
      const source = this.#pop();
      this.#use(source, use);
      if (source !== SETTLED) sources.push(source);
    }
    this.#stack.push(sources.length === 0 ? SETTLED : this.#add(undefined, sources));
    return true;
  }

  /** As what a shuffle reads its vectors when it moves whole lanes: 0 when those of both widths stay whole. */
  #shuffleUse({ op, end }: Step): number | undefined {
    if (op !== SHUFFLE) return undefined;
    const from = this.#module.bytes.subarray(end - 16, end);
    const movesWhole = (width: number): boolean =>
      from.every((byte, i) => byte === from[i - (i % width)]! + (i % width) && (byte - i) % width === 0);
    return movesWhole(8) ? 0 : movesWhole(4) ? USE.f32 : undefined;
  }

  #walk(): void {
    const reader = new Reader(this.#module.bytes, this.#body.code, this.#body.end);
    const step = newStep();
    let constant: Lanes | 'both' | undefined;
    for (; this.#frames.length > 0; this.#ordinal++) {
      decode(reader, step);
      const wasConstant = constant;
      constant = undefined;
      if (CONTROL.has(step.op)) this.#control(step);
      else if (this.#vectorOp(step)) continue;
      else if (step.op === OP.localGet) {
        const local = this.#locals[step.index];
        if (local === undefined || local.vector === SETTLED) this.#stack.push(SETTLED);
        else {
          const read = this.#add(undefined, [local.vector]);
          local.reads.push(read);
          this.#stack.push(read);
        }
      } else if (step.op === OP.localSet || step.op === OP.localTee) {
        const value = this.#pop();
        this.#setLocal(step.index, value, wasConstant);
        if (step.op === OP.localTee) this.#stack.push(value);
      } else if (step.op === OP.drop) this.#pop();
      else if (step.op === OP.call) this.#passCall(calleeOf(this.#module, step), 0);
      else if (step.op === OP.callIndirect) this.#passCall(calleeOfType(this.#module, step), 1);
      else {
        this.#pass(step.what.pops, step.what.pushes);
        if (step.op === OP.v128Const) constant = plainConstant(this.#module.bytes.subarray(step.end - 16, step.end));
      }
    }
  }

  #passCall({ params, results }: { params: readonly number[]; results: readonly number[] }, extra: number): void {
    this.#pass(params.length + extra, results.length);
  }

  /** Hands every use on to what can be seen through it. `settled` reads end a use: they show canonical lanes. */
  #spread(uses: number[], settled: ReadonlyMap<number, Lanes>): void {
    const work = uses.map((_, vector) => vector);
    for (let vector = work.pop(); vector !== undefined; vector = work.pop()) {
      const { ordinal, sources } = this.#vectors[vector]!;
      const lanes = settled.get(ordinal);
      const passed = lanes === undefined || ordinal < 0 ? uses[vector]! : USE[lanes];
      for (const source of sources) {
        if ((uses[source]! | passed) === uses[source]) continue;
        uses[source]! |= passed;
        work.push(source);
      }
    }
  }

  plan(): NanPlan {
    this.#walk();
    const direct = this.#vectors.map(({ uses }) => uses);
    const uses = [...direct];
    this.#spread(uses, new Map());
    const atReads = new Map<number, Lanes>();
    for (const { vector, kind, reads } of this.#locals) {
      if (vector === SETTLED || kind === 'mixed' || kind === 'empty') continue;
      const observing = reads.filter((read) => (uses[read]! & ~USE[kind]) !== 0);
      // Worth it where the writes are deeper in loops than the reads that show bits.
      const deepest = this.#vectors[vector]!.sources.reduce(
        (max, source) => Math.max(max, this.#vectors[source]!.depth),
        0,
      );
      if (!observing.every((read) => this.#vectors[read]!.depth < deepest)) continue;
      for (const read of observing) atReads.set(this.#vectors[read]!.ordinal, kind);
    }
    const final = [...direct];
    this.#spread(final, atReads);
    const unobserved = new Set<number>();
    this.#vectors.forEach(({ makes, ordinal }, vector) => {
      if (makes !== undefined && (final[vector]! & ~USE[makes]) === 0) unobserved.add(ordinal);
    });
    return { unobserved, atReads };
  }
}

/** As which lanes a constant contains no NaN, so that making it canonical would not change it. */
function plainConstant(bytes: Uint8Array): Lanes | 'both' | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const f32 = [0, 4, 8, 12].every((at) => !Number.isNaN(view.getFloat32(at, true)));
  const f64 = [0, 8].every((at) => !Number.isNaN(view.getFloat64(at, true)));
  return f32 && f64 ? 'both' : f32 ? 'f32' : f64 ? 'f64' : undefined;
}

export function planNans(module: Module, body: Body): NanPlan {
  return new Planner(module, body).plan();
}
