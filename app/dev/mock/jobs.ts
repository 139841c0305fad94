/** Which jobs the pretended network has: one of each kind, so that every look of a page can be looked at. */
import type { Hex } from 'viem';

import { answers, ball, curve, png, scene } from './pictures.ts';
import { CREDITS, hex, now, USD, wei } from './network.ts';
import type { Made, World } from './world.ts';

const WIDTH = 960;
const HEIGHT = 544;
const COLUMNS = 8;
const TILES = { width: WIDTH, height: HEIGHT, tileWidth: WIDTH / COLUMNS, tileHeight: HEIGHT / COLUMNS };
const PICTURE = { name: 'tile.png', mediaType: 'image/png' };
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const drawn = new Map<number, Uint8Array>();

/** Tile `shard` of the picture. */
function tile(shard: number): Uint8Array {
  const known = drawn.get(shard) ?? drawTile(shard);
  drawn.set(shard, known);
  return known;
}

function drawTile(shard: number): Uint8Array {
  const [left, top] = [(shard % COLUMNS) * TILES.tileWidth, Math.floor(shard / COLUMNS) * TILES.tileHeight];
  return png(TILES.tileWidth, TILES.tileHeight, (x, y) => scene(left + x, top + y, WIDTH, HEIGHT));
}

const FOLDED = text('fold');

/** What a node shows that has made something up. */
const forged = (): Uint8Array =>
  png(TILES.tileWidth, TILES.tileHeight, (x, y) => (Math.hypot(x - 70, y - 30) < 22 ? [220, 40, 60] : [120, 130, 138]));

/** Fills the world. */
export async function addJobs(
  world: World,
  { many = 10_000 } = {},
): Promise<{ made: Record<string, Made>; cases: Record<string, Hex> }> {
  const at = now();
  const cases: Record<string, Hex> = {};
  const render = (name: string, postedAt: number) => {
    return { name, shards: 64, per: 4, postedAt, output: PICTURE, make: tile, runtime: 'wasm' as const };
  };
  const tiles = { kind: 'tiles', ...TILES } as const;
  const made: Record<string, Made> = {};

  const pair = hex('pair of jobs');
  made['rendered'] = await world.add({
    ...render('Balls at noon', at - 9_000),
    view: tiles,
    fate: 'complete',
    tx: pair,
    lapses: 5,
  });
  made['assembled'] = await world.add({
    ...{ name: 'Balls at noon, assembled', shards: 1, fate: 'complete', postedAt: at - 9_000, tx: pair },
    ...{ output: { name: 'image.png', mediaType: 'image/png' }, view: { kind: 'file' }, afterJob: made['rendered'].id },
    make: () => png(WIDTH, HEIGHT, (x, y) => scene(x, y, WIDTH, HEIGHT)),
  });
  made['trained'] = await world.add({
    ...{ name: 'Average, test and export, round 4 of 4', shards: 4, per: 4, fate: 'complete', postedAt: at - 7_400 },
    runtime: 'train',
    output: { name: 'model.onnx', mediaType: 'application/octet-stream' },
    view: {
      kind: 'files',
      files: [
        { name: 'curve.csv', mediaType: 'text/csv' },
        { name: 'answers.csv', mediaType: 'text/csv' },
        { name: 'ball.obj', mediaType: 'model/obj' },
        { name: 'notes.txt', mediaType: 'text/plain' },
      ],
    },
    make: (shard) => [curve(24), answers(400), ball(), text('Trained on 3,000 digits.\nAccuracy 96.4 %.\n')][shard]!,
  });
  made['batch'] = await world.add({
    ...{ name: 'Score 4,000 reviews', shards: 20, per: 2, fate: 'complete', postedAt: at - 6_100, runtime: 'onnx' },
    ...{ output: { name: 'scores.csv', mediaType: 'text/csv' }, make: (shard) => answers(200 + shard) },
    terms: { currency: USD, minPrice: 150_000n, maxPrice: 600_000n, bond: wei(4), requester: hex('who1', 20) },
  });
  made['judged'] = await world.add({
    ...render('Balls, twice as fast', at - 5_200),
    view: tiles,
    fate: 'revealed',
    lapses: 2,
  });
  await world.dispute(made['judged'], 62, tile(62), {
    at: at - 5_000,
    served: 5,
    votes: [3, 3, 3, 3, 1],
    found: 3,
    end: true,
  });
  made['cancelled'] = await world.add({ ...render('Balls, a draft', at - 4_100), view: tiles, fate: 'cancelled' });
  made['table'] = await world.add({
    ...{ name: 'Prime gaps below a billion', shards: 12, per: 3, fate: 'complete', postedAt: at - 3_300 },
    ...{ output: { name: 'gaps.csv', mediaType: 'text/csv' }, make: (shard) => answers(60 + shard) },
    terms: { currency: CREDITS, bond: wei(3), requester: hex('who2', 20) },
  });
  made['hostile'] = await world.add({
    name: '<img src=x onerror=alert(1)> ‮evil " onmouseover="alert(1)',
    ...{ shards: 2, per: 1, fate: 'complete', postedAt: at - 2_500, runtime: 'container' },
    output: { name: 'note.html', mediaType: 'text/html' },
    make: () => text('<script>document.title = "stolen"</script>'),
  });
  made['challenged'] = await world.add({
    ...render('Balls in the evening', at - 700),
    ...{ view: tiles, fate: 'revealed', make: (shard) => (shard === 61 ? forged() : tile(shard)) },
  });
  cases['case'] = await world.dispute(made['challenged'], 61, tile(61), { at: at - 140, served: 5, votes: [3, 3, 3] });
  made['answered'] = await world.add({
    ...{ name: 'Answers to 600 questions', shards: 3, per: 1, fate: 'revealed', postedAt: at - 600, runtime: 'onnx' },
    output: { name: 'answers.csv', mediaType: 'text/csv' },
    make: (shard) => answers(200, shard === 2 ? 120 : undefined),
  });
  cases['caseText'] = await world.dispute(made['answered'], 2, answers(200), { at: at - 120, served: 3, votes: [3] });
  made['many'] = await world.add({
    ...{ name: 'Fold ten thousand molecules', shards: many, per: many / 100, fate: 'complete', postedAt: at - 1_800 },
    ...{ output: { name: 'fold.bin', mediaType: 'application/octet-stream' }, pace: 1, runtime: 'wgsl' },
    make: () => FOLDED,
    terms: { requester: hex('who3', 20) },
  });
  made['open'] = await world.add({
    ...{
      name: 'Balls, 8 k',
      shards: 144,
      fate: 'open',
      postedAt: at - 30,
      output: PICTURE,
      make: tile,
      runtime: 'render',
    },
    terms: { requester: hex('who4', 20) },
  });
  made['running'] = await world.add({
    ...render('Balls in the morning', at - 110),
    view: tiles,
    fate: 'running',
    pace: 9,
  });
  return { made, cases };
}
