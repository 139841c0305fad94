/** What a shard of a video job is asked to do, checked before any process starts. */
import { shareOf } from '@dpu/sdk/runtimes/onnx';
import { videoSettingsSchema, videoUnits, type VideoSettings } from '@dpu/sdk/runtimes/video';
import { ShardError, type ShardRequest } from '../runtime.ts';
import { checkRequest, refuse } from '../wasm/request.ts';
import { demuxerOf } from './formats.ts';
import { joinWords, partList, partName, PLACE, transcodeWords } from './words.ts';

/** A request that passed every check. */
export interface PreparedVideo {
  /** What stands in the workplace. */
  readonly files: ReadonlyMap<string, Uint8Array | string>;
  readonly words: readonly string[];
  /** Frames that the result must have. */
  readonly frames: number;
  /** What the shard counts as: from the settings alone. */
  readonly units: number;
}

/**
 * Checks a request and lays out its files and ffmpeg's words.
 * @throws ShardError of reason `module-rejected` or `out-of-units`.
 */
export function prepareVideo(request: ShardRequest): PreparedVideo {
  checkRequest(request, 0);
  const { shard, shards, limits } = request;
  const parsed = videoSettingsSchema.safeParse(request.settings);
  if (!parsed.success) throw refuse('its settings are not those of the video runtime');
  const settings = parsed.data;
  const units = videoUnits(settings, shard, shards);
  const prepared = settings.step === 'join' ? prepareJoin(request, settings) : prepareTranscode(request, settings);
  if (units > Number(limits.units)) {
    throw new ShardError('out-of-units', 'job', `The shard needs ${units} units, its spec allows ${limits.units}.`);
  }
  return { ...prepared, units };
}

function prepareTranscode(
  { inputs, shard, shards }: ShardRequest,
  settings: Extract<VideoSettings, { step: 'transcode' }>,
): Omit<PreparedVideo, 'units'> {
  const share = shareOf(settings.frames, shard, shards);
  if (share.count === 0) throw refuse(`there are fewer frames than its ${shards} shards`);
  const clip = inputs.find(({ name }) => name === settings.source);
  if (clip === undefined) throw refuse(`its settings name the clip ${settings.source}, which is not there`);
  const demuxer = demuxerOf(clip.bytes);
  if (demuxer === undefined) {
    throw refuse(
      `${settings.source} is no clip of a format that is taken: MP4, MOV, Matroska, WebM, AVI, MPEG-TS, Y4M`,
    );
  }
  return {
    files: new Map([[PLACE.clip, clip.bytes]]),
    words: transcodeWords(settings, share, demuxer),
    frames: share.count,
  };
}

function prepareJoin(
  { inputs, shards }: ShardRequest,
  { parts, frames }: Extract<VideoSettings, { step: 'join' }>,
): Omit<PreparedVideo, 'units'> {
  if (shards !== 1) throw refuse('parts are joined by one shard');
  const named = new Map(inputs.map(({ name, bytes }) => [name, bytes]));
  const files = new Map<string, Uint8Array | string>();
  for (;;) {
    const index = files.size;
    const bytes = named.get(`${parts}/${index}`);
    if (bytes === undefined) break;
    if (demuxerOf(bytes) !== 'mov') throw refuse(`its part ${index} is no MP4 file`);
    files.set(partName(index), bytes);
  }
  if (files.size === 0) throw refuse(`there are no parts called ${parts}`);
  files.set(PLACE.list, partList(files.size));
  return { files, words: joinWords(), frames };
}
