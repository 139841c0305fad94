/** From mutated sources to artifacts that the tests deploy. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type AstNode, childrenOf, closureOf, type Sources } from './ast.ts';
import type { Constant } from './constants.ts';
import { mutatedText, type Numbered, type Schema, schemasOf, SWITCH, SWITCH_NAME } from './schema.ts';
import { askSolc } from './scratch.ts';

/** A contract that can be deployed. */
export interface Deployable {
  readonly file: string;
  readonly name: string;
}

interface Code {
  object: string;
  linkReferences: object;
  immutableReferences?: object;
}

/** New code for some contracts. */
export type Build = Map<Deployable, { creation: Code; runtime: Code }>;

/** An error of the compiler, with where it is. */
interface SolcError {
  severity: string;
  formattedMessage: string;
  type: string;
  sourceLocation?: { file: string; start: number; end: number };
}

interface Output {
  errors?: SolcError[];
  sources?: Record<string, { ast: AstNode }>;
  contracts?: Record<string, Record<string, { evm: { bytecode: Code; deployedBytecode: Code } }>>;
}

/** Thrown when sources do not compile. */
export class CompileError extends Error {
  readonly errors: SolcError[];

  constructor(errors: SolcError[]) {
    super(errors.map(({ formattedMessage }) => formattedMessage).join('\n'));
    this.name = 'CompileError';
    this.errors = errors;
  }
}

/**
 * Without the optimizer: it takes three quarters of the time, and what it does is not under test. Where the stack is too short for that, with the steps
 * that make room on it.
 */
const EFFORTS = [
  { enabled: false },
  {
    enabled: true,
    runs: 1,
    details: {
      cse: false,
      constantOptimizer: false,
      yul: true,
      yulDetails: { stackAllocation: true, optimizerSteps: 'dhfoDgvulfnTUtnIf:' },
    },
  },
];

async function ask(base: string, sources: Sources, settings: object): Promise<Output> {
  const contents = Object.fromEntries([...sources].map(([name, content]) => [name, { content }]));
  const output = (await askSolc(base, { language: 'Solidity', sources: contents, settings })) as Output;
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new CompileError(errors);
  return output;
}

/** The trees of all sources. */
export async function parse(base: string, sources: Sources): Promise<Map<string, AstNode>> {
  const output = await ask(base, sources, { viaIR: true, outputSelection: { '*': { '': ['ast'] } } });
  return new Map(Object.entries(output.sources ?? {}).map(([name, { ast }]) => [name, ast]));
}

/** The contracts in `trees` below `folder` that are not abstract. */
export function deployables(trees: Map<string, AstNode>, folder: string): Deployable[] {
  return [...trees].flatMap(([file, tree]) =>
    !file.startsWith(folder)
      ? []
      : childrenOf(tree)
          .filter(
            (node) => node.nodeType === 'ContractDefinition' && node.contractKind === 'contract' && !node.abstract,
          )
          .map((node) => ({ file, name: node.name as string })),
  );
}

/** Compiles the contracts whose sources `changed` names, or that need them. */
async function build(
  base: string,
  sources: Sources,
  contracts: Deployable[],
  changed: Set<string>,
  evmVersion: string,
): Promise<Build> {
  const affected = contracts.filter(({ file }) => [...closureOf(file, sources)].some((name) => changed.has(name)));
  const needed = new Set(affected.flatMap(({ file }) => [...closureOf(file, sources)]));
  const outputSelection: Record<string, Record<string, string[]>> = {};
  for (const { file, name } of affected) {
    (outputSelection[file] ??= {})[name] = ['bytecode', 'deployedBytecode'].flatMap((code) => [
      `evm.${code}.object`,
      `evm.${code}.linkReferences`,
      ...(code === 'deployedBytecode' ? [`evm.${code}.immutableReferences`] : []),
    ]);
  }
  const relevant: Sources = new Map([...sources].filter(([name]) => needed.has(name)));
  const metadata = { appendCBOR: false, bytecodeHash: 'none' };
  for (const [turn, optimizer] of EFFORTS.entries()) {
    try {
      const output = await ask(base, relevant, { viaIR: true, optimizer, evmVersion, metadata, outputSelection });
      return new Map(
        affected.map((contract) => {
          const evm = output.contracts?.[contract.file]?.[contract.name]?.evm;
          if (!evm) throw new Error(`the compiler made no ${contract.name}`);
          return [contract, { creation: evm.bytecode, runtime: evm.deployedBytecode }];
        }),
      );
    } catch (error) {
      const tooDeep = error instanceof CompileError && /too deep/u.test(error.message);
      if (!tooDeep || turn === EFFORTS.length - 1) throw error;
    }
  }
  throw new Error('unreachable: the last effort answers or throws');
}

