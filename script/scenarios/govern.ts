import { setTimeout as sleep } from 'node:timers/promises';
import { erc20Abi, parseEther, parseEventLogs, type Address, type Hex } from 'viem';
import type { HDAccount } from 'viem/accounts';
import { createApi } from '@dpu/sdk/api';
import { dpuGovernorAbi, dpuTokenAbi, marketAbi } from '@dpu/sdk/abi';
import {
  addParamsProposal,
  encodeExecute,
  encodePropose,
  encodeQueue,
  encodeVote,
  governanceOf,
  paramsChanges,
  proposalId,
  textOf,
  type Choice,
  type Params,
  type Proposal,
} from '@dpu/sdk/governance';
import { readProposal, readGovernanceSettings, readVotingPower, type ProposalStatus } from '@dpu/sdk/governanceReads';
import type { JobHistory } from '@dpu/sdk/history';
import { createMarket } from '@dpu/sdk/market';
import { governanceRevertOf } from '@dpu/sdk/governanceErrors';

import { readRules } from '@dpu/sdk/rules';

import { call, send } from '../network/equip.ts';
import { followJob } from '../network/followJob.ts';
import type { Network } from '../network/network.ts';
import { people } from '../network/people.ts';
import { postTemplate, type PostedJobs } from '../network/postJob.ts';
import { table } from '../network/report.ts';
import { describe, download, labelOf, reportOf } from './plain.ts';
import type { Outcome, Scenario, Stage } from './scenario.ts';
import { dpu, must, now, StoryDiffers } from './story.ts';

/** What the nodes' owners stake on top, and what two holders of liquid DPU get: together enough for the quorum of 40 million. */
const STAKED = parseEther('36000000');
const LIQUID = parseEther('6000000');
const AGAINST = parseEther('2000000');
const NEW_FEE_BPS = 200;
/** Seconds between the execution and the opening of the job that was posted before. */
const SLACK = 60;

/** Staked and liquid DPU vote a lower fee; a job from before keeps the old one, the next job pays the new one. */
export const govern: Scenario = {
  name: 'govern',
  description: 'A vote of staked DPU lowers the fee, through the timelock; a job from before keeps its numbers.',

  async play(stage: Stage): Promise<Outcome> {
    const { network, print } = stage;
    await empower(network, print);
    // A block between the last delegation and the next transfer of the same account, so that gas is estimated for a new checkpoint.
    await passTo(network, (await now(network)) + 1);
    const before = await readParams(network);
    const early = await postEarly(stage, before.version);

    const { proposal, status } = await decide(stage, before.params);

    const after = await readParams(network);
    must('the newest version of the parameters', after.version, before.version + 1);
    must('the new fee', after.params.feeBps, NEW_FEE_BPS);
    must('the number of changed parameters', paramsChanges(before.params, after.params).length, 1);
    const kept = await readParams(network, before.version);
    must('the number of changes to the old version', paramsChanges(before.params, kept.params).length, 0);
    print(`parameters version ${after.version} are in force: fee ${percent(after.params.feeBps)}`);

    await passTo(network, early.start);
    print('the job from before opens');
    const old = await Promise.all(early.ids.map((id) => followJob(network, id, { signal: stage.signal })));
    const oldFee = checkFees(old, before.version, before.params.feeBps);
    print(`the job from before paid ${percent(before.params.feeBps)}: ${dpu(oldFee.fee)} of ${dpu(oldFee.gross)}`);

    const { ids, specs, histories } = await runNext(stage, after.version);
    const newFee = checkFees(histories, after.version, NEW_FEE_BPS);
    await indexed(stage, ids.at(-1) as Hex, after.version);
    print(`the next job paid ${percent(NEW_FEE_BPS)}: ${dpu(newFee.fee)} of ${dpu(newFee.gross)}`);

    return {
      job: ids[0] as Hex,
      files: await download(histories, { specs }, stage),
      report: [
        ...reportOf(histories),
        ...decision(proposal, status),
        ...table([
          ['job', 'parameters', 'fee', 'paid for work', 'fee paid'],
          [
            'posted before',
            `version ${before.version}`,
            percent(before.params.feeBps),
            dpu(oldFee.gross),
            dpu(oldFee.fee),
          ],
          ['posted after', `version ${after.version}`, percent(NEW_FEE_BPS), dpu(newFee.gross), dpu(newFee.fee)],
        ]),
        '',
      ],
    };
  },
};

/* THE VOTERS */

