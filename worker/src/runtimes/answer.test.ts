import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShardError } from './runtime.ts';
import { Answer } from './answer.ts';
import { encodeFrame, FRAME, FRAME_BYTES, PREPARED_BYTES, progressFrame } from './wasm/child/protocol.ts';

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const frame = (kind: number, content: string | Uint8Array): Buffer =>
  Buffer.from(encodeFrame(kind, typeof content === 'string' ? new TextEncoder().encode(content) : content));
const SUCCESS = { ok: true, units: 7, ms: { instrument: 1, compile: 2, run: 3, cpu: 4 } };
const outcome = (value: unknown): Buffer => frame(FRAME.outcome, json(value));

function refusal(answer: Answer, piece: Buffer): string {
  try {
    answer.push(piece);
  } catch (error) {
    if (error instanceof ShardError) return `${error.reason} (${error.fault}): ${error.message}`;
    throw error;
  }
  return 'accepted';
}

const BROKE = 'sandbox (machine): The process that ran the shard broke the protocol: ';
const DROPPED = '. Its answer is dropped.';

describe('an answer', () => {
  const whole = Buffer.concat([
    frame(FRAME.output, 'he'),
    frame(FRAME.log, 'log é'),
    frame(FRAME.output, 'llo'),
    outcome(SUCCESS),
  ]);

  test('is the same however the pipe cuts it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 40 }), (sizes) => {
        const heard: string[] = [];
        const answer = new Answer(5, { onLog: (text) => heard.push(text) });
        let at = 0;
        for (let i = 0; at < whole.length; i++) {
          const size = sizes[i % sizes.length]!;
          answer.push(whole.subarray(at, at + size));
          at += size;
        }
        expect(Buffer.from(answer.output).toString()).toBe('hello');
        expect(answer.log).toBe('log é');
        expect(heard.join('')).toBe('log é');
        expect(answer.outcome).toEqual(SUCCESS);
      }),
      { numRuns: 200 },
    );
  });

  test('may not write more than the limit, whatever the child counted', () => {
    expect(refusal(new Answer(5), frame(FRAME.output, '123456'))).toBe(
      'output-limit (job): The shard wrote more than the 5 bytes its spec allows.',
    );
    expect(refusal(new Answer(6), frame(FRAME.output, '123456'))).toBe('accepted');
  });

  test.each([
    ['a frame longer than allowed', frame(FRAME.output, '').fill(0xff, 1), `a frame of ${2 ** 32 - 1} bytes`],
    ['an unknown frame', frame(9, ''), 'a frame of kind 9'],
    ['a log over the cap', frame(FRAME.log, 'x'.repeat(65_537)), 'a log of more than 65536 bytes'],
    [
      'words after the outcome',
      Buffer.concat([outcome(SUCCESS), frame(FRAME.output, '')]),
      'it went on after the outcome',
    ],
    [
      'units that are not whole',
      outcome({ ok: true, units: 1.5 }),
      'an outcome that cannot be read, units is not a positive number',
    ],
    ['no units', outcome({ ok: true, units: 0 }), 'an outcome that cannot be read, units is not a positive number'],
    [
      'an unknown reason',
      outcome({ ok: false, reason: 'bored', fault: 'job' }),
      'an outcome that cannot be read, it is neither a success nor a failure',
    ],
    [
      'an unknown fault',
      outcome({ ok: false, reason: 'trap', fault: 'yours' }),
      'an outcome that cannot be read, it is neither a success nor a failure',
    ],
  ])('is refused with %s', (_what, piece, what) => {
    expect(refusal(new Answer(1_000), piece)).toBe(`${BROKE}${what}${DROPPED}`);
  });

  test('keeps nothing of a frame that announces more than it may', () => {
    const answer = new Answer(FRAME_BYTES);
    expect(refusal(answer, Buffer.from([FRAME.output, 1, 0, 0x10, 0]))).toBe(
      `${BROKE}a frame of ${FRAME_BYTES + 1} bytes${DROPPED}`,
    );
    expect(answer.output.length).toBe(0);
  });

  test('cannot smuggle a long message', () => {
    const answer = new Answer(1);
    answer.push(outcome({ ok: false, reason: 'trap', fault: 'job', message: 'x'.repeat(5_000) }));
    expect(answer.outcome).toEqual({ ok: false, reason: 'trap', fault: 'job', message: 'x'.repeat(1_000) });
  });
});

describe('a rewritten module', () => {
  const sized = (length: number, content: Uint8Array): Buffer => {
    const bytes = Buffer.alloc(4 + content.length);
    bytes.writeUInt32LE(length, 0);
    bytes.set(content, 4);
    return bytes;
  };
  const module = new TextEncoder().encode('module');

  test('comes first, in as many frames as it needs', () => {
    const answer = new Answer(5, {}, true);
    answer.push(frame(FRAME.prepared, sized(6, module.subarray(0, 2))));
    expect(answer.prepared).toBe(undefined);
    answer.push(frame(FRAME.prepared, module.subarray(2)));
    answer.push(outcome(SUCCESS));
    expect(Buffer.from(answer.prepared!).toString()).toBe('module');
  });

  test.each<[string, boolean, Buffer[], string]>([
    ['nobody asked for', false, [sized(6, module)], 'a module that nobody waits for'],
    ['a second one', true, [sized(6, module), sized(6, module)], 'a module that nobody waits for'],
    ['longer than it said', true, [sized(5, module)], 'a module that is longer than it said'],
    ['too long', true, [sized(PREPARED_BYTES + 1, module)], `a module of ${PREPARED_BYTES + 1} bytes`],
    ['without a length', true, [Buffer.from([1, 2, 3])], 'a module of Infinity bytes'],
  ])('%s breaks the protocol', (_what, takes, contents, why) => {
    const answer = new Answer(5, {}, takes);
    const said = contents.map((content) => refusal(answer, frame(FRAME.prepared, content)));
    expect(said.at(-1)).toBe(`${BROKE}${why}${DROPPED}`);
  });

  test('does not change once something of the module ran', () => {
    const answer = new Answer(5, {}, true);
    answer.push(frame(FRAME.prepared, sized(6, module.subarray(0, 2))));
    answer.push(frame(FRAME.output, 'x'));
    expect(refusal(answer, frame(FRAME.prepared, module.subarray(2)))).toBe(
      `${BROKE}a module that nobody waits for${DROPPED}`,
    );
    expect(answer.prepared).toBe(undefined);
  });
});

describe('progress', () => {
  const at = (permille: number): Buffer => frame(FRAME.progress, new Uint8Array(Uint32Array.of(permille).buffer));

  test('is heard as it grows', () => {
    const heard: number[] = [];
    const answer = new Answer(5, { onProgress: (share) => heard.push(share) });
    for (const permille of [1, 500, 1_000]) answer.push(at(permille));
    answer.push(outcome(SUCCESS));
    expect(heard).toEqual([0.001, 0.5, 1]);
  });

  test.each([
    ['does not grow', [at(7), at(7)]],
    ['is nothing', [at(0)]],
    ['is more than all', [at(1_001)]],
    ['is no number', [frame(FRAME.progress, '12345')]],
  ])('that %s breaks the protocol', (_what, frames) => {
    expect(refusal(new Answer(5), Buffer.concat(frames))).toBe(`${BROKE}progress that is none${DROPPED}`);
  });

  test('is sent when it is further by a thousandth', () => {
    expect(progressFrame(0.5, 499)).toEqual(new Uint8Array(at(500)));
    expect(progressFrame(0.5, 500)).toBeUndefined();
  });
});
