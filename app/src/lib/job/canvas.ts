/** A mosaic that is drawn, not built of elements: for more shards than a page can hold. */
import { SHARD_STATES, type Cell, type ShardState } from './shards.ts';

/** How cells lie: `columns` squares of `size` device pixels in a row. */
export interface Layout {
  columns: number;
  rows: number;
  size: number;
}

/** The largest squares with which `count` cells fill a box of `width` × `height` device pixels; at least one pixel each. Pure. */
export function layoutFor(count: number, width: number, height: number): Layout {
  let size = Math.max(1, Math.floor(Math.sqrt((width * height) / Math.max(1, count))));
  while (size > 1 && Math.floor(width / size) * Math.floor(height / size) < count) size -= 1;
  const columns = Math.max(1, Math.min(count, Math.floor(width / size)));
  return { columns, rows: Math.ceil(count / columns), size };
}

/** Which cell lies at a point of the canvas, device pixels; undefined beside them all. Pure. */
export function cellAt({ columns, size }: Layout, count: number, x: number, y: number): number | undefined {
  const column = Math.floor(x / size);
  const index = Math.floor(y / size) * columns + column;
  return x >= 0 && y >= 0 && column < columns && index < count ? index : undefined;
}

/** Where a key leads from cell `from` (−1: from none); undefined when it is none of ours. Pure. */
export function stepFrom(key: string, from: number, count: number, columns: number): number | undefined {
  const steps: Record<string, number> = {
    ...{ ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns },
    ...{ PageDown: 10 * columns, PageUp: -10 * columns },
  };
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  const step = steps[key];
  if (step === undefined) return undefined;
  return from < 0 ? 0 : Math.min(count - 1, Math.max(0, from + step));
}

/** How much of a state's colour its cells have, 0 … 1: paler while less is certain. */
const FILL: Readonly<Record<ShardState, number>> = {
  open: 0.25,
  claimed: 0.5,
  committed: 0.6,
  revealed: 0.65,
  settled: 0.8,
  lapsed: 0.6,
  faulted: 0.6,
  unresolved: 0.6,
  excused: 0.6,
};

/** Draws all cells: one path for each state, whatever their number. `colourOf` gives the theme's colours. */
export function drawCells(
  context: CanvasRenderingContext2D,
  cells: readonly Cell[],
  { columns, size }: Layout,
  colourOf: (state: ShardState) => string,
): void {
  const { width, height } = context.canvas;
  context.clearRect(0, 0, width, height);
  const gap = size > 5 ? 1 : 0;
  for (const state of SHARD_STATES) {
    context.beginPath();
    let any = false;
    for (const [index, cell] of cells.entries()) {
      if (cell.state !== state) continue;
      any = true;
      context.rect((index % columns) * size, Math.floor(index / columns) * size, size - gap, size - gap);
    }
    if (!any) continue;
    context.globalAlpha = FILL[state];
    context.fillStyle = colourOf(state);
    context.fill();
  }
  context.globalAlpha = 1;
}
