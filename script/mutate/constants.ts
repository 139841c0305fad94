/**
 * Constants behind switches. What a constant is worth is fixed when it is compiled, so a mutant of one would need a build of its own. A build with switches
 * therefore reads constants by functions instead, in which the switches can stand.
 */
import { type AstNode, childrenOf, rangeOf, type Sources, typeOf, walk } from './ast.ts';
import type { Mutant } from './operators.ts';

/** A place that reads a constant. `qualifier`: what stands before its name, as in `Library.NAME`. */
export interface Use {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly qualifier: string;
  readonly constant: Constant;
}

/** A constant of the sources, and who reads it. */
export interface Constant {
  readonly file: string;
  readonly name: string;
  /** The function that stands for it. */
  readonly reader: string;
  /** Bytes of the declaration with its semicolon, and of the value. */
  readonly start: number;
  readonly end: number;
  readonly value: { readonly start: number; readonly end: number };
  readonly type: string;
  readonly isInContract: boolean;
  readonly uses: Use[];
  /** The constants whose values are made of this one. */
  readonly readers: Set<Constant>;
  /** Whether some place needs the value while it is compiled: the length of an array, assembly. */
  isFixed: boolean;
}

type Declared = AstNode & { id: number; name: string; value?: AstNode; typeName: AstNode };

/** All constants in `trees` whose type holds a value. */
export function constantsOf(trees: Map<string, AstNode>, sources: Sources): Constant[] {
  const found = new Map<number, Constant>();
  for (const [file, tree] of trees) {
    const bytes = Buffer.from(sources.get(file) as string);
    walk(tree, (node, parents) => {
      if (node.nodeType !== 'VariableDeclaration' || node.constant !== true) return true;
      const { id, name, value, typeName } = node as Declared;
      if (!value || /^t_(?:string|bytes_)/u.test(typeOf(node))) return true;
      const [declared, type] = [rangeOf(node), rangeOf(typeName)];
      found.set(id, {
        file,
        name,
        reader: `_value${id}_${name}`,
        start: declared.start,
        end: bytes.indexOf(';', declared.end - 1) + 1,
        value: rangeOf(value),
        type: bytes.subarray(type.start, type.end).toString(),
        isInContract: parents.some((parent) => parent.nodeType === 'ContractDefinition'),
        uses: [],
        readers: new Set(),
        isFixed: false,
      });
      return true;
    });
  }
  for (const [file, tree] of trees) noteUses(file, tree, Buffer.from(sources.get(file) as string), found);
  return [...found.values()];
}

function noteUses(file: string, tree: AstNode, bytes: Buffer, constants: Map<number, Constant>): void {
  walk(tree, (node, parents) => {
    for (const { declaration } of (node.externalReferences as { declaration: number }[] | undefined) ?? []) {
      const read = constants.get(declaration);
      if (read) read.isFixed = true;
    }
    if (node.nodeType !== 'Identifier' && node.nodeType !== 'MemberAccess') return true;
    const constant = constants.get(node.referencedDeclaration as number);
    if (!constant) return true;
    const { start, end } = rangeOf(node);
    const reader = parents.findLast((above) => above.nodeType === 'VariableDeclaration' && above.constant === true);
    if (reader) {
      const other = constants.get(reader.id as number);
      if (other) constant.readers.add(other);
      else constant.isFixed = true;
    }
    if (parents.some((above) => above.nodeType === 'ArrayTypeName')) constant.isFixed = true;
    const before = node.nodeType === 'MemberAccess' ? rangeOf(childrenOf(node)[0] as AstNode) : undefined;
    const qualifier = before ? `${bytes.subarray(before.start, before.end).toString()}.` : '';
    constant.uses.push({ file, start, end, qualifier, constant });
    return false;
  });
}

/** The constant in whose value the mutant is. */
export const aroundOf = (mutant: Mutant, constants: Constant[]): Constant | undefined =>
  constants.find(({ file, value }) => file === mutant.file && value.start <= mutant.start && mutant.end <= value.end);

/** Whether the value of the constant, and of all that are made of it, can change while contracts run. */
export const isSwitchable = (constant: Constant): boolean =>
  [...withReaders([constant])].every(({ isFixed }) => !isFixed);

/** The constants and all that are made of them. */
export function withReaders(constants: Constant[]): Set<Constant> {
  const all = new Set<Constant>();
  const waiting = [...constants];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (all.has(next)) continue;
    all.add(next);
    waiting.push(...next.readers);
  }
  return all;
}
