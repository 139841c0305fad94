/** Solidity sources with everything they import, and the compiler's trees of them. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';

/** A node of the compiler's tree; which other members there are depends on `nodeType`. */
export interface AstNode {
  readonly nodeType: string;
  /** `first byte : bytes : file`. */
  readonly src: string;
  readonly [member: string]: unknown;
}

/** Source texts by the name under which others import them. */
export type Sources = Map<string, string>;

/** Where the node is in its file: the first byte and the byte after the last. */
export function rangeOf(node: AstNode): { start: number; end: number } {
  const [start = 0, length = 0] = node.src.split(':').map(Number);
  return { start, end: start + length };
}

function isNode(value: unknown): value is AstNode {
  return typeof value === 'object' && value !== null && 'nodeType' in value && 'src' in value;
}

/** The nodes directly below, in the order of the text. */
export function childrenOf(node: AstNode): AstNode[] {
  const below: AstNode[] = [];
  for (const value of Object.values(node)) {
    if (isNode(value)) below.push(value);
    else if (Array.isArray(value)) below.push(...value.filter(isNode));
  }
  return below.sort((a, b) => rangeOf(a).start - rangeOf(b).start);
}

/** Calls `visit` for the node and all below it, parents first; `false` leaves out what is below. */
export function walk(
  node: AstNode,
  visit: (node: AstNode, parents: AstNode[]) => boolean | void,
  parents: AstNode[] = [],
): void {
  if (visit(node, parents) === false) return;
  for (const child of childrenOf(node)) walk(child, visit, [...parents, node]);
}

/** The compiler's name for the type of an expression, `''` where it gives none. */
export function typeOf(node: AstNode): string {
  const { typeIdentifier } = (node.typeDescriptions ?? {}) as { typeIdentifier?: string };
  return typeIdentifier ?? '';
}

/** Paths of the `.sol` files below `folder` of `root`, as the sources import each other. */
export function solidityFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sol'))
    .map((path) => posix.join(folder, path.replaceAll('\\', '/')))
    .sort();
}

/** The names that a source imports. */
export function importsOf(name: string, text: string): string[] {
  return [...text.matchAll(/^import\s[^"';]*["']([^"']+)["'];/gmu)].map(([, path = '']) =>
    path.startsWith('.') ? posix.join(posix.dirname(name), path) : path,
  );
}

/** Reads the named sources and all that they import. Names outside the project are those of npm packages. */
export function readSources(root: string, names: string[]): Sources {
  const sources: Sources = new Map();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (sources.has(name)) continue;
    const text = readFileSync(join(root, name.startsWith('@') ? 'node_modules' : '.', name), 'utf8');
    sources.set(name, text);
    waiting.push(...importsOf(name, text));
  }
  return sources;
}

/** The names of the sources that `name` needs, itself included. */
export function closureOf(name: string, sources: Sources): Set<string> {
  const found = new Set<string>();
  const waiting = [name];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    waiting.push(...importsOf(next, sources.get(next) ?? ''));
  }
  return found;
}
