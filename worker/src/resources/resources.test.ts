import fc from 'fast-check';
import { expect, test } from 'vitest';

import { admit, mostBeside, type Lot } from './edf.ts';
import { DIMENSIONS, howMany, NOTHING, type Needs } from './needs.ts';
import { Resources, shareOf, type Hold } from './resources.ts';

const never = new AbortController().signal;
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const needs = (over: Partial<Needs> = {}): Needs => ({ slots: 1, cores: 1, memoryBytes: 10, vramBytes: 0, ...over });
const MACHINE: Needs = { slots: 4, cores: 4, memoryBytes: 100, vramBytes: 50 };

/** A machine with a clock that stands still until told, and shards that end when told. */
function setup(capacity: Needs = MACHINE) {
  let now = 0;
  const resources = new Resources({ capacity }, { nowSeconds: () => now });
  const begun: string[] = [];
  const running = new Map<string, () => void>();
  const run = (hold: Hold, name: string, signal: AbortSignal = never): Promise<void> =>
    hold.run(() => {
      begun.push(name);
      return new Promise<void>((resolve) => running.set(name, resolve));
    }, signal);
  const end = async (name: string): Promise<void> => {
    running.get(name)?.();
    running.delete(name);
    await soon();
  };
  return { resources, run, begun, end, pass: (seconds: number) => (now += seconds) };
}

test('books what is promised, until it has run or is given up', async () => {
  const { resources, run, end } = setup();
  const hold = resources.hold(3, { needs: needs(), deadline: 100, seconds: 10 });
  expect(resources.free).toEqual({ slots: 1, cores: 1, memoryBytes: 70, vramBytes: 50 });
  const done = run(hold, 'a');
  await soon();
  expect([resources.running, resources.used.memoryBytes, resources.free.slots]).toEqual([1, 10, 1]);
  await end('a');
  await done;
  expect([resources.running, resources.used, resources.free.slots]).toEqual([0, NOTHING, 2]);
  hold.end();
  expect(resources.free).toEqual(MACHINE);
  expect(resources.lots).toEqual([]);
});

test('the earliest deadline begins first, equal ones in the order in which they came', async () => {
  const { resources, run, begun, end } = setup({ ...MACHINE, slots: 1 });
  const hold = (deadline: number): Hold => resources.hold(1, { needs: needs(), deadline, seconds: 1 });
  void run(hold(50), 'first');
  void run(hold(90), 'late');
  void run(hold(40), 'early');
  void run(hold(40), 'early too');
  await soon();
  for (const name of ['first', 'early', 'early too', 'late']) await end(name);
  expect(begun).toEqual(['first', 'early', 'early too', 'late']);
});

test('what waits for memory is not passed by what would take it, and is passed by what would not', async () => {
  const { resources, run, begun, end } = setup({ slots: 4, cores: 4, memoryBytes: 100, vramBytes: 50 });
  const hold = (deadline: number, over: Partial<Needs>): Hold =>
    resources.hold(1, { needs: needs(over), deadline, seconds: 1 });
  void run(hold(10, { memoryBytes: 60 }), 'running');
  void run(hold(20, { memoryBytes: 70 }), 'waits for memory');
  void run(hold(30, { memoryBytes: 10 }), 'would take its memory');
  void run(hold(40, { memoryBytes: 0, vramBytes: 50 }), 'needs none');
  await soon();
  expect(begun).toEqual(['running', 'needs none']);
  await end('running');
  expect(begun).toEqual(['running', 'needs none', 'waits for memory', 'would take its memory']);
});

test('what is larger than the machine was promised all the same: it runs alone', async () => {
  const { resources, run, begun, end } = setup();
  void run(resources.hold(1, { needs: needs({ memoryBytes: 1_000 }), deadline: 10, seconds: 1 }), 'huge');
  void run(resources.hold(1, { needs: needs(), deadline: 20, seconds: 1 }), 'small');
  await soon();
  expect(begun).toEqual(['huge']);
  await end('huge');
  expect(begun).toEqual(['huge', 'small']);
});

