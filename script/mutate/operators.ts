/** Which small faults can be made in a contract. Each stands for a mistake that a tired programmer makes. */
import { createHash } from 'node:crypto';

import { type AstNode, childrenOf, rangeOf, typeOf, walk } from './ast.ts';

/** What kind of fault; the names under which results are counted. */
export type Operator =
  'boundary' | 'negation' | 'arithmetic' | 'bitwise' | 'logic' | 'constant' | 'require' | 'assignment' | 'call';

/** One fault: a place in a file and what stands there instead. */
export interface Mutant {
  /** Names the mutant by its function, its texts and its turn among equals, so that it outlives a move to another line. */
  readonly key: string;
  readonly file: string;
  /** `Contract.function`, or the file's name where neither is around. */
  readonly scope: string;
  /** Changes with the text of the function; a remembered verdict on another text is worth nothing. */
  readonly digest: string;
  readonly operator: Operator;
  readonly line: number;
  /** Bytes of the place. */
  readonly start: number;
  readonly end: number;
  readonly original: string;
  readonly mutated: string;
  /** Whether the place can be switched while the contract runs; a constant's value cannot. */
  readonly site: 'expression' | 'statement' | 'constant';
  /** Whether the place is a number that counts as uint256 because it is shifted or raised; behind a switch it would be a byte. */
  readonly isWide: boolean;
}

const BOUNDARY: Record<string, string> = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' };
const NEGATION: Record<string, string> = { '<': '>=', '<=': '>', '>': '<=', '>=': '<', '==': '!=', '!=': '==' };
const SWAPS: [Operator, Record<string, string>][] = [
  ['boundary', BOUNDARY],
  ['negation', NEGATION],
  ['arithmetic', { '+': '-', '-': '+', '*': '/', '/': '*', '%': '*', '+=': '-=', '-=': '+=', '++': '--', '--': '++' }],
  ['bitwise', { '&': '|', '|': '&', '^': '&', '<<': '>>', '>>': '<<', '&=': '|=', '|=': '&=' }],
  ['logic', { '&&': '||', '||': '&&' }],
];
const isRational = (node: AstNode | undefined): boolean => node !== undefined && typeOf(node).startsWith('t_rational');

/** A proposed change before it has a name. */
interface Change {
  node: AstNode;
  operator: Operator;
  mutated: string;
  statement?: boolean;
}

/** Whether a number is what is shifted or raised by something that is no number: then Solidity takes it for a uint256. */
const isWide = (node: AstNode, parent: AstNode | undefined): boolean =>
  isRational(node) &&
  parent?.nodeType === 'BinaryOperation' &&
  ['<<', '>>', '**'].includes(parent.operator as string) &&
  parent.leftExpression === node;

/** All mutants of one file. `text` is what the tree was made from. */
export function mutantsOf(file: string, text: string, tree: AstNode): Mutant[] {
  const bytes = Buffer.from(text);
  const slice = (start: number, end: number): string => bytes.subarray(start, end).toString();
  const textOf = (node: AstNode): string => slice(rangeOf(node).start, rangeOf(node).end);
  const mutants: Mutant[] = [];
  const turns = new Map<string, number>();

  walk(tree, (node, parents) => {
    if (node.nodeType === 'InlineAssembly') return false;
    for (const change of changesAt(node, parents, slice)) {
      const constant = parents.some((parent) => parent.nodeType === 'VariableDeclaration' && parent.constant === true);
      const owner = parents.findLast((parent) => /^(?:Function|Modifier)Definition$/u.test(parent.nodeType));
      if (!owner && !constant) continue; // the length of an array type: part of a signature, not of a rule
      const around = owner ?? parents.find((parent) => parent.nodeType === 'VariableDeclaration') ?? tree;
      const contract = parents.find((parent) => parent.nodeType === 'ContractDefinition');
      const scope = [contract?.name, around.name || around.kind].filter(Boolean).join('.') || file;
      const { start, end: last } = rangeOf(change.node);
      const end = change.statement ? bytes.indexOf(';', last) + 1 : last;
      const original = slice(start, end);
      const name = `${file} ${scope}: ${change.operator} ${flat(original)} => ${flat(change.mutated) || 'nothing'}`;
      const turn = (turns.get(name) ?? 0) + 1;
      turns.set(name, turn);
      mutants.push({
        key: turn === 1 ? name : `${name} (${turn})`,
        file,
        scope,
        digest: createHash('sha256').update(textOf(around)).digest('hex').slice(0, 12),
        operator: change.operator,
        line: slice(0, start).split('\n').length,
        start,
        end,
        original,
        mutated: change.mutated,
        site: change.statement ? 'statement' : constant ? 'constant' : 'expression',
        isWide: isWide(change.node, change.node === node ? parents.at(-1) : undefined),
      });
    }
    return true;
  });
  return mutants;
}

const flat = (text: string): string => text.replaceAll(/\s+/gu, ' ');

