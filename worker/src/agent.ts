import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { LocalBackend } from '@dpu/sdk/gateway/localBackend';
import type { Identity } from '@dpu/sdk/privacy/identity';
import { digestToCid, parseCid } from '@dpu/sdk/storage/cid';
import { HttpBackend } from '@dpu/sdk/storage/httpBackend';
import { marketDomain, runtimeBits, type RuntimeName, RUNTIMES } from '@dpu/sdk/terms';
import { Hono } from 'hono';
import type { Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

import { openRenewer } from './capability/openRenewer.ts';
import type { Chain } from './chain/chain.ts';
import { ChainBook, type KnownLease } from './chain/chainBook.ts';
import { Claimer } from './planning/claimer.ts';
import type { NodeConfig } from './config.ts';
import { CourtBook } from './court/courtBook.ts';
import { openCourt } from './court/openCourt.ts';
import { DeclineBook, DeclineError } from './planning/declines.ts';
import { Experience } from './planning/experience.ts';
import { messageOf, OperatorError, WorkerError } from './errors.ts';
import type { Witness } from './endpoints/witness.ts';
import { EnvelopeBook } from './envelopes/envelopeBook.ts';
import { envelopeRoutes, type EnvelopeDesk } from './envelopes/envelopeRoutes.ts';
import { Executor } from './work/executor.ts';
import { NodeGossip } from './gossip/openNodeGossip.ts';
import { ChainFacts } from './chain/facts.ts';
import { Journal } from './sending/journal.ts';
import { Keeper } from './leases/keeper.ts';
import type { Log } from './log.ts';
import { Loop } from './loop.ts';
import { Outbox } from './sending/outbox.ts';
import { Preparer } from './planning/preparer.ts';
import { PromiseBook } from './leases/promiseBook.ts';
import { Proposer, type ProposerDeps } from './sending/proposer.ts';
import { Prover } from './leases/prover.ts';
import { Reconciler } from './chain/reconciler.ts';
import { repeat } from './repeat.ts';
import { GatewayCopies } from './replication/gatewayCopies.ts';
import { Replication } from './replication/openReplication.ts';
import type { Runtime } from './runtimes/runtime.ts';
import { saltSecret } from './leases/salt.ts';
import { Scan } from './chain/scan.ts';
import { Sender } from './sending/sender.ts';
import { Settler } from './leases/settler.ts';
import { needsOf } from './resources/needs.ts';
import { openMachine } from './resources/openMachine.ts';
import { checkNodeKey, firstContact, openGateway, probeRuntimes } from './startup.ts';
import { describe, type GasSpent, type NodeStatus } from './operator/status.ts';
import { openControl } from './operator/control.ts';
import { startStatusServer, type Control } from './operator/statusServer.ts';
import { Timings } from './timings.ts';
import { tryOut } from './planning/trial.ts';
import { Watch } from './chain/watch.ts';
import { Workspace } from './work/workspace.ts';

/** What a node is made of from outside. */
export interface AgentDeps {
  chain: Chain;
  /** Makes the one who confirms what `chain` says, from the node's journal; nobody does when absent. */
  witness?: (journal: Journal) => Witness;
  /** Runtimes that this program has; only those whose self-test succeeds here are used. */
  runtimes: readonly Runtime[];
  log: Log;
  /** Milliseconds of a steady clock, for latencies and nothing else: block time decides deadlines. */
  clockMs: () => number;
}

/** The operator's key and the node's settings. */
export interface AgentOptions {
  config: NodeConfig;
  operatorKey: Hex;
  /** Opens private jobs; without it the node takes none. */
  identity?: Identity;
  /** Called when the node works, with where its servers listen and what gives it orders. */
  onReady?: (ready: { gatewayUrl: string; statusUrl: string; control: Control }) => void;
}

const MIB = 1024 * 1024;
/** A job that expired this long ago can be nobody's input any more: later jobs stay open for 30 days at most. */
const FORGET_SECONDS = 60 * 24 * 60 * 60;

/**
 * Runs a node until `signal` is aborted, or until it was drained and has nothing left to do.
 * @throws OperatorError when somebody must act first.
 */
export async function runAgent(
  { config, operatorKey, identity, onReady }: AgentOptions,
  deps: AgentDeps,
  signal: AbortSignal,
): Promise<void> {
  const { log, clockMs } = deps;
  const account = privateKeyToAccount(operatorKey);
  const { chainId, market, startBlock } = config.network;
  const journal = new Journal({ file: join(config.dataDir, 'journal.sqlite') });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => journal.close());
  journal.bind({ chainId, market, operator: account.address });

  const { chain } = deps;
  const witness = deps.witness?.(journal);
  const watch = new Watch({ chainId, lowerHeadPolls: 20 }, { chain, log });
  const node = await firstContact(watch, chain, config, account.address, log, signal);
  if (node === undefined) return;
  await checkNodeKey(chain, node, identity, log);

  // A self-test takes seconds, and the contract gives a node nothing of a runtime that it is not registered for.
  const { runtimes: registered } = await chain.node(node);
  const offered = deps.runtimes.filter(({ name }) => (registered & runtimeBits([name as RuntimeName])) !== 0);
  const runtimes = await probeRuntimes(offered, log, signal);
  for (const runtime of deps.runtimes) stack.defer(() => runtime.close());
  if (runtimes.usable.size === 0) {
    const details = runtimes.probes.map(({ name, detail }) => `${name}: ${detail}`).join('; ');
    throw new OperatorError(
      `No runtime that this node is registered for works on this machine. ${details || 'Register it for one with setNode.'}`,
      { details },
    );
  }

  const gossip = await NodeGossip.open({ config, node, account }, { log, clockMs });
  const replication = new Replication({ config, node, account, chain, log, clockMs });
  const desk: { open?: EnvelopeDesk } = {};
  const routes = new Hono().route(
    '/',
    envelopeRoutes(() => desk.open),
  );
  if (gossip.routes) routes.route('/', gossip.routes);
  const gateway = await openGateway(config, replication.role, log, routes);
  stack.defer(() => gateway.close());
  const endpoint = config.endpoint ?? gateway.url;
  replication.serveAs([endpoint, gateway.url]);
  const keepUntilMs = (): number => replication.keepUntilMs();
  const local = new LocalBackend({ store: gateway.store, pins: gateway.pins, keepUntilMs });

  const outbox = new Outbox(journal);
  const book = new ChainBook(journal);
  const courtBook = new CourtBook(journal, book);
  const promises = new PromiseBook(journal);
  const facts = new ChainFacts(chain);
  const timings = new Timings();
  const experience = new Experience(journal);
  const declines = new DeclineBook(
    { node, domain: marketDomain(chainId, market), kept: 200, signedPerBlock: 32 },
    { journal, signer: account },
  );
  const machine = await openMachine(config, { log, clockMs, nowSeconds: () => Date.now() / 1000 }, signal);
  const { resources, governor } = machine;
  const gas: GasSpent = { spentWei: 0n, transactions: 0 };

  /** Gateways of nodes whose results are inputs of ours. */
  const peers = new Set<string>();
  const remote = new HttpBackend({
    getHolders: () => [...config.gateways, ...peers],
    writeTo: config.gateways[0] ?? endpoint,
  });
  const envelopes = new EnvelopeBook(journal);
  const workspace = new Workspace(
    { maxInputBytes: config.maxInputMb * MIB, fetchMs: config.fetchTimeoutMs, keptJobs: 4 },
    {
      local,
      remote,
      identity,
      envelopeOf: (job) => envelopes.of(job),
      log,
      onUsed: (cid) => gossip.held.use(cid),
      parentResults: async (job) => {
        const terms = book.terms(job);
        if (!terms) throw new DeclineError('inputsUnavailable', { problem: 'the earlier job is not known here' });
        const leases = book.settledResults(job);
        for (const id of new Set(leases.map((lease) => lease.node))) {
          const { endpoint: holder } = await chain.node(id);
          if (/^https?:\/\//.test(holder)) peers.add(holder);
        }
        // Who made a result may be gone; its copies are where the order of all nodes says.
        for (const { result } of leases) {
          const cid = digestToCid(result.manifest, 'dag-cbor');
          for (const copy of await replication.registry.holdersOf(cid, config.copies)) peers.add(copy);
        }
        return { shards: terms.shards, leases };
      },
    },
  );

  const fees = { tip: config.tipGwei, cap: config.maxFeeGwei, urgentCap: config.urgentMaxFeeGwei };
  const sender = new Sender(
    {
      account,
      chainId,
      fees,
      finalityBlocks: config.finalityBlocks,
      bumpAfterBlocks: 3,
      lostAfterBlocks: 3,
      maxInFlight: 16,
    },
    {
      chain,
      outbox,
      log,
      onOutcome: (kind, _status, receipt) => {
        if (!receipt) return;
        if (receipt.ok) experience.learnGas(kind, receipt.gasUsed);
        gas.spentWei += receipt.gasUsed * receipt.gasPrice;
        gas.transactions += 1;
      },
    },
  );
  const nextTime = (): number => watch.nextTime;
  const word: ProposerDeps['word'] = async (act) => {
    const { head } = watch;
    if (!witness || witness.isAlone) return { may: true };
    // Facts are as old as the last block that was read: a newer head confirms nothing about them.
    if (!head || book.cursor()?.hash !== head.hash) return { may: false, why: 'the newest block is not read yet' };
    return witness.word(act, head);
  };
  const proposer = new Proposer({ market, operator: account.address }, { chain, outbox, sender, nextTime, word, log });
  const scanned = (): number => book.cursor()?.number ?? 0;
  const prover = new Prover({ promises, proposer, scanned, log, timings, clockMs });
  const settler = new Settler(
    { batch: 32, closeJobs: config.closeJobs },
    { book, promises, proposer, log, timings, clockMs },
  );
  const executor = new Executor(
    {
      triesPerShard: 4,
      retryPauseMs: 1_000,
      reservePercent: config.reservePercent,
      reserveSeconds: config.reserveSeconds,
      memoryBytes: config.shardMemoryMb * MIB,
      saltSecret: saltSecret(operatorKey),
    },
    {
      runtimes: runtimes.usable,
      workspace,
      resources,
      workOf: (job) => preparer.workOf(job),
      experience,
      promises,
      local,
      log,
      progress: gossip.progress,
      onResult: (lease) => proveNow(lease),
    },
  );
  stack.defer(() => executor.stop());
  const proveNow = (lease: KnownLease): void => {
    const { head } = watch;
    const readyMs = clockMs();
    // What fails here is done again with the next head.
    if (head)
      void keeper.prove(lease, head, readyMs).catch((error: unknown) => log.warn('Proof is delayed', { error }));
  };
  const mayShow = replication.collector(gateway, promises, proveNow, signal);
  const keeper = new Keeper(
    { node, revealConfirmations: config.revealConfirmations, lapseGraceSeconds: config.lapseGraceSeconds },
    { chain, book, facts, promises, nextTime, executor, prover, settler, ...(mayShow ? { mayShow } : {}), log },
  );
  const memoryBytes = config.shardMemoryMb * MIB;
  const runtimeIds = new Set([...runtimes.usable.keys()].map((name) => RUNTIMES[name as RuntimeName]));
  const preparer = new Preparer(
    { memoryBytes, preparing: 4 },
    {
      promises,
      experience,
      workspace,
      needsOf: ({ spec: { runtime, limits, settings } }) =>
        needsOf(limits.memoryBytes, runtimes.usable.get(runtime)?.needs?.({ limits, settings }, resources.capacity)),
      tryOut: (job, signal) => tryOut(runtimes.usable, job, signal),
    },
  );
  const claimer = new Claimer(
    {
      node,
      token: config.network.token,
      runtimes: runtimeIds,
      asks: config.asks,
      unitAsks: config.unitAsks,
      coinPrices: config.coinPrices,
      tip: config.tipGwei,
      maxLeaseShards: config.maxLeaseShards,
      leaseSeconds: config.leaseSeconds,
      reservePercent: config.reservePercent,
      reserveSeconds: config.reserveSeconds,
      memoryBytes,
      lapseGraceSeconds: config.lapseGraceSeconds,
      proofs: config.network.proofs,
    },
    {
      chain,
      book,
      facts,
      outbox,
      promises,
      preparer,
      resources,
      governor,
      experience,
      proposer,
      settler,
      declines,
      nextTime,
      walletEmpty: () => sender.problem !== undefined,
      log,
      timings,
      clockMs,
    },
  );
  desk.open = {
    book: envelopes,
    identity,
    terms: (job) => book.terms(job),
    spec: (terms, until) => workspace.spec(terms, until),
    onTaken(job) {
      workspace.drop(job);
      preparer.lookAgain(job);
    },
    log,
    clockMs,
  };
  const scan = new Scan({ node, startBlock, rangeBlocks: 2_000 }, { chain, book, log });
  const court = openCourt({
    ...{
      config,
      node,
      chain,
      book,
      court: courtBook,
      facts,
      proposer,
      workspace,
      resources,
      local,
      remote,
      peers,
      nextTime,
      log,
    },
    runtimeIds,
    runtimes: runtimes.usable,
    saltSecret: saltSecret(operatorKey),
    draining: () => claimer.draining,
  });
  stack.defer(() => court.stop());
  const reconciler = new Reconciler({ node, rescanBlocks: 5_000 }, { chain, book, scan, court: courtBook, log });
  const copies =
    config.gateways.length === 0
      ? undefined
      : new GatewayCopies(
          { node },
          {
            gateway: new HttpBackend(
              { getHolders: () => [endpoint], writeTo: config.gateways[0] ?? endpoint },
              { headers: replication.headers },
            ),
            book,
            journal,
            log,
          },
        );
  const renewer = openRenewer({
    ...{ config, node, local, endpoint, replication, chain, book, journal, proposer, log },
    runtimes: runtimeIds,
    mayWork: () => !claimer.draining && governor.halt === undefined,
  });
  const loop = new Loop(
    { node, endpoint, reconcileEveryBlocks: 30, tidyEveryBlocks: 10, forgetAfterSeconds: FORGET_SECONDS },
    {
      chain,
      watch,
      scan,
      ...(witness ? { witness } : {}),
      ...(renewer ? { renewer } : {}),
      book,
      sender,
      reconciler,
      keeper,
      claimer,
      settler,
      copies,
      proposer,
      executor,
      court,
      outbox,
      log,
      clockMs,
    },
  );

  const control = openControl({ journal, claimer, log });
  const token = randomBytes(24).toString('base64url');
  writeFileSync(join(config.dataDir, 'control-token'), token, { mode: 0o600 });
  const describeNow = (): NodeStatus =>
    describe({
      node,
      operator: account.address,
      chainId,
      market,
      gatewayUrl: endpoint,
      runtimes: runtimes.probes,
      gas,
      watch,
      sender,
      witness,
      keeper,
      claimer,
      resources,
      governor,
      experience,
      book,
      declines,
      timings,
      tier: () => renewer?.standing,
    });
  const status = await startStatusServer(
    { port: config.statusPort, token },
    {
      status: describeNow,
      control,
    },
  ).catch((error: unknown) => {
    throw new OperatorError(
      `The status server cannot listen on port ${config.statusPort}: ${messageOf(error)}.`,
      {},
      error,
    );
  });
  stack.defer(() => status.close());
  await gossip.start({ status: describeNow, declines, has: (cid) => local.has(parseCid(cid)) });
  stack.defer(() => gossip.close());
  onReady?.({ gatewayUrl: gateway.url, statusUrl: status.url, control });
  log.info('Node works', {
    node,
    operator: account.address,
    gateway: gateway.url,
    status: status.url,
    slots: config.slots,
  });

  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  void machine.watch(until);
  const looksAfter = replication.run(gateway, until);
  let fatal: unknown;
  await repeat(
    async (abort) => {
      await loop.tick(abort);
      if (loop.isDone()) stop.abort();
    },
    {
      everyMs: config.pollMs,
      signal: until,
      onError: (error) => {
        if (error instanceof WorkerError && !error.retryable) {
          fatal = error;
          stop.abort();
        } else if (!(error instanceof WorkerError)) log.error('Tick failed', { error });
      },
    },
  );
  stop.abort();
  await looksAfter;
  await sender.idle();
  log.info('Node stops', { node, drained: loop.isDone() });
  if (fatal !== undefined) throw fatal;
}
