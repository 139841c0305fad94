import type { CID } from 'multiformats/cid';
import { concat } from '../src/storage/bytes.ts';
import { carHeader, carSectionHead } from '../src/storage/car.ts';
import type { Block } from '../src/storage/car.ts';
import { cidOfBlock } from '../src/storage/cid.ts';
import { cutFile } from '../src/storage/unixfs.ts';

/** A CAR of these blocks, true or not. */
export const car = (blocks: Block[], roots: CID[] = []): Uint8Array<ArrayBuffer> =>
  concat([carHeader(roots), ...blocks.flatMap((block) => [carSectionHead(block), block.bytes])]);

/** A raw block. */
export const block = async (bytes: Uint8Array): Promise<Block> => ({ cid: await cidOfBlock(bytes, 'raw'), bytes });

/** The blocks of a file, leaves first. */
export async function blocksOf(bytes: Uint8Array): Promise<Block[]> {
  const blocks: Block[] = [];
  await cutFile(bytes, async (item) => void blocks.push(item));
  return blocks;
}