/** What a schema build made: code, and the mutants that the compiler refuses behind a switch. */
export interface SchemaBuild {
  readonly build: Build;
  readonly refused: Numbered[];
}

/** Compiles all `mutants` behind switches. Those at which the compiler takes offence are left out, and named. */
export async function buildSchema(
  base: string,
  sources: Sources,
  contracts: Deployable[],
  mutants: Numbered[],
  constants: Constant[],
  evmVersion: string,
): Promise<SchemaBuild> {
  let kept = mutants;
  const refused: Numbered[] = [];
  for (;;) {
    const schemas = schemasOf(sources, kept, constants);
    const mutated: Sources = new Map([...sources, [SWITCH_NAME, SWITCH]]);
    for (const [file, { text }] of schemas) mutated.set(file, text);
    try {
      return { build: await build(base, mutated, contracts, new Set(schemas.keys()), evmVersion), refused };
    } catch (error) {
      const culprits = error instanceof CompileError ? culpritsOf(error.errors, schemas) : new Set<bigint>();
      if (culprits.size === 0) throw error;
      refused.push(...kept.filter(({ id }) => culprits.has(id)));
      kept = kept.filter(({ id }) => !culprits.has(id));
    }
  }
}

/** The mutants at or around which the errors are. */
function culpritsOf(errors: SolcError[], schemas: Map<string, Schema>): Set<bigint> {
  const culprits = new Set<bigint>();
  for (const { sourceLocation } of errors) {
    const spans = schemas.get(sourceLocation?.file ?? '')?.spans ?? [];
    if (!sourceLocation) continue;
    const { start, end } = sourceLocation;
    const hit = spans.filter((span) => span.start < end && start < span.end);
    // An error of a switch covers all its branches; the narrowest places are to blame.
    const inside = hit.filter((span) => span.start <= start && end <= span.end);
    for (const { id } of inside.length > 0 ? inside : hit) culprits.add(id);
  }
  return culprits;
}

/** Compiles one mutant by itself. Throws `CompileError` when it does not compile. */
export function buildOne(
  base: string,
  sources: Sources,
  contracts: Deployable[],
  { mutant }: Numbered,
  evmVersion: string,
): Promise<Build> {
  const text = mutatedText(sources.get(mutant.file) as string, mutant);
  return build(base, new Map([...sources, [mutant.file, text]]), contracts, new Set([mutant.file]), evmVersion);
}

/** Puts new code into the artifacts of a copy. Tests deploy by artifact, so nothing else needs to be compiled. */
export function install(folder: string, code: Build): void {
  for (const [{ file, name }, { creation, runtime }] of code) {
    const path = join(folder, 'out', file.split('/').at(-1) as string, `${name}.json`);
    if (!existsSync(path))
      throw new Error(`no artifact ${path} of ${name}: two sources of one file name are kept apart by forge`);
    // Which of the two is deployed nobody says.
    if (existsSync(join(folder, 'out', file.split('/').at(-1) as string, `${name}.tests.json`)))
      throw new Error(
        `a test imports ${name}, so forge compiles it a second time: let the test name an interface instead`,
      );
    const artifact = JSON.parse(readFileSync(path, 'utf8')) as Record<string, object>;
    const put = (key: string, { object, ...rest }: Code): void => {
      artifact[key] = { ...artifact[key], ...rest, object: `0x${object}` };
    };
    put('bytecode', creation);
    put('deployedBytecode', runtime);
    writeFileSync(path, JSON.stringify(artifact));
  }
}
