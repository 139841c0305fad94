import { fork, type ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { marketAbi } from '@dpu/sdk/abi';
import { decodeFunctionData, parseTransaction, type Hex } from 'viem';

import { childProgram } from './childProgram.ts';
import type { Orders, Saying } from './nodeChild.ts';
import type { CrashPlan } from './points.ts';

/** Failed tries at a block before the chain goes on without the node. */
const TRIES = 3;

interface Child {
  process: ChildProcess;
  warm: Promise<void>;
  ended: Promise<void>;
  output: string;
}

async function spawnChild(): Promise<Child> {
  const program = await childProgram();
  // Most of a start is compiling: what one process has compiled the next one reads.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'dpu-node-child-cache') };
  const child = fork(program, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: ['--no-warnings'], env });
  const made: Child = {
    process: child,
    warm: new Promise((resolve) => child.once('message', () => resolve())),
    ended: new Promise((resolve) => child.once('exit', () => resolve())),
    output: '',
  };
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (piece: Buffer) => (made.output = (made.output + piece.toString()).slice(-100_000)));
  return made;
}

/** A node in a process, in step with a chain that its parent mines, and with a process in reserve for the restart. */
export class SteppedNode {
  readonly #orders: Orders;
  #child: Child | undefined;
  #reserve: Promise<Child> | undefined;
  #head = -1;
  #failures = 0;
  #listeners: (() => void)[] = [];
  /** What the processes said, oldest first. */
  #said = '';
  #deaths = 0;
  readonly #commitments = new Map<string, Set<string>>();

  constructor(orders: Orders) {
    this.#orders = orders;
  }

  get isAlive(): boolean {
    return this.#child !== undefined;
  }

  /** How often it ended. */
  get deaths(): number {
    return this.#deaths;
  }

  /** Leases for which it sent two different commitments, on whatever fork. */
  get doubleCommits(): number {
    return [...this.#commitments.values()].filter(({ size }) => size > 1).length;
  }

  get said(): string {
    return this.#said + (this.#child?.output ?? '');
  }

  /** Starts it, with a plan for its death or none, and waits until it works, or has died of it. */
  async start(plan?: CrashPlan): Promise<void> {
    const child = await (this.#reserve ?? spawnChild());
    await child.warm;
    this.#child = child;
    this.#head = -1;
    this.#failures = 0;
    const ready = new Promise<void>((resolve) => {
      child.process.on('message', (saying: Saying) => {
        if (saying.is === 'ready') resolve();
        if (saying.is === 'done') [this.#head, this.#failures] = [saying.head, 0];
        if (saying.is === 'failed') this.#failures += 1;
        if (saying.is === 'sends') this.#note(saying.raw);
        this.#wake();
      });
    });
    void child.ended.then(() => {
      this.#said = (this.#said + child.output).slice(-200_000);
      if (this.#child === child) this.#child = undefined;
      this.#deaths += 1;
      this.#wake();
    });
    child.process.send({ orders: this.#orders, plan });
    await Promise.race([ready, child.ended]);
    this.#reserve = spawnChild();
  }

  /** Plans its next death, or takes the plan back. */
  plan(plan: CrashPlan | undefined): void {
    this.#child?.process.send({ plan });
  }

  /** Resolves when it has worked off block `number`, has failed to several times, or is dead. */
  async workedOff(number: number): Promise<void> {
    const failures = this.#failures;
    while (this.isAlive && this.#head < number && this.#failures - failures < TRIES) {
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
      if (this.#failures < failures) return;
    }
  }

  /** Keeps what a transaction commits the node to. */
  #note(raw: Hex): void {
    const { data } = parseTransaction(raw);
    if (!data) return;
    const { functionName, args = [] } = decodeFunctionData({ abi: marketAbi, data });
    if (functionName !== 'commit' && functionName !== 'commitSeat') return;
    // The last argument is the commitment, the others say of which lease.
    const lease = JSON.stringify(args.slice(0, -1), (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    const commitments = this.#commitments.get(lease) ?? new Set();
    this.#commitments.set(lease, commitments.add(String(args.at(-1))));
  }

  /** kill -9, of the reserve too. */
  async kill(): Promise<void> {
    const children = [this.#child, await this.#reserve].filter((child) => child !== undefined);
    this.#reserve = undefined;
    for (const child of children) child.process.kill('SIGKILL');
    await Promise.all(children.map((child) => child.ended));
  }

  #wake(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}
