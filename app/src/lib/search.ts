/** What a person may have typed into the search box. */
export type SearchTarget =
  | { kind: 'node'; id: number }
  | { kind: 'address'; address: string }
  /** 32 bytes: a job's id or a transaction's hash. */
  | { kind: 'hash'; hash: string };

/** Reads a job id, transaction hash, address or node number; undefined when it is none of them. */
export function searchTarget(text: string): SearchTarget | undefined {
  const value = text.trim().toLowerCase();
  if (/^0x[0-9a-f]{64}$/.test(value)) return { kind: 'hash', hash: value };
  if (/^0x[0-9a-f]{40}$/.test(value)) return { kind: 'address', address: value };
  const node = /^(?:node\s*)?#?\s*(\d{1,9})$/.exec(value);
  return node && Number(node[1]) > 0 ? { kind: 'node', id: Number(node[1]) } : undefined;
}
