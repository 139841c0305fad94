import type { Api, NodeSummary, Page } from '@dpu/sdk/api';

/** Pages of a hundred; a network that has outgrown them is shown by its first thousand. */
const MOST_PAGES = 10;

/** All nodes. */
export async function loadNodes(api: Pick<Api, 'nodes'>, signal: AbortSignal): Promise<NodeSummary[]> {
  const items: NodeSummary[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer: Page<NodeSummary> = await api.nodes({ limit: 100, signal, ...(cursor !== null && { cursor }) });
    items.push(...answer.items);
    cursor = answer.next;
    if (cursor === null) break;
  }
  return items;
}
