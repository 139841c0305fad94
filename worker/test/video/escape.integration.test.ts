/** What a clip, or an ffmpeg that a clip has taken over, may try to get out. Each line of the tables is one probe. */
import { existsSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { findTool, librariesOf } from '../../src/runtimes/tool/findTool.ts';
import { NativeSandbox } from '../../src/runtimes/tool/nativeSandbox.ts';
import { runTool } from '../../src/runtimes/tool/runTool.ts';
import { makeWorkplace } from '../../src/runtimes/tool/workplace.ts';
import { VideoRuntime } from '../../src/runtimes/video/videoRuntime.ts';
import { FOLDER } from '../../src/sandbox/isolation.ts';
import { failure } from '../wasm/shardRequest.ts';
import { joined, testPicture, transcode } from './clips.ts';

const MIB = 1024 * 1024;
const made = new VideoRuntime();
const probed = await made.probe();
if (!probed.available) console.warn(`No escape from ffmpeg is tested on this machine. ${probed.detail}`);
const native = new NativeSandbox('Videos', {}, async () => {
  const binary = findTool('ffmpeg')!;
  return { binary, files: librariesOf(binary), environment: {} };
});
afterAll(async () => {
  await made.close();
  await native.close();
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const HLS = '#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nconcat:file:///etc/passwd\n#EXT-X-ENDLIST\n';

describe.skipIf(!probed.available)('a file that is no clip is refused before ffmpeg starts', () => {
  test.each<[string, string]>([
    ['a playlist that reads a file', HLS],
    ['a playlist that asks the network', '#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/x.ts\n#EXT-X-ENDLIST\n'],
    ['a list of files to join', "ffconcat version 1.0\nfile '/etc/passwd'\n"],
    ['a DASH manifest', '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>'],
    ['a session description', 'v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n'],
    ['subtitles', '1\n00:00:00,000 --> 00:00:01,000\n/etc/passwd\n'],
    ['styled subtitles with fonts', '[Script Info]\nScriptType: v4.00+\n[Fonts]\nfontname: /etc/passwd\n'],
    ['a pattern of pictures', '/etc/%d'],
    ['metadata for ffmpeg', ';FFMETADATA1\ntitle=file:/etc/passwd\n'],
    ['an image that names others', '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'],
    ['nothing', ''],
  ])('%s', async (_what, text) => {
    expect(await failure(made.run(transcode(bytes(text))))).toMatch(
      /^module-rejected \(job\): The shard cannot be run: clip is no clip of a format that is taken/,
    );
    expect(await failure(made.run(joined([testPicture(), bytes(text)])))).toMatch(
      /^module-rejected \(job\): The shard cannot be run: its part 1 is no MP4 file/,
    );
  });

  test.each([{ source: '/etc/passwd' }, { source: 'concat:a|b' }, { source: '../clip' }, { source: 'http://a/b' }])(
    'a name such as $source',
    async (settings) => {
      expect(await failure(made.run(transcode(testPicture(), settings)))).toBe(
        'module-rejected (job): The shard cannot be run: its settings are not those of the video runtime. The spec has to be corrected.',
      );
    },
  );
});

/** An MP4 whose only track says that its samples are in another file: `dref` with an `alis` of an absolute path. */
function elsewhere(path: string): Uint8Array {
  const clip = Buffer.from(testPicture());
  const at = clip.indexOf('url \0\0\0\u0001', 0, 'latin1');
  if (at < 0) throw new Error('the clip has no data reference');
  // The flag "in this file" goes; a name would follow, which a box of twelve bytes has no room for, so it names nothing we have.
  clip.writeUInt32BE(0, at + 4);
  return new Uint8Array(Buffer.concat([clip, Buffer.from(path)]));
}

test.skipIf(!probed.available)('a clip that says its pictures are in another file shows nothing of one', async () => {
  const found = await made.run(transcode(elsewhere('/etc/passwd'), { frames: 4, fps: 2 })).catch(() => undefined);
  // ffmpeg reads the clip itself instead, whatever the reference says.
  expect(found === undefined || found.output.length > 0).toBe(true);
});

const SECRET = '/etc/passwd';
const PICTURE = ['-f', 'lavfi', '-i', 'color=s=64x64:d=0.1'];
const RAW = ['-f', 'data', '-map', '0', '-c', 'copy', 'pipe:1'];
const READ = (address: string): string[] => ['-f', 'data', '-i', address, ...RAW];

describe.skipIf(!probed.available)('an ffmpeg that does what a stranger says', () => {
  async function said(words: readonly string[], outside?: string): Promise<{ code: number | string; text: string }> {
    const files = new Map<string, Uint8Array | string>([['clip', testPicture()]]).set('list.m3u8', HLS);
    const place = await makeWorkplace(files, ['result.mp4']);
    try {
      let text = '';
      const program = { ...(await native.program()), args: ['-nostdin', '-hide_banner', '-y', ...words] };
      const limits = { dataBytes: 512 * MIB, stackBytes: 8 * MIB, cpuSeconds: 20, fileBytes: MIB };
      const spec = { folder: place.folder, writable: ['result.mp4'], limits, program };
      const onStdout = (piece: Buffer): void => void (text += piece.toString('latin1').slice(0, 4_096));
      const ending = await runTool(await native.sandbox(), spec, { seconds: 20, onStdout });
      if (outside !== undefined) expect(existsSync(outside), `${outside} was written`).toBe(false);
      return { code: ending.code ?? ending.signal!, text };
    } finally {
      await place.remove();
    }
  }

  test('can do what it is there for: otherwise the probes below would say nothing', async () => {
    expect(await said(READ(`file:${FOLDER}/list.m3u8`))).toMatchObject({ code: 0, text: HLS });
  });

  test.each<[string, string[]]>([
    ['read a file of the machine', READ(`file:${SECRET}`)],
    ['read it by another protocol', READ(`concat:${SECRET}`)],
    ['read it through a cache', READ(`cache:file:${SECRET}`)],
    ['read it as a part of another', READ(`subfile,,start,0,end,99,,:${SECRET}`)],
    ['read it by its way from here', READ(`file:${FOLDER}/../../etc/passwd`)],
    [
      'read it through a playlist',
      [
        '-protocol_whitelist',
        'file,concat,crypto',
        '-allowed_extensions',
        'ALL',
        '-f',
        'hls',
        '-i',
        `file:${FOLDER}/list.m3u8`,
        ...RAW,
      ],
    ],
    ['read it by a filter', ['-f', 'lavfi', '-i', `movie=${SECRET}`, ...RAW]],
    ['draw it', [...PICTURE, '-vf', `drawtext=textfile=${SECRET}`, '-f', 'rawvideo', 'pipe:1']],
    ['draw it as subtitles', [...PICTURE, '-vf', `subtitles=${SECRET}`, '-f', 'rawvideo', 'pipe:1']],
    ['load a colour table from it', [...PICTURE, '-vf', `lut3d=${SECRET}`, '-f', 'rawvideo', 'pipe:1']],
    ['attach it', [...PICTURE, '-attach', SECRET, '-f', 'matroska', 'pipe:1']],
    ['read its own memory', READ('file:/proc/self/mem')],
    ['read its environment', READ('file:/proc/self/environ')],
    ['read another process', READ('file:/proc/1/environ')],
    ['read a disk', READ('file:/dev/vda')],
    ['read random bytes of the machine', READ('file:/dev/urandom')],
    ['read settings of the kernel', READ('file:/sys/kernel/notes')],
    ['read the folders of others', READ('file:/root/.bashrc')],
    ['connect', READ('tcp://127.0.0.1:22')],
    ['send packets', READ('udp://127.0.0.1:53')],
    ['fetch', READ('http://127.0.0.1/')],
    ['fetch in secret', READ('https://127.0.0.1/')],
    ['listen', READ('tcp://127.0.0.1:0?listen')],
    ['open a local socket', READ('unix:/run/dbus/system_bus_socket')],
    ['look through a camera', ['-f', 'v4l2', '-i', '/dev/video0', ...RAW]],
    ['look at a screen', ['-f', 'x11grab', '-i', ':0', ...RAW]],
    ['listen to a microphone', ['-f', 'alsa', '-i', 'default', ...RAW]],
  ])('cannot %s', async (_what, words) => {
    const { code, text } = await said(words);
    expect(code).not.toBe(0);
    expect(text).not.toMatch(/root:|http|HTTP/);
  });

  test.each<[string, string, string[]]>([
    ['write to the temporary folder', '/tmp/dpu-escape', ['-f', 'rawvideo', 'file:/tmp/dpu-escape']],
    ['write to the root', '/dpu-escape', ['-f', 'rawvideo', 'file:/dpu-escape']],
    ['write two files at once', '/tmp/dpu-escape', ['-map', '0', '-f', 'tee', '[f=rawvideo]/tmp/dpu-escape']],
    ['write many files', '/tmp/dpu-escape0', ['-f', 'segment', '-segment_time', '0.01', '/tmp/dpu-escape%d']],
    ['write beside the result', '/dpu/child/other', ['-f', 'rawvideo', `file:${FOLDER}/other`]],
    ['write over the clip', '/dpu/child/none', ['-f', 'rawvideo', `file:${FOLDER}/clip`]],
    ['write to a device', '/dev/dpu-escape', ['-f', 'rawvideo', 'file:/dev/dpu-escape']],
  ])('cannot %s', async (_what, outside, words) => {
    expect((await said([...PICTURE, ...words], outside)).code).not.toBe(0);
  });

  test('cannot make its result longer than allowed, however it writes', async () => {
    const noise = ['-f', 'lavfi', '-i', 'nullsrc=s=512x512:d=9,geq=random(1)*255:128:128'];
    const { code } = await said([...noise, '-f', 'rawvideo', `file:${FOLDER}/result.mp4`]);
    expect(code === 'SIGXFSZ' || code !== 0).toBe(true);
  });
});