test('gives up waiting when aborted, and lets the next in', async () => {
  const { resources, run, begun, end } = setup({ ...MACHINE, slots: 1 });
  void run(resources.hold(1, { needs: needs(), deadline: 1, seconds: 1 }), 'first');
  const stop = new AbortController();
  const hold = resources.hold(1, { needs: needs(), deadline: 2, seconds: 1 });
  const waiting = run(hold, 'never', stop.signal);
  void run(resources.hold(1, { needs: needs(), deadline: 3, seconds: 1 }), 'last');
  stop.abort(new Error('stopped'));
  await expect(waiting).rejects.toThrow('stopped');
  await expect(run(hold, 'never', stop.signal)).rejects.toThrow('stopped');
  await end('first');
  expect(begun).toEqual(['first', 'last']);
});

test('a task that fails gives everything back', async () => {
  const { resources } = setup();
  const hold = resources.hold(1, { needs: needs(), deadline: 1, seconds: 1 });
  await expect(hold.run(() => Promise.reject(new Error('broken')), never)).rejects.toThrow('broken');
  expect([resources.running, resources.free]).toEqual([0, MACHINE]);
});

test('what is known later counts from then on, unless it runs already', async () => {
  const { resources, run, pass } = setup();
  const hold = resources.hold(2, { needs: needs(), deadline: 100, seconds: 60 });
  hold.refine({ needs: needs({ memoryBytes: 30 }), seconds: 5 });
  expect(resources.free.memoryBytes).toBe(40);
  void run(hold, 'a');
  await soon();
  hold.refine({ needs: needs({ memoryBytes: 1 }) });
  expect(resources.free.memoryBytes).toBe(40);
  pass(2);
  expect(resources.lots).toEqual([
    { deadline: 100, waiting: 1, running: [3], seconds: 5, needs: needs({ memoryBytes: 30 }) },
  ]);
});

test('the share in use is that of the scarcest', () => {
  expect(shareOf(needs({ memoryBytes: 80 }), MACHINE)).toBe(0.8);
  expect(shareOf(NOTHING, { ...MACHINE, vramBytes: 0 })).toBe(0);
});

/* PROPERTIES */

const anyCapacity = fc.record({
  slots: fc.integer({ min: 1, max: 6 }),
  cores: fc.integer({ min: 1, max: 6 }),
  memoryBytes: fc.integer({ min: 10, max: 60 }),
  vramBytes: fc.constantFrom(0, 20),
});
const anyOffer = fc.record({
  /** Seconds after the one before. */
  after: fc.integer({ min: 0, max: 12 }),
  count: fc.integer({ min: 1, max: 12 }),
  seconds: fc.integer({ min: 1, max: 9 }),
  patience: fc.integer({ min: 1, max: 60 }),
  needs: fc.record({
    slots: fc.constant(1),
    cores: fc.constantFrom(0, 1, 2, 4),
    memoryBytes: fc.integer({ min: 1, max: 40 }),
    vramBytes: fc.constantFrom(0, 0, 5, 20),
  }),
  /** How long its shards really take, percent of what is expected. */
  pace: fc.integer({ min: 10, max: 300 }),
});

type Offer = typeof anyOffer extends fc.Arbitrary<infer T> ? T : never;

/**
 * Offers leases to a machine by a clock of its own. A lease is claimed when the plan says that it fits; its shards then run by
 * the manager alone. Answers what was seen.
 */
