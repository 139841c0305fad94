import { describe, expect, test } from 'vitest';
import { node } from '../ponder.schema.ts';
import { contradictionsOf, differencesOf, dumpOf, linesOf, TABLES } from '../src/verify/dump.ts';
import { OWNER, OWNER_2, World } from './lib/world.ts';

async function told(over: { first?: boolean } = {}): Promise<World> {
  const world = new World();
  await world.treasury();
  await world.node(1, OWNER);
  await world.node(2, OWNER_2);
  await world.post();
  if (over.first) await world.claim();
  return world;
}
const dump = (world: World) => dumpOf((table) => world.memory.rows(table));

describe('a dump', () => {
  test('of the same events is the same text', async () => {
    const [one, two] = [dump(await told()), dump(await told())];
    expect([...one]).toEqual([...two]);
    expect(differencesOf(one, two)).toEqual([]);
    expect(one.size).toBeGreaterThan(100);
  });

  test('has no line twice and every table of the schema', async () => {
    const world = await told({ first: true });
    const rows = TABLES.reduce((sum, table) => sum + world.memory.rows(table).length, 0);
    const keys = [...dump(world).keys()].map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(keys).size).toBe(rows);
  });

  test('names the one column that was changed', async () => {
    const [clean, world] = [dump(await told()), await told()];
    const rows = (table: (typeof TABLES)[number]) =>
      world.memory
        .rows(table)
        .map((row) => ((table as unknown) === node && row['id'] === 2 ? { ...row, stake: 1n } : row));
    expect(differencesOf(dumpOf(rows), clean)).toEqual([{ where: 'node [2] stake', index: '1', truth: '9000' }]);
  });

  test('names a row that is missing, and one too many', async () => {
    const [short, long] = [dump(await told()), dump(await told({ first: true }))];
    const missing = differencesOf(short, long).filter(({ where }) => where.startsWith('lease ['));
    expect(missing.every(({ index, truth }) => index === undefined && truth !== undefined)).toBe(true);
    expect(missing.length).toBeGreaterThan(10);
    const extra = differencesOf(long, short).filter(({ where }) => where.startsWith('lease ['));
    expect(extra.every(({ index, truth }) => index !== undefined && truth === undefined)).toBe(true);
  });

  test('is contradicted only by what the truth speaks of', async () => {
    const index = dump(await told());
    const says = (stake: bigint, id = 1) => new Map(linesOf(node, [{ id, stake }]));
    expect(contradictionsOf(index, says(9_000n))).toEqual([]);
    expect(contradictionsOf(index, says(8_999n))).toEqual([{ where: 'node [1] stake', index: '9000', truth: '8999' }]);
    expect(contradictionsOf(index, says(0n, 3))).toMatchObject([{ where: 'node [3] id' }, { where: 'node [3] stake' }]);
  });
});
