import { statfs } from 'node:fs/promises';

import { formatUnits, zeroAddress, type Address } from 'viem';

import type { Chain } from '../chain/chain.ts';
import type { NodeConfig } from '../config.ts';
import { messageOf } from '../errors.ts';
import type { Machine, MachineReading } from '../resources/machine.ts';
import { memoryOfMachine } from '../resources/machine.ts';
import { hoursAt } from '../resources/schedule.ts';
import type { Runtime, RuntimeProbe } from '../runtimes/runtime.ts';
import { bad, good, weak, type Finding } from './findings.ts';

/** What a machine is checked with; tests pass their own. */
export interface MachineCheckDeps {
  chain: Pick<Chain, 'chainId' | 'latest' | 'nodeOf' | 'node' | 'balance' | 'config'>;
  runtimes: readonly Runtime[];
  machine: Machine;
  /** Unix seconds of the local clock. */
  nowSeconds: () => number;
  /** Bytes that are free where a folder lies or will lie. */
  freeBytes?: (folder: string) => Promise<number>;
}

/** What was found, and what of it decides what comes next. */
export interface MachineCheck {
  findings: Finding[];
  /** Runtimes whose self-test succeeded. */
  working: string[];
  /** Id of the operator's node; 0 when none is registered, undefined when the chain did not say. */
  node: number | undefined;
}

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
/** A model and its inputs fit a few times. */
const ENOUGH_DISK_GIB = 10;
const LEAST_DISK_GIB = 1;
/** Blocks come every few seconds on every chain that the protocol is for. */
const CLOCK_TOLERANCE_SECONDS = 60;
/** Gas of about twenty leases, and of one. */
const ENOUGH_GAS = 10_000_000n;
const LEAST_GAS = 500_000n;