/** Gives the voters their DPU: three owners stake it, one of them delegates it to another, two people hold it liquid. */
async function empower(network: Network, print: (line: string) => void): Promise<void> {
  const { local, deployment, nodes } = network;
  const { market, token } = deployment;
  const owners = nodes.map((_, index) => people.owner(index + 1));
  const share = STAKED / BigInt(owners.length);
  const gifts: [Address, bigint][] = owners.map(({ address }) => [address, share]);
  gifts.push([people.requester.address, LIQUID], [people.browser.address, AGAINST]);
  for (const args of gifts) {
    await call(local, people.deployer, { address: token, abi: erc20Abi, functionName: 'transfer', args });
  }
  await Promise.all(
    owners.map(async (owner, index) => {
      const stake = [nodes[index]?.id, share];
      await call(local, owner, { address: token, abi: erc20Abi, functionName: 'approve', args: [market, share] });
      await call(local, owner, { address: market, abi: marketAbi, functionName: 'stake', args: stake });
    }),
  );
  const second = owners[1];
  if (second) {
    const args = [people.owner(1).address];
    await call(local, second, { address: market, abi: marketAbi, functionName: 'delegateStake', args });
  }
  await Promise.all(
    [people.requester, people.browser].map((holder) =>
      call(local, holder, { address: token, abi: dpuTokenAbi, functionName: 'delegate', args: [holder.address] }),
    ),
  );
  for (const [name, person] of voters(network)) {
    const { votes, staked, liquid } = await readVotingPower(local.publicClient, deployment, person.address);
    print(`${name} can vote with ${dpu(votes)} (owns ${dpu(staked)} staked, ${dpu(liquid)} liquid)`);
  }
}

function voters({ nodes }: Network): [name: string, person: HDAccount, choice: Choice][] {
  const owners = nodes.map((_, index): [string, HDAccount, Choice] => [
    `owner of node ${index + 1}`,
    people.owner(index + 1),
    'for',
  ]);
  // The second owner's stake votes with the first.
  if (owners.length > 1) owners.splice(1, 1);
  return [...owners, ['requester', people.requester, 'for'], ['other holder', people.browser, 'against']];
}

/* THE JOBS */

/** Posts a small job that opens only when the decision is over, and so is under way all the time. */
async function postEarly(stage: Stage, version: number): Promise<{ ids: Hex[]; start: number }> {
  const { network, print } = stage;
  const settings = await readGovernanceSettings(network.local.publicClient, network.deployment);
  const decision = settings.votingDelay + settings.votingPeriod + settings.lateQuorumExtension + settings.timelockDelay;
  const start = (await now(network)) + decision + SLACK;
  const posted = await postTemplate(network, network.storage, {
    template: 'render',
    options: { width: 64, height: 64, samples: 1 },
    requester: people.requester,
    start,
  });
  for (const terms of posted.terms) must('the version of the job from before', readRules(terms.rules).version, version);
  print(`posted a small job under version ${version}; it opens at ${start}, after the decision`);
  return { ids: posted.ids, start };
}

async function runNext(
  stage: Stage,
  version: number,
): Promise<Pick<PostedJobs, 'ids' | 'specs'> & { histories: JobHistory[] }> {
  const { network, print, signal } = stage;
  const posted = await postTemplate(network, network.storage, {
    template: stage.template,
    options: stage.settings,
    requester: people.requester,
  });
  for (const terms of posted.terms) must('the version of the next job', readRules(terms.rules).version, version);
  print(`posted the next job under version ${version}`);
  if (network.appUrl) print(`watch it in the dApp: ${network.appUrl}/jobs/${posted.ids[0]}`);
  const histories: JobHistory[] = [];
  for (const [index, id] of posted.ids.entries()) {
    const label = labelOf(index, posted.ids.length);
    const onProgress = (progress: Parameters<typeof describe>[1]): void => print(describe(label, progress));
    histories.push(await followJob(network, id, { onProgress, signal }));
  }
  return { ids: posted.ids, specs: posted.specs, histories };
}

/** The indexer lived through the jumps of the clock: it knows that the job is complete, and its version. */
async function indexed({ network, signal }: Stage, id: Hex, version: number): Promise<void> {
  const api = createApi(network.deployment.indexerUrl);
  const until = performance.now() + 30_000;
  let found = await api.job(id);
  while (found?.state !== 'complete' && performance.now() < until) {
    await sleep(400, undefined, { signal });
    found = await api.job(id);
  }
  must('the state of the next job in the indexer', found?.state, 'complete');
  must('its version there', found && readRules(found.terms.rules).version, version);
}

