import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { LINE_CHARS, LogBroken, logOrigin, MAX_SHARD_LOG_BYTES, parseLog, ShardLogWriter } from './shardLog.ts';

const OWNER = { job: `0x${'ab'.repeat(32)}`, shard: 3, node: 7 } as const;
const LEASE = { job: OWNER.job, node: OWNER.node };

function written(texts: readonly string[], shard = 3): ShardLogWriter {
  const writer = new ShardLogWriter({ ...OWNER, shard });
  texts.forEach((text, index) => writer.write('out', index, text));
  writer.end(99, 'done');
  return writer;
}

test('pieces become lines, and the chain holds from the origin to the head', () => {
  const writer = written(['one\ntw', 'o\n', '\nlast']);
  const log = parseLog(writer.toString(), LEASE).get(3)!;
  expect(log.entries).toEqual([
    { ms: 0, level: 'out', text: 'one' },
    { ms: 1, level: 'out', text: 'two' },
    { ms: 2, level: 'out', text: '' },
    { ms: 99, level: 'out', text: 'last' },
    { ms: 99, level: 'end', text: 'done' },
  ]);
  expect([log.head, log.complete]).toEqual([writer.head, true]);
  expect(JSON.parse(writer.toString().split('\n')[0]!)).toMatchObject({ prev: logOrigin(OWNER), shard: 3 });
});

test('logs of several shards stand in one file, and an unfinished one says so', () => {
  const open = new ShardLogWriter({ ...OWNER, shard: 4 });
  open.write('out', 1, 'so far\n');
  const logs = parseLog(written(['a\n']).toString() + open.toString(), LEASE);
  expect([...logs.values()].map(({ shard, complete }) => [shard, complete])).toEqual([
    [3, true],
    [4, false],
  ]);
});

test('a line that is changed, left out, swapped or added is found', () => {
  const lines = written(['a\nb\nc\n']).toString().split('\n').slice(0, -1);
  const textOf = (list: (string | undefined)[]): string => list.map((line) => `${line}\n`).join('');
  const changes: [string, number][] = [
    [textOf([lines[0]!.replace('"a"', '"A"'), ...lines.slice(1)]), 2],
    [textOf([lines[0], ...lines.slice(2)]), 2],
    [textOf([lines[1], lines[0], ...lines.slice(2)]), 1],
    [textOf([...lines, lines[0]]), 5],
    [textOf(lines).slice(0, -1), 4],
    [textOf(['{}', ...lines]), 1],
  ];
  for (const [text, line] of changes) {
    expect(() => parseLog(text, LEASE)).toThrow(LogBroken);
    expect(() => parseLog(text, LEASE)).toThrow(`line ${line}`);
  }
  expect(() => parseLog(textOf(lines), { ...LEASE, node: 8 })).toThrow('line 1');
});

test('a log has an end however much a shard says, and says how much is missing', () => {
  const writer = written(Array.from({ length: 200 }, () => `${'x'.repeat(LINE_CHARS)}\n`));
  expect(Buffer.byteLength(writer.toString())).toBeLessThanOrEqual(MAX_SHARD_LOG_BYTES);
  const { entries } = parseLog(writer.toString(), LEASE).get(3)!;
  expect(entries.at(-1)).toEqual({ ms: 99, level: 'end', text: `done (${201 - entries.length} lines left out)` });
  const long = written(['y'.repeat(2 * LINE_CHARS + 1)]);
  expect(
    parseLog(long.toString(), LEASE)
      .get(3)!
      .entries.map(({ text }) => text.length),
  ).toEqual([LINE_CHARS, LINE_CHARS, 1, 4]);
});

test('whatever is written is read back, within the bound', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 3_000 }), { maxLength: 8 }), (texts) => {
      const writer = written(texts);
      const log = parseLog(writer.toString(), LEASE).get(3)!;
      expect(log.entries).toEqual(writer.entries);
      expect(Buffer.byteLength(writer.toString())).toBeLessThanOrEqual(MAX_SHARD_LOG_BYTES);
    }),
    { numRuns: 20 },
  );
});