function changesAt(node: AstNode, parents: AstNode[], slice: (start: number, end: number) => string): Change[] {
  const parent = parents.at(-1);
  // A step of a loop that does not step: it ends by running out of gas, which every test notices.
  if (
    parents.some((above, i) => above.nodeType === 'ForStatement' && above.loopExpression === (parents[i + 1] ?? node))
  )
    return [];
  if (isRational(node)) return isRational(parent) || isTyped(node, parent) ? [] : constants(node, slice);
  switch (node.nodeType) {
    case 'BinaryOperation':
    case 'Assignment':
    case 'UnaryOperation':
      return swaps(node, slice);
    case 'Literal': {
      const { value, kind } = node as unknown as { value: string; kind: string };
      return kind === 'bool' ? [{ node, operator: 'constant', mutated: value === 'true' ? 'false' : 'true' }] : [];
    }
    case 'FunctionCall':
      return converted(node, slice);
    case 'ExpressionStatement':
      return removal(node);
    case 'RevertStatement':
      return [{ node, operator: 'require', mutated: '', statement: true }];
    case 'IfStatement':
    case 'Conditional':
      return condition(node.condition as AstNode, slice);
    default:
      return [];
  }
}

/** Another operator in the same place: between the operands, or before or after the only one. */
function swaps(node: AstNode, slice: (start: number, end: number) => string): Change[] {
  const { start, end } = rangeOf(node);
  const sign = node.operator as string;
  const left = (node.leftExpression ?? node.leftHandSide) as AstNode | undefined;
  if (!left) {
    const inner = rangeOf(node.subExpression as AstNode);
    const before = slice(start, inner.start);
    const after = slice(inner.end, end);
    const body = slice(inner.start, inner.end);
    if (sign === '!' || sign === '~') {
      return [{ node, operator: sign === '!' ? 'negation' : 'bitwise', mutated: `${before.replace(sign, '')}${body}` }];
    }
    const other = SWAPS[2]?.[1][sign];
    if (!other || sign === '-') return [];
    const mutated = before.replace(sign, other) + body + after.replace(sign, other);
    return [{ node, operator: 'arithmetic', mutated }];
  }
  const right = (node.rightExpression ?? node.rightHandSide) as AstNode;
  const between = slice(rangeOf(left).end, rangeOf(right).start);
  const mutations: Change[] = [];
  for (const [operator, table] of SWAPS) {
    const other = table[sign];
    if (other === undefined) continue;
    const mutated = `${slice(start, rangeOf(left).end)}${between.replace(sign, other)}${slice(rangeOf(right).start, end)}`;
    mutations.push({ node, operator, mutated });
  }
  return mutations;
}

/** Whether a number stands where the compiler wants a type of bytes or an address, in which no other number fits. */
function isTyped(node: AstNode, parent: AstNode | undefined): boolean {
  if (!parent) return false;
  if (parent.nodeType === 'FunctionCall' && parent.kind === 'typeConversion')
    return /^t_(?:address|bytes\d)/u.test(typeOf(parent));
  return childrenOf(parent).some((other) => other !== node && /^t_bytes\d/u.test(typeOf(other)));
}

/** One more and one less. */
function constants(node: AstNode, slice: (start: number, end: number) => string): Change[] {
  const text = slice(rangeOf(node).start, rangeOf(node).end);
  const change = (mutated: string): Change => ({ node, operator: 'constant', mutated });
  if (!/^[\d_]+$/u.test(text)) return [change(`(${text} + 1)`), change(`(${text} - 1)`)];
  const value = BigInt(text.replaceAll('_', ''));
  return value === 0n ? [change('1')] : [change(String(value + 1n)), change(String(value - 1n))];
}

/** `address(0)` and its like: the zero of a type that takes no arithmetic. */
function converted(node: AstNode, slice: (start: number, end: number) => string): Change[] {
  if (node.kind !== 'typeConversion' || !/^t_(?:address|bytes\d)/u.test(typeOf(node))) return [];
  const [argument] = node.arguments as AstNode[];
  if (!argument || slice(rangeOf(argument).start, rangeOf(argument).end) !== '0') return [];
  const { start, end } = rangeOf(node);
  return [{ node, operator: 'constant', mutated: slice(start, end).replace('0)', '1)') }];
}

/** A condition that is no comparison: those are changed by themselves. */
function condition(node: AstNode, slice: (start: number, end: number) => string): Change[] {
  if (node.nodeType === 'BinaryOperation' || node.nodeType === 'UnaryOperation') return [];
  const { start, end } = rangeOf(node);
  return [{ node, operator: 'negation', mutated: `!(${slice(start, end)})` }];
}

/** A statement that is not there. Events are told apart by the tree: they are no expression statements. */
function removal(node: AstNode): Change[] {
  const expression = node.expression as AstNode;
  const change = (operator: Operator): Change[] => [{ node, operator, mutated: '', statement: true }];
  if (expression.nodeType === 'Assignment') {
    // Without it the pointer would point nowhere, which the compiler refuses.
    const pointer = childrenOf(expression).some((side) => /_(?:storage|calldata)_ptr/u.test(typeOf(side)));
    return pointer ? [] : change('assignment');
  }
  if (expression.nodeType === 'UnaryOperation') return change('assignment');
  if (expression.nodeType !== 'FunctionCall') return [];
  const callee = expression.expression as AstNode;
  return change(callee.name === 'require' || callee.name === 'assert' || callee.name === 'revert' ? 'require' : 'call');
}