/** Looks at everything that a node needs: the machine, its sandbox and runtimes, the chain and the operator's standing. */
export async function checkMachine(
  config: NodeConfig,
  operator: Address | undefined,
  deps: MachineCheckDeps,
): Promise<MachineCheck> {
  const reading = await deps.machine.read();
  const findings = [...checkResources(config, reading), checkHours(config, deps.nowSeconds())];
  findings.push(await checkDisk(config.dataDir, deps.freeBytes ?? freeBytes));
  const probes: (RuntimeProbe & { name: string })[] = [];
  for (const runtime of deps.runtimes) probes.push({ name: runtime.name, ...(await runtime.probe()) });
  findings.push(...probes.map(runtimeFinding), sandboxFinding(probes));
  const chain = await checkChain(config, operator, deps);
  findings.push(...chain.findings);
  const working = probes.filter(({ available }) => available).map(({ name }) => name);
  return { findings, working, node: chain.node };
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Cores, memory and GPUs against what the settings promise of them. */
export function checkResources(
  { slots, cores, memoryMb, shardMemoryMb }: Pick<NodeConfig, 'slots' | 'cores' | 'memoryMb' | 'shardMemoryMb'>,
  { gpus, memoryAvailableBytes }: MachineReading,
): Finding[] {
  const total = Math.floor(memoryOfMachine() / MIB);
  const cpu =
    slots > cores
      ? weak(
          'Processor',
          `${slots} slots share ${cores} cores.`,
          'Set slots to the number of cores, or jobs take longer than planned.',
        )
      : good('Processor', `${cores} cores, ${slots} slots.`);
  const memory =
    memoryMb > total
      ? bad(
          'Memory',
          `memoryMb is ${memoryMb}, the machine has ${total} MiB.`,
          'Lower memoryMb: shards would be killed.',
        )
      : shardMemoryMb > memoryMb
        ? weak(
            'Memory',
            `A shard may ask for ${shardMemoryMb} MiB, all together have ${memoryMb}.`,
            'Lower shardMemoryMb or raise memoryMb.',
          )
        : good('Memory', `${memoryMb} of ${total} MiB for shards, ${Math.floor(memoryAvailableBytes / MIB)} free now.`);
  const described = gpus.map(({ name, vramBytes }) => `${name} with ${Math.floor(vramBytes / MIB)} MiB`).join(', ');
  return [cpu, memory, good('GPU', gpus.length === 0 ? 'None that NVIDIA’s tool knows.' : `${described}.`)];
}

function checkHours({ schedule, onlyWhenIdle }: NodeConfig, now: number): Finding {
  const { open, changesAt } = hoursAt(schedule, now);
  const when = changesAt === undefined ? '' : ` until ${new Date(changesAt * 1_000).toString().slice(0, 21)}`;
  const hours =
    schedule.length === 0
      ? 'always'
      : `${schedule.map(({ text }) => text).join('; ')}; now ${open ? 'open' : 'closed'}${when}`;
  return good('Working hours', `${hours}${onlyWhenIdle ? ', only while nobody else uses the machine' : ''}.`);
}

async function checkDisk(folder: string, free: (folder: string) => Promise<number>): Promise<Finding> {
  const what = 'Disk';
  try {
    const gib = Math.floor(((await free(folder)) / GIB) * 10) / 10;
    const detail = `${gib} GiB free at ${folder}.`;
    if (gib < LEAST_DISK_GIB)
      return bad(what, detail, 'Make room, or move dataDir: inputs and results are kept there.');
    if (gib < ENOUGH_DISK_GIB)
      return weak(what, detail, 'Models and inputs can be large: make room, or set storeQuotaGb.');
    return good(what, detail);
  } catch (error) {
    return bad(what, `${folder} cannot be looked at: ${messageOf(error)}.`, 'Create the folder, or correct dataDir.');
  }
}

function runtimeFinding({ name, available, isolation, detail }: RuntimeProbe & { name: string }): Finding {
  return available
    ? good(`Runtime ${name}`, `works, isolation ${isolation}. ${detail}`)
    : weak(
        `Runtime ${name}`,
        `does not work here. ${detail}`,
        'Its jobs are not taken. Install what it names, or leave it.',
      );
}

function sandboxFinding(probes: readonly RuntimeProbe[]): Finding {
  const what = 'Sandbox';
  const classes = new Set(probes.filter(({ available }) => available).map(({ isolation }) => isolation));
  if (classes.size === 0) {
    return bad(
      what,
      'No runtime works, so no job can be taken.',
      'Read what the self-tests say above; docs/sandbox.md says more.',
    );
  }
  const weaker = [...classes].filter((name) => name !== 'bubblewrap');
  if (weaker.length === 0)
    return good(what, 'Strangers’ code runs in namespaces of its own, without network and files.');
  return weak(
    what,
    `Some shards run in the class ${weaker.join(', ')}, which keeps less away.`,
    'Install bubblewrap, and allow user namespaces: docs/sandbox.md says what each class holds.',
  );
}

async function checkChain(
  config: NodeConfig,
  operator: Address | undefined,
  { chain, nowSeconds }: MachineCheckDeps,
): Promise<{ findings: Finding[]; node: number | undefined }> {
  const { chainId } = config.network;
  let head;
  try {
    const found = await chain.chainId();
    if (found !== chainId) {
      const detail = `${config.rpcUrl} serves chain ${found}, the deployment file names ${chainId}.`;
      return { findings: [bad('RPC', detail, 'Correct rpcUrl or the deployment file.')], node: undefined };
    }
    head = await chain.latest();
  } catch (error) {
    const detail = `${config.rpcUrl} does not answer: ${messageOf(error)}`;
    return { findings: [bad('RPC', detail, 'Start it, or name another one with rpcUrl.')], node: undefined };
  }
  const findings = [good('RPC', `${config.rpcUrl} serves chain ${chainId}, block ${head.number}.`)];
  const skew = Math.round(nowSeconds() - head.timestamp);
  findings.push(
    Math.abs(skew) > CLOCK_TOLERANCE_SECONDS
      ? weak(
          'Clock',
          `The newest block is ${Math.abs(skew)} s ${skew > 0 ? 'old' : 'ahead of this clock'}.`,
          'Set the clock (timedatectl set-ntp true). If it is right, the chain or the RPC lags behind.',
        )
      : good('Clock', `${Math.abs(skew)} s from the newest block.`),
  );
  if (operator === undefined) return { findings, node: undefined };
  try {
    const node = await chain.nodeOf(operator);
    findings.push(...(await standing(node, operator, head.baseFee + config.tipGwei, chain)));
    return { findings, node };
  } catch (error) {
    const detail = `${config.rpcUrl} does not answer: ${messageOf(error)}`;
    return { findings: [...findings, bad('Operator', detail, 'Run the check again.')], node: undefined };
  }
}

async function standing(
  node: number,
  operator: Address,
  weiPerGas: bigint,
  chain: MachineCheckDeps['chain'],
): Promise<Finding[]> {
  const balance = await chain.balance(operator);
  const coins = `${formatUnits(balance, 18)} coins for gas at ${operator}.`;
  const gas =
    balance < LEAST_GAS * weiPerGas
      ? bad(
          'Gas',
          coins,
          'Send the operator some of the chain’s coin: nothing can be claimed, committed or revealed without.',
        )
      : balance < ENOUGH_GAS * weiPerGas
        ? weak('Gas', coins, 'That is enough for a few leases only: send the operator more of the chain’s coin.')
        : good('Gas', coins);
  if (node === 0) {
    const detail = `No node is registered for the operator ${operator}.`;
    return [gas, bad('Node', detail, 'Register it with the owner’s wallet: dpu-node init says how.')];
  }
  const [{ stake, queued, owner }, { minStake }] = await Promise.all([chain.node(node), chain.config()]);
  const detail = `Node ${node} of ${owner === zeroAddress ? 'nobody' : owner} has ${formatUnits(stake, 18)} DPU at stake.`;
  const least = formatUnits(minStake, 18);
  return [
    gas,
    stake - queued < minStake
      ? bad('Stake', detail, `Stake at least ${least} DPU with the owner’s wallet: a node with less takes no jobs.`)
      : good('Stake', detail),
  ];
}
