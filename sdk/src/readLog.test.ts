import { sha256, stringToBytes, zeroHash, type Hex } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';

import type { HistoryLease } from './history.ts';
import { encodeManifest, rootOf, unitsOf, type Manifest } from './manifest.ts';
import { newIdentity, type SecretIdentity } from './privacy/identity.ts';
import { sealBytes } from './privacy/stream.ts';
import { readLog } from './readLog.ts';
import { MissingData, ResultNotPublic, ResultSealed } from './results.ts';
import { LogBroken, logOrigin, ShardLogWriter } from './shardLog.ts';
import type { StorageBackend } from './storage/backend.ts';
import { digestToCid, type CidLike } from './storage/cid.ts';
import { NotFoundError } from './storage/errors.ts';

const JOB: Hex = `0x${'ab'.repeat(32)}`;
const NODE = 4;
const FIRST = 2;

/** What a node wrote about two shards, and what it would be if somebody who has the file changed it. */
const writer = (shard: number, texts: readonly string[], node = NODE): ShardLogWriter => {
  const log = new ShardLogWriter({ job: JOB, shard, node });
  for (const [index, text] of texts.entries()) log.write('out', index, `${text}\n`);
  log.end(9, 'done');
  return log;
};
const two = writer(2, ['loading', 'pass 1', 'pass 2']);
const three = writer(3, ['loading']);
const honest = two.toString() + three.toString();
const lines = honest.split('\n').slice(0, -1);
const textOf = (changed: readonly string[]): string => changed.map((line) => `${line}\n`).join('');

/** A network in which a lease of shards 2 and 3 was shown, with `log` as its log. */
async function shownWith(log: Uint8Array | undefined, wish: { private?: boolean; kept?: boolean } = {}) {
  const blocks = new Map<string, Uint8Array>();
  const put = (bytes: Uint8Array) => {
    const cid = digestToCid(sha256(bytes), 'raw');
    blocks.set(cid.toString(), bytes);
    return cid;
  };
  const outputs = [FIRST, FIRST + 1].map((shard) => ({ shard, bytes: stringToBytes(`output ${shard}`) }));
  const manifest: Manifest = {
    ...{ version: 1, job: JOB, first: FIRST, node: NODE },
    shards: outputs.map(({ shard, bytes }) => ({
      ...{ shard, hash: sha256(bytes), cid: put(bytes), size: bytes.length, units: 1n },
    })),
    ...(log ? { log: put(log) } : {}),
    ...(wish.private ? { private: { version: 1 } } : {}),
  };
  if (wish.kept === false) blocks.delete(String(manifest.log));
  const block = encodeManifest(manifest);
  blocks.set(block.cid.toString(), block.bytes);
  const find = (cid: CidLike): Uint8Array => {
    const bytes = blocks.get(cid.toString());
    if (!bytes) throw new NotFoundError(cid.toString());
    return bytes;
  };
  const backend = {
    getBlock: async (cid: CidLike) => find(cid),
    async *readFile(cid: CidLike) {
      yield find(cid);
    },
  } as unknown as StorageBackend;
  const terms = { price: 1n, bonus: 0n, deadline: 1, flags: 0, commitment: zeroHash, committedBlock: 0 };
  const lease: HistoryLease = {
    lease: { first: FIRST, count: 2, node: NODE, ...terms },
    ...{ state: 'revealed', at: 1, bond: 0n, takenOver: false, transactions: {} },
    result: { root: rootOf(manifest), units: unitsOf(manifest), manifest: block.digest },
  };
  const history = { id: JOB, leases: [lease] };
  return (shard: number, options = {}) => readLog(history, shard, backend, options);
}

/** The log of shard 2 out of a file with these lines. */
const readOf = async (changed: readonly string[], end = ''): Promise<unknown> =>
  (await shownWith(stringToBytes(textOf(changed) + end)))(2);

test('each shard’s log is found by its lease, in the order in which it was written', async () => {
  const read = await shownWith(stringToBytes(honest));
  expect(await read(2)).toEqual({
    ...{ job: JOB, shard: 2, node: NODE, head: two.head, complete: true },
    entries: [
      { ms: 0, level: 'out', text: 'loading' },
      { ms: 1, level: 'out', text: 'pass 1' },
      { ms: 2, level: 'out', text: 'pass 2' },
      { ms: 9, level: 'end', text: 'done' },
    ],
  });
  expect((await read(3)).head).toBe(three.head);
  await expect(read(4)).rejects.toBeInstanceOf(ResultNotPublic);
  await expect(read(2, { node: NODE + 1 })).rejects.toBeInstanceOf(ResultNotPublic);
});

