import { join } from 'node:path';

import { startGateway, type Gateway } from '@dpu/sdk/gateway/server';
import type { Identity } from '@dpu/sdk/privacy/identity';
import type { Hono } from 'hono';
import { zeroHash, type Hex } from 'viem';

import type { Chain } from './chain/chain.ts';
import type { NodeConfig } from './config.ts';
import { messageOf, OperatorError, WorkerError } from './errors.ts';
import type { Log } from './log.ts';
import { repeat } from './repeat.ts';
import type { StorageRole } from './replication/openReplication.ts';
import type { Runtime, RuntimeProbe } from './runtimes/runtime.ts';
import type { Watch } from './chain/watch.ts';

/** A lease's life costs about half a million gas; with less than that for one the node is not worth starting. */
const GAS_TO_START = 500_000n;
/** How long is waited for a network to answer before it is asked again, milliseconds. */
const FIRST_POLL_MS = 1_000;
const GIB = 1024 ** 3;

/** Waits for the network, then checks that this operator may work there. Undefined when aborted meanwhile. */
export async function firstContact(
  watch: Watch,
  chain: Chain,
  config: NodeConfig,
  operator: Hex,
  log: Log,
  signal: AbortSignal,
): Promise<number | undefined> {
  let node: number | undefined;
  let fatal: unknown;
  const done = new AbortController();
  const attempt = async (): Promise<void> => {
    await watch.poll();
    const id = await chain.nodeOf(operator);
    if (id === 0) {
      throw new OperatorError(
        `No node is registered for the operator ${operator}. Register it with the owner's wallet (dApp, or dpu-node init --owner-key-file), then start again.`,
        { operator },
      );
    }
    const balance = await chain.balance(operator);
    const needed = GAS_TO_START * ((watch.head?.baseFee ?? 0n) + config.tipGwei);
    if (balance < needed) {
      throw new OperatorError(
        `The operator's wallet ${operator} is empty: it has ${balance} wei, one lease needs about ${needed} wei for gas. Send it some of the chain's coin, then start again.`,
        { operator, balance, needed },
      );
    }
    node = id;
    done.abort();
  };
  await repeat(attempt, {
    everyMs: Math.max(config.pollMs, FIRST_POLL_MS),
    signal: AbortSignal.any([signal, done.signal]),
    onError: (error) => {
      if (error instanceof WorkerError && error.retryable) return;
      fatal = error;
      done.abort();
    },
  });
  if (fatal !== undefined) throw fatal;
  if (node === undefined) log.info('Stopped before the network answered');
  return node;
}

/** Says what the node's key for private jobs is good for: requesters seal to the one on chain. */
export async function checkNodeKey(
  chain: Pick<Chain, 'node'>,
  node: number,
  identity: Identity | undefined,
  log: Log,
): Promise<void> {
  const { key } = await chain.node(node);
  if (identity?.key === key) log.info('Takes private jobs', { key });
  else if (key !== zeroHash)
    log.warn('Private jobs are sealed to another key than this node has: publish its own with setNode', {
      published: key,
      own: identity?.key,
    });
  else if (identity) {
    log.info('Takes no private jobs: publish the key with setNode', { own: identity.key });
  }
}

/** Runs every runtime's self-test. */
export async function probeRuntimes(
  runtimes: readonly Runtime[],
  log: Log,
  signal: AbortSignal,
): Promise<{ usable: Map<string, Runtime>; probes: (RuntimeProbe & { name: string })[] }> {
  const usable = new Map<string, Runtime>();
  const probes: (RuntimeProbe & { name: string })[] = [];
  for (const runtime of runtimes) {
    const probe = await runtime.probe(signal);
    probes.push({ name: runtime.name, ...probe });
    if (probe.available) usable.set(runtime.name, runtime);
    log.info(probe.available ? 'Runtime works' : 'Runtime does not work here', { runtime: runtime.name, ...probe });
  }
  return { usable, probes };
}

/** This node's own gateway, from which its results are served. `role` says who may write to it; `routes` are served beside it. */
export async function openGateway(config: NodeConfig, role: StorageRole, log: Log, routes?: Hono): Promise<Gateway> {
  try {
    return await startGateway({
      dir: join(config.dataDir, 'store'),
      host: config.gatewayHost,
      port: config.gatewayPort,
      ...(config.storeQuotaGb === undefined ? {} : { quotaBytes: config.storeQuotaGb * GIB }),
      ...role,
      ...(routes ? { routes } : {}),
      log: {
        warn: (facts, message) => log.warn(message, facts),
        error: (facts, message) => log.error(message, facts),
      },
    });
  } catch (error) {
    throw new OperatorError(
      `The gateway cannot listen on ${config.gatewayHost}:${config.gatewayPort}: ${messageOf(error)}. Choose another gatewayPort.`,
      {},
      error,
    );
  }
}
