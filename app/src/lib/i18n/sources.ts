/** What the pages say, read from their sources. For tests alone: it loads compilers. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'svelte/compiler';
import ts from 'typescript';

/** A sentence, and the file that says it. */
export interface Said {
  text: string;
  file: string;
}

const SRC = join(import.meta.dirname, '../..');
/** Attributes of components that say what they are given. */
const SPOKEN = new Set(['title', 'label', 'hint', 'legend', 'description', 'text', 'done', 'about']);
/** Attributes of elements that people read or hear. */
const HEARD = new Set(['title', 'placeholder', 'alt', 'aria-label', 'aria-description', 'aria-valuetext']);
/** Members that hold names of other things: of events, of chains, or German already. */
const NAMES = new Set(['name', 'eventName', 'de']);
/** How many arguments of a function are sentences, and which is the first. */
const SAYERS: Readonly<Record<string, readonly [first: number, count: number]>> = {
  say: [0, 1],
  sayCount: [1, 2],
  row: [0, 1],
};

// What both syntax trees have in common is all that is looked at.
type Tree = Readonly<Record<string, unknown>> & { type?: string };

/**
 * Every sentence that a page says by name; those that objects hold, to be said by whoever shows them; all words that stand in markup without being
 * said; and what is said without an end right before something that changes, which makes the two one sentence.
 */
export function readPages(): { said: Said[]; held: Said[]; bare: Said[]; joined: Said[] } {
  const [said, held, bare, joined]: [Said[], Said[], Said[], Said[]] = [[], [], [], []];
  for (const file of readdirSync(SRC, { recursive: true, encoding: 'utf8' }).sort()) {
    const source = (): string => readFileSync(join(SRC, file), 'utf8');
    if (file.endsWith('.svelte')) {
      const { fragment, instance, module } = parse(source(), { modern: true });
      for (const part of [fragment, instance?.content, module?.content])
        walkPage(part, file, { said, held, bare, joined });
    } else if (file.endsWith('.ts') && !/\.test\.ts$|(^|\/)i18n\//.test(file)) {
      walkScript(ts.createSourceFile(file, source(), ts.ScriptTarget.Latest, true), file, { said, held });
    }
  }
  return { said, held, bare, joined };
}

function walkPage(node: unknown, file: string, found: ReturnType<typeof readPages>): void {
  const { said, held, bare, joined } = found;
  if (Array.isArray(node)) return node.forEach((one) => walkPage(one, file, found));
  if (node === null || typeof node !== 'object') return;
  const tree = node as Tree;
  if (tree.type === 'StyleDirective') return;
  if (tree.type === 'Fragment') joined.push(...joinedIn(tree['nodes'] as Tree[]).map((text) => ({ text, file })));
  const take = (value: unknown): void => literals(value).forEach((text) => said.push({ text, file }));
  if (tree.type === 'CallExpression') {
    const [first, count] = SAYERS[String((tree['callee'] as Tree)['name'])] ?? [0, 0];
    (tree['arguments'] as unknown[]).slice(first, first + count).forEach(take);
  }
  if (tree.type === 'Property') {
    const { name, value } = tree['key'] as Tree;
    if (!NAMES.has(String(name ?? value)))
      literals(tree['value'])
        .filter(isSentence)
        .forEach((text) => held.push({ text, file }));
  }
  if (tree.type === 'Component' || tree.type === 'RegularElement')
    for (const attribute of tree['attributes'] as Tree[]) {
      const value = [attribute['value']].flat().filter((part) => typeof part === 'object' && part !== null) as Tree[];
      const name = String(attribute['name']);
      const words = value.filter((part) => part.type === 'Text' && hasWords(part['data']));
      if (tree.type === 'Component' && SPOKEN.has(name) && value.length === 1) {
        for (const part of value) (part.type === 'Text' ? [part['data']] : [part['expression']]).forEach(take);
      } else if (HEARD.has(name) || (tree.type === 'Component' && SPOKEN.has(name)))
        for (const part of words) bare.push({ text: String(part['data']), file });
    }
  if (tree.type === 'Attribute')
    return walkPage(
      ([tree['value']].flat() as Tree[]).filter((part) => typeof part === 'object' && part.type !== 'Text'),
      file,
      found,
    );
  if (tree.type === 'Text' && hasWords(tree['data'])) bare.push({ text: String(tree['data']).trim(), file });
  for (const [name, part] of Object.entries(tree))
    if (name !== 'metadata' && name !== 'parent') walkPage(part, file, { said, held, bare, joined });
}

function walkScript(node: ts.Node, file: string, found: Pick<ReturnType<typeof readPages>, 'said' | 'held'>): void {
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
    const [first, count] = SAYERS[node.expression.text] ?? [0, 0];
    for (const argument of node.arguments.slice(first, first + count)) {
      const choices = ts.isConditionalExpression(argument) ? [argument.whenTrue, argument.whenFalse] : [argument];
      for (const choice of choices) if (ts.isStringLiteralLike(choice)) found.said.push({ text: choice.text, file });
    }
  }
  if (ts.isPropertyAssignment(node) && ts.isStringLiteralLike(node.initializer) && !NAMES.has(node.name.getText())) {
    const { text } = node.initializer;
    if (isSentence(text)) found.held.push({ text, file });
  }
  ts.forEachChild(node, (child) => walkScript(child, file, found));
}

/** Sentences without an end that are followed by a value. */
function joinedIn(nodes: readonly Tree[]): string[] {
  const parts = nodes.filter((node) => node.type !== 'Text' || String(node['data']).trim() !== '');
  const sentence = (node: Tree | undefined): string | undefined => {
    const call = node?.type === 'ExpressionTag' ? (node['expression'] as Tree) : undefined;
    if (call?.type !== 'CallExpression' || (call['callee'] as Tree)['name'] !== 'say') return undefined;
    return literals((call['arguments'] as unknown[])[0])[0];
  };
  return parts.flatMap((node, at) => {
    const [text, next] = [sentence(node), parts[at + 1]];
    const changes =
      next?.type === 'ExpressionTag' &&
      !/^say/.test(String(((next['expression'] as Tree)['callee'] as Tree | undefined)?.['name']));
    return text !== undefined && changes && !/[.:?!]$/.test(text) ? [text] : [];
  });
}

const hasWords = (text: unknown): boolean => typeof text === 'string' && /[A-Za-z]{2}/.test(text);

/** Whether a text begins as a sentence does; identifiers, classes and units of the code do not. */
const isSentence = (text: string): boolean => /^[A-Z]/.test(text) && /[a-z]{2}/.test(text);

/** The sentences that an expression may be. */
function literals(value: unknown): string[] {
  if (hasWords(value)) return [value as string];
  const tree = value as Tree | undefined;
  if (tree?.type === 'Literal' && hasWords(tree['value'])) return [tree['value'] as string];
  if (tree?.type === 'TSAsExpression') return literals(tree['expression']);
  return tree?.type === 'ConditionalExpression' ? [tree['consequent'], tree['alternate']].flatMap(literals) : [];
}