test('a shard that said nothing has an empty log, and so has a lease without one', async () => {
  const nothing = { job: JOB, node: NODE, entries: [], complete: true };
  const origin = (shard: number) => logOrigin({ job: JOB, shard, node: NODE });
  const half = await shownWith(stringToBytes(two.toString()));
  expect(await half(3)).toEqual({ ...nothing, shard: 3, head: origin(3) });
  expect(await (await shownWith(undefined))(2)).toEqual({ ...nothing, shard: 2, head: origin(2) });
});

describe('a log that is not what the node wrote is found', () => {
  const [first, second, third, end, other, otherEnd] = lines as [string, string, string, string, string, string];

  test('a line was cut out', async () => {
    await expect(readOf([first, third, end])).rejects.toEqual(
      new LogBroken(
        2,
        `it follows ${sha256(stringToBytes(second))}, but the line before it is ${sha256(stringToBytes(first))}`,
      ),
    );
  });

  test('the beginning was cut off', async () => {
    const origin = logOrigin({ job: JOB, shard: 2, node: NODE });
    await expect(readOf([second, third, end])).rejects.toEqual(
      new LogBroken(1, `it follows ${sha256(stringToBytes(first))}, but the line before it is ${origin}`),
    );
  });

  test('the end was cut off: the log says that it has none, and its head is another', async () => {
    const cut = await (await shownWith(stringToBytes(textOf([first, second, third]))))(2);
    expect([cut.complete, cut.head === two.head]).toEqual([false, false]);
    await expect(readOf([first, second, third], end)).rejects.toEqual(new LogBroken(4, 'its end is missing'));
  });

  test('two lines were swapped', async () => {
    await expect(readOf([first, third, second, end])).rejects.toMatchObject({ name: 'LogBroken', line: 2 });
  });

  test('a line was changed', async () => {
    await expect(readOf([first, second.replace('pass 1', 'pass 7'), third, end])).rejects.toMatchObject({ line: 3 });
  });

  test('the last line was changed: only its head, which the node named while it ran, tells', async () => {
    const forged = await (
      await shownWith(stringToBytes(textOf([first, second, third, end.replace('done', 'fine')])))
    )(2);
    expect([forged.complete, forged.head === two.head]).toEqual([true, false]);
  });

  test('its head is forged: a chain that begins at another job, shard or node', async () => {
    await expect(
      readOf([
        ...writer(2, ['loading'], NODE + 1)
          .toString()
          .trimEnd()
          .split('\n'),
      ]),
    ).rejects.toMatchObject({ line: 1 });
    const moved = [other, otherEnd].map((line) => line.replace('"shard":3', '"shard":2'));
    await expect(readOf(moved)).rejects.toMatchObject({ line: 1 });
  });

  test('something follows the end, or is no line at all', async () => {
    await expect(readOf([first, second, third, end, first])).rejects.toEqual(
      new LogBroken(5, 'shard 2 goes on after its end'),
    );
    await expect(readOf([first, 'nonsense'])).rejects.toEqual(new LogBroken(2, 'it is no line of a log'));
    await expect(readOf([first, second, third, end, 'x'])).rejects.toMatchObject({ line: 5 });
  });

  test('the file is another one than the manifest names', async () => {
    const gone = await shownWith(stringToBytes(honest), { kept: false });
    await expect(gone(2)).rejects.toBeInstanceOf(MissingData);
  });
});

describe('the log of a private job', () => {
  let reader: SecretIdentity;
  let sealed: Uint8Array;
  beforeAll(async () => {
    reader = await newIdentity();
    sealed = await sealBytes(stringToBytes(honest), [reader.recipient]);
  });

  test('opens with a reader’s key and with no other', async () => {
    const read = await shownWith(sealed, { private: true });
    expect((await read(2, { identity: reader })).head).toBe(two.head);
    await expect(read(2)).rejects.toBeInstanceOf(ResultSealed);
    await expect(read(2, { identity: await newIdentity() })).rejects.toMatchObject({ code: 'not-a-recipient' });
  });

  test('that was changed does not open', async () => {
    const changed = Uint8Array.from(sealed);
    changed[changed.length - 1]! ^= 1;
    const read = await shownWith(changed, { private: true });
    await expect(read(2, { identity: reader })).rejects.toMatchObject({ code: 'tampered' });
  });
});
