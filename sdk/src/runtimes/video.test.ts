import { describe, expect, test } from 'vitest';

import { encodeSpec, type JobSpecInput } from '../spec.ts';
import { videoComparator, videoSettingsSchema, videoUnits, type VideoSettings } from './video.ts';

const SHAPE = { codec: 'h264', width: 320, height: 180, fps: 24, frames: 96 } as const;
const TRANSCODE: VideoSettings = { step: 'transcode', source: 'clip', quality: 23, ...SHAPE };
const JOIN: VideoSettings = { step: 'join', parts: 'parts', ...SHAPE };
const CID = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';

const spec = (over: Partial<JobSpecInput> = {}): JobSpecInput => ({
  version: 1,
  name: 'A clip',
  runtime: 'video',
  settings: TRANSCODE as unknown as Record<string, unknown>,
  args: [],
  inputs: [{ name: 'clip', cid: CID, size: 9 }],
  shards: 4,
  output: { name: 'part.mp4', mediaType: 'video/mp4' },
  limits: { memoryBytes: 2 ** 28, units: 1_000, outputBytes: 2 ** 20, seconds: 60 },
  comparator: videoComparator(SHAPE),
  ...over,
});
const settings = (value: VideoSettings): { settings: Record<string, unknown> } => ({
  settings: value as unknown as Record<string, unknown>,
});
const problem = (given: JobSpecInput): string => {
  try {
    encodeSpec(given);
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
};

describe('a spec of the video runtime', () => {
  test('of either step is taken, and may be compared byte for byte', () => {
    expect(problem(spec())).toBe('none');
    expect(problem(spec({ comparator: { kind: 'exact' } }))).toBe('none');
    expect(problem(spec({ ...settings(JOIN), inputs: [], after: { name: 'parts' }, shards: 1 }))).toBe('none');
  });

  test.each<[string, Partial<JobSpecInput>, string]>([
    ['a module', { module: CID }, 'module: must be absent: the settings of the runtime video say all'],
    ['a clip that is no input', { inputs: [] }, 'settings.source: names no input: clip'],
    ['more shards than frames', { shards: 97 }, 'settings.frames: must be at least one for each of the 97 shards'],
    ['another output', { output: { name: 'a', mediaType: 'video/webm' } }, 'output.mediaType: must be video/mp4'],
    [
      'frames of another size',
      { comparator: videoComparator({ width: 318, height: 180 }) },
      'comparator: must be exact, or perceptual with images of rgba8, 320 × 180: the decoded frames',
    ],
    [
      'parts of no job',
      { ...settings(JOIN), shards: 1 },
      'settings.parts: must be the name in after: the parts are its results',
    ],
    [
      'a joining in two shards',
      { ...settings(JOIN), inputs: [], after: { name: 'parts' }, shards: 2 },
      'shards: must be 1: the parts become one file',
    ],
  ])('with %s is refused', (_what, over, sentence) => {
    expect(problem(spec(over))).toBe(`The job spec is not valid: ${sentence}.`);
  });

  test.each<[object, string]>([
    [{ width: 321 }, 'must be even'],
    [{ height: 14 }, 'must be at least 16'],
    [{ fps: 121 }, 'must be at most 120'],
    [{ quality: 52 }, 'must be at most 51 for h264'],
    [{ quality: 0 }, 'must be at least 1'],
    [{ source: '../clip' }, 'must be the name of an input'],
    [{ filter: 'x' }, 'Unrecognized key: "filter"'],
  ])('settings with %j are refused', (over, message) => {
    const found = videoSettingsSchema.safeParse({ ...TRANSCODE, ...over });
    expect(found.error?.issues[0]?.message).toBe(message);
  });

  test('counts the pixels of its own frames', () => {
    // 24 frames of 320 × 180 pixels, 100 operations each.
    expect(videoUnits(TRANSCODE, 0, 4)).toBe(139);
    expect(videoUnits({ ...TRANSCODE, codec: 'av1' }, 3, 4)).toBe(968);
    expect(videoUnits(JOIN, 0, 1)).toBe(1);
    expect(videoUnits({ ...JOIN, frames: 101 }, 0, 1)).toBe(2);
  });
});