/** Adds up what was paid, after checking every payment's fee to the last wei. */
function checkFees(histories: readonly JobHistory[], version: number, feeBps: number): { gross: bigint; fee: bigint } {
  let [gross, fee] = [0n, 0n];
  for (const { id, terms, leases } of histories) {
    must(`the version of job ${id}`, readRules(terms.rules).version, version);
    for (const { payment } of leases) {
      if (!payment) throw new StoryDiffers(`a payment of job ${id}`, 'missing', 'there');
      const price = payment.paid + payment.fee;
      must(`a fee of job ${id}`, payment.fee, (price * BigInt(feeBps)) / 10_000n);
      gross += price;
      fee += payment.fee;
    }
  }
  return { gross, fee };
}

/* THE DECISION */

/** Proposes, votes, queues and executes, with jumps of the clock where a network would wait. */
async function decide(
  { network, print }: Stage,
  before: Params,
): Promise<{ proposal: Proposal; status: ProposalStatus }> {
  const { local, deployment } = network;
  const { governor } = governanceOf(deployment);
  const proposer = people.owner(1);
  const wanted = { ...before, feeBps: NEW_FEE_BPS };
  const text = `Lower the fee from ${percent(before.feeBps)} to ${percent(NEW_FEE_BPS)}`;
  const proposal = addParamsProposal(deployment.market, wanted, text, proposer.address);
  const id = proposalId(proposal);
  const read = async (): Promise<ProposalStatus> =>
    readProposal(local.publicClient, deployment, id, await now(network));
  const act = (person: HDAccount, data: Hex): ReturnType<typeof send> => send(local, person, { to: governor, data });

  await refused(network, proposer, deployment.market, proposal.calldatas[0] as Hex, 'OwnableUnauthorizedAccount');
  print('an owner of a node who calls the Market directly is refused: only the timelock may');

  await act(proposer, encodePropose(proposal));
  let status = await read();
  must('the state after the proposal', status.state, 'pending');
  print(`proposed: "${textOf(proposal.description)}"; the vote opens at ${status.snapshot}`);

  await passTo(network, status.snapshot + 1);
  for (const [name, person, choice] of voters(network)) {
    const { logs } = await act(person, encodeVote(id, choice));
    const [vote] = parseEventLogs({ abi: dpuGovernorAbi, eventName: 'VoteCast', logs });
    print(`${name} votes ${choice} with ${dpu(vote?.args.weight ?? 0n)}`);
  }
  status = await read();
  const { votes, quorum } = status;
  print(`for ${dpu(votes.for)}, against ${dpu(votes.against)}, quorum ${dpu(quorum ?? 0n)}`);

  await passTo(network, status.deadline + 1);
  must('the state after the vote', (await read()).state, 'succeeded');
  await act(people.browser, encodeQueue(proposal));
  status = await read();
  must('the state in the timelock', status.state, 'queued');
  const eta = status.eta ?? 0;
  print(`queued in the timelock until ${eta}`);
  if ((await now(network)) < eta - 2) {
    await refused(network, people.browser, governor, encodeExecute(proposal), 'TimelockUnexpectedOperationState');
    print('executing it earlier is refused');
  }

  await passTo(network, eta);
  await act(people.browser, encodeExecute(proposal));
  status = await read();
  must('the state at the end', status.state, 'executed');
  print('executed by somebody who had voted against: anyone may');
  return { proposal, status };
}

/** Expects that a call would be refused with the error `name`; sends nothing. */
async function refused({ local }: Network, person: HDAccount, to: Address, data: Hex, name: string): Promise<void> {
  const refusal = await local.publicClient.call({ account: person, to, data }).then(
    () => undefined,
    (error: unknown) => error,
  );
  must('the refusal', refusal === undefined ? 'none' : (governanceRevertOf(refusal)?.name ?? 'unknown'), name);
}

function decision(proposal: Proposal, { votes, quorum, proposer }: ProposalStatus): string[] {
  return [
    `Decision "${textOf(proposal.description)}", proposed by ${proposer}`,
    ...table([
      ['for', 'against', 'abstain', 'quorum'],
      [dpu(votes.for), dpu(votes.against), dpu(votes.abstain), dpu(quorum ?? 0n)],
    ]),
    '',
  ];
}

/* SMALL THINGS */

async function readParams(
  { local, deployment }: Network,
  version?: number,
): Promise<{ version: number; params: Params }> {
  const market = createMarket({ publicClient: local.publicClient, deployment });
  const wanted = version ?? readRules((await market.config()).rules).version;
  return { version: wanted, params: await market.params(wanted) };
}

/** Lets the clock jump to `time` (unix seconds) if it is not past that. Idle nodes and the indexer see one block that comes late. */
async function passTo(network: Network, time: number): Promise<void> {
  const seconds = time - (await now(network));
  if (seconds <= 0) return;
  await network.local.testClient.increaseTime({ seconds });
  await network.local.testClient.mine({ blocks: 1 });
}

const percent = (bps: number): string => `${bps / 100} %`;
