import type { NodeSummary } from '@dpu/sdk/api';

/** In which order nodes are listed. */
export type NodeOrder = 'stake' | 'record' | 'work' | 'newest';

/** Which nodes a list shows. */
export interface NodeFilter {
  /** Number, owner or operator; part of an address is enough. */
  text: string;
  /** Id of a runtime that they must offer; 0: any. */
  runtime: number;
  order: NodeOrder;
}

/** The nodes that fit, in the order that was asked for; equal ones by their numbers. */
export function filterNodes(nodes: readonly NodeSummary[], { text, runtime, order }: NodeFilter): NodeSummary[] {
  const wanted = text
    .trim()
    .toLowerCase()
    .replace(/^(?:node\s*)?#?/, '');
  return nodes
    .filter(({ runtimes }) => runtime === 0 || runtimes.includes(runtime))
    .filter(({ id, owner, operator }) => {
      if (wanted === '') return true;
      if (/^\d+$/.test(wanted)) return String(id) === wanted;
      return owner.toLowerCase().includes(wanted) || operator.toLowerCase().includes(wanted);
    })
    .sort((a, b) => COMPARE[order](a, b) || a.id - b.id);
}

const falling = (a: bigint | number, b: bigint | number): number => (a === b ? 0 : a < b ? 1 : -1);

const COMPARE: Readonly<Record<NodeOrder, (a: NodeSummary, b: NodeSummary) => number>> = {
  stake: (a, b) => falling(a.stake, b.stake),
  record: (a, b) => falling(a.record, b.record),
  work: (a, b) => falling(a.shardsSettled, b.shardsSettled),
  newest: (a, b) => falling(a.registeredAt, b.registeredAt),
};
