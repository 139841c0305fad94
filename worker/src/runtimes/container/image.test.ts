import { digestOf, tarOf, type BuiltImage } from '@dpu/sdk/machine/imageTar';
import { pack } from 'tar-stream';
import { expect, test } from 'vitest';

import { checkImage } from './image.ts';

interface Listed {
  readonly name: string;
  readonly type?: 'directory' | 'symlink';
  readonly linkname?: string;
}

async function layerOf(entries: readonly Listed[]): Promise<Uint8Array> {
  const packing = pack();
  for (const entry of entries) packing.entry(entry, entry.type === undefined ? 'x' : '');
  packing.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of packing) pieces.push(piece as Buffer);
  return new Uint8Array(Buffer.concat(pieces));
}

function imageOf(layers: readonly Uint8Array[]): BuiltImage {
  const config = Buffer.from(JSON.stringify({ rootfs: { type: 'layers', diff_ids: layers.map(digestOf) } }));
  const manifest = JSON.stringify([{ Config: 'c.json', Layers: layers.map((_, index) => `${index}`) }]);
  const tar = tarOf([
    ...layers.map((bytes, index) => ({ name: `${index}`, bytes })),
    { name: 'c.json', bytes: config },
    { name: 'manifest.json', bytes: Buffer.from(manifest) },
  ]);
  return { tar, id: digestOf(config) };
}

const check = async (...layers: (readonly Listed[])[]): Promise<string> => {
  const { tar, id } = imageOf(await Promise.all(layers.map(layerOf)));
  return checkImage(tar, id).then(
    () => 'taken',
    (error: Error) => error.message,
  );
};
const folder = (name: string): Listed => ({ name, type: 'directory' });

test('a file in a folder that no layer lists is refused: engines make such folders each in its own way', async () => {
  expect(await check([{ name: 'bin/sh' }])).toContain(
    'layer 0 of its image has bin/sh, and no layer lists the folder bin',
  );
  expect(await check([folder('usr/bin'), { name: 'usr/bin/sh' }])).toContain('no layer lists the folder usr');
  expect(await check([{ name: 'sh' }], [{ name: 'bin/sh' }])).toContain('layer 1 of its image has bin/sh');
});

test('folders may be listed in any place of a layer, below it, with a dot, or stand behind a link', async () => {
  expect(await check([{ name: 'sh' }])).toBe('taken');
  expect(await check([{ name: 'bin/sh' }, folder('bin/')])).toBe('taken');
  expect(await check([folder('./'), folder('./bin/'), { name: './bin/sh' }])).toBe('taken');
  expect(await check([folder('bin')], [{ name: 'bin/sh' }, { name: 'bin/.wh.old' }])).toBe('taken');
  expect(await check([{ name: 'bin', type: 'symlink', linkname: 'usr/bin' }], [{ name: 'bin/a/sh' }])).toBe('taken');
});

test('a layer that is no archive is refused', async () => {
  const { tar, id } = imageOf([new Uint8Array(512).fill(7)]);
  await expect(checkImage(tar, id)).rejects.toThrow('layer 0 of its image is no archive');
});