async function simulate(capacity: Needs, offers: readonly Offer[], exact: boolean) {
  let now = 0;
  const resources = new Resources({ capacity }, { nowSeconds: () => now });
  const seen = { claimed: 0, late: [] as string[], over: [] as string[], passed: [] as string[] };
  const ends: { at: number; end: () => void }[] = [];
  const waiting = new Set<{ deadline: number; needs: Needs }>();

  const look = (): void => {
    for (const dimension of DIMENSIONS) {
      if (resources.used[dimension] > capacity[dimension]) seen.over.push(`${dimension} at ${now}`);
    }
    // Whoever has the earliest deadline waits only for what is really taken.
    const [first] = [...waiting].sort((a, b) => a.deadline - b.deadline);
    const free = Object.fromEntries(DIMENSIONS.map((d) => [d, capacity[d] - resources.used[d]])) as unknown as Needs;
    if (first && howMany(free, first.needs) > 0) seen.passed.push(`deadline ${first.deadline} at ${now}`);
  };
  const advance = async (to: number): Promise<void> => {
    for (;;) {
      const next = ends.toSorted((a, b) => a.at - b.at)[0];
      if (!next || next.at > to) break;
      now = next.at;
      for (const due of ends.filter(({ at }) => at === now)) due.end();
      for (let index = ends.length - 1; index >= 0; index -= 1) if (ends[index]!.at === now) ends.splice(index, 1);
      await soon();
      look();
    }
    if (to !== Infinity) now = to;
  };

  let time = 0;
  for (const { after, count, seconds, patience, needs: wanted, pace } of offers) {
    time += after;
    await advance(time);
    const lot: Lot = { deadline: time + patience, waiting: count, running: [], seconds, needs: wanted };
    const most = mostBeside(resources.lots, lot, capacity, time);
    if (most < count) continue;
    seen.claimed += 1;
    const hold = resources.hold(count, lot);
    const takes = exact ? seconds : (seconds * pace) / 100;
    for (let shard = 0; shard < count; shard += 1) {
      const waiter = { deadline: lot.deadline, needs: wanted };
      waiting.add(waiter);
      void hold.run(async () => {
        waiting.delete(waiter);
        await new Promise<void>((resolve) => ends.push({ at: now + takes, end: resolve }));
        if (now > lot.deadline) seen.late.push(`deadline ${lot.deadline} at ${now}`);
      }, never);
    }
    await soon();
    look();
  }
  await advance(Infinity);
  return { ...seen, left: resources.lots, used: resources.used };
}

test('whatever is offered when, nothing is overcommitted and what was claimed is done in time', async () => {
  let claimed = 0;
  await fc.assert(
    fc.asyncProperty(anyCapacity, fc.array(anyOffer, { maxLength: 12 }), async (capacity, offers) => {
      const seen = await simulate(capacity, offers, true);
      claimed += seen.claimed;
      expect(seen).toMatchObject({ over: [], late: [], passed: [], left: [], used: NOTHING });
    }),
    { numRuns: 300 },
  );
  // About one a run, more or less by the seed.
  expect(claimed, 'the property is about something').toBeGreaterThan(150);
});

test('also when shards take a tenth or three times as long, no dimension is overcommitted and the order holds', async () => {
  await fc.assert(
    fc.asyncProperty(anyCapacity, fc.array(anyOffer, { maxLength: 12 }), async (capacity, offers) => {
      const seen = await simulate(capacity, offers, false);
      expect(seen).toMatchObject({ over: [], passed: [], left: [], used: NOTHING });
    }),
    { numRuns: 200 },
  );
});

test('admits a group as it would admit its shards one by one', () => {
  const group = fc.record({ waiting: fc.integer({ min: 0, max: 5 }), needs: anyOffer.map((offer) => offer.needs) });
  fc.assert(
    fc.property(anyCapacity, fc.array(group, { maxLength: 6 }), (free, groups) => {
      const single = groups.flatMap(({ waiting, needs: of }) => Array.from({ length: waiting }, () => of));
      const one = admit(
        single.map((of) => ({ waiting: 1, needs: of })),
        free,
      );
      let at = 0;
      const summed = groups.map(({ waiting }) => one.slice(at, (at += waiting)).reduce((sum, count) => sum + count, 0));
      expect(admit(groups, free)).toEqual(summed);
    }),
  );
});
