import type { Params } from '@dpu/sdk/governance';
import type { DecodedCall } from '@dpu/sdk/governanceCalls';
import { baseAuditBps } from '@dpu/sdk/rules';
import { RUNTIMES } from '@dpu/sdk/terms';

import type { Currency } from '../currency.ts';
import { formatAmount, formatTime, shortHex } from '../format.ts';
import { say } from '../i18n/say.ts';
import {
  auditSetting,
  currencySetting,
  fixedSetting,
  problemOf,
  runtimeSetting,
  sayEffect,
  type Facts,
  type Setting,
} from './settings.ts';
import type { Turn } from './replay.ts';
import { sayValue, type Value } from './values.ts';

/** What one call changes, in words. */
export interface Change {
  label: string;
  /** Value before, where there was one and it is known. */
  from?: string;
  to: string;
  /** One sentence: what it means. */
  effect: string;
  /** It gives power or money away, or nobody can say what it does. */
  grave: boolean;
  /** Why the contracts will refuse it. */
  problem?: string;
  /** The setting that it turns, with its values; absent for a change of something else, or of nothing. */
  turn?: Turn;
}

export interface Reading {
  /** What was in force; undefined when it could not be read: then only the new values are shown. */
  facts: Facts | undefined;
  currencyOf: (address: string) => Currency;
}

type Args = readonly unknown[];
type Sayer = (args: Args, reading: Reading, call: DecodedCall) => Change[];

/** What the calls of a proposal change, in their order. */
export function changesOf(calls: readonly DecodedCall[], reading: Reading): Change[] {
  return calls.flatMap((call) => {
    const sent: Change[] =
      call.value > 0n
        ? [
            {
              label: 'Payment',
              to: say('{amount} of the chain’s own coin', { amount: formatAmount(call.value, 18, 18) }),
              effect: say('Is sent from the timelock to {target} with this call.', { target: call.target }),
              grave: true,
            },
          ]
        : [];
    return [...sent, ...read(call, reading)];
  });
}

function read(call: DecodedCall, reading: Reading): Change[] {
  if (call.inner.length) return changesOf(call.inner, reading);
  const sayer = call.contract && call.name ? SAYERS[`${call.contract}.${call.name}`] : undefined;
  return sayer
    ? sayer(
        call.args.map(({ value }) => value),
        reading,
        call,
      )
    : [other(call)];
}

/** A call that no sentence was written for. */
function other({ contract, name, target }: DecodedCall): Change {
  if (contract && name) {
    return {
      label: say('Call of a contract: {contract}', { contract }),
      to: name,
      effect: say('There is no plain sentence for this call: look at its arguments below.'),
      grave: true,
    };
  }
  return {
    label: contract
      ? say('Unreadable call of a contract: {contract}', { contract })
      : say('Call of an unknown contract'),
    to: shortHex(target),
    effect: say('Nobody can tell from here what it does. Vote for it only if you have checked its bytes yourself.'),
    grave: true,
  };
}

/** A change of something that has a value. */
function set(setting: Setting, to: Value, { facts }: Reading, burnBps?: number): Change {
  const from = facts && setting.read(facts);
  const problem = facts && problemOf(setting, to, facts, burnBps);
  return {
    label: setting.label,
    ...(from !== undefined && !same(from, to) && { from: sayValue(setting.unit, from) }),
    to: sayValue(setting.unit, to),
    effect: same(from, to) ? say('Nothing changes: this is the value in force.') : sayEffect(setting, from, to),
    grave: setting.id === 'treasury' && !same(from, to),
    ...(problem !== undefined && { problem }),
    ...(!same(from, to) && { turn: { id: setting.id, from, to } }),
  };
}

function same(from: Value | undefined, to: Value): boolean {
  return typeof from === 'string' ? from.toLowerCase() === String(to).toLowerCase() : from === to;
}

const one =
  (id: string): Sayer =>
  ([value], reading) => [set(fixedSetting(id), typeof value === 'number' ? BigInt(value) : (value as Value), reading)];

/** Only the fields that differ are a change; the rest is carried over into the new version. */
const addParams: Sayer = ([given], reading) => {
  const after = given as Params;
  const names = Object.keys(after) as (keyof Params)[];
  const before = reading.facts?.force.params;
  const changed = before ? names.filter((name) => before[name] !== after[name]) : names;
  if (changed.length === 0)
    return [
      {
        label: 'New version of the parameters',
        to: say('As before'),
        effect: say('Nothing changes: its numbers are those in force.'),
        grave: false,
      },
    ];
  return changed.flatMap((name) =>
    name === 'auditRates'
      ? auditChanges(before?.auditRates, after.auditRates, reading)
      : [set(fixedSetting(`params.${name}`), BigInt(after[name]), reading, after.burnBps)],
  );
};

/** One change for each runtime whose rate differs. */
function auditChanges(before: number | undefined, after: number, reading: Reading): Change[] {
  const rate = (auditRates: number, runtime: number) => baseAuditBps({ auditRates }, runtime);
  return Object.values(RUNTIMES)
    .filter((runtime) => before === undefined || rate(before, runtime) !== rate(after, runtime))
    .map((runtime) => set(auditSetting(runtime), BigInt(rate(after, runtime)), reading));
}

const transfer: Sayer = ([to, amount], { currencyOf }, { target }) => {
  const { decimals, symbol } = currencyOf(target);
  return [
    {
      label: 'Payment from the treasury',
      to: `${formatAmount(amount as bigint, decimals, decimals)} ${symbol}`,
      effect: say('Goes to {address}.', { address: String(to) }),
      grave: true,
    },
  ];
};

const power = (label: string, effect: string): Sayer => {
  return (args) => [
    { label, to: String(args.find((value) => /^0x[0-9a-f]{40}$/i.test(String(value))) ?? ''), effect, grave: true },
  ];
};

const ROLE =
  'Whoever holds the timelock’s roles can queue, cancel or change decisions. Check the role in the call below.';

/** A sentence for each call that governance is expected to make, by contract and function. */
const SAYERS: Readonly<Record<string, Sayer>> = {
  'market.addParams': addParams,
  'market.setMinStake': one('minStake'),
  'market.setUnbonding': one('unbonding'),
  'market.setTreasury': one('treasury'),
  'market.allowSeats': one('seats'),
  'market.allowRuntime': ([id, allowed], reading) => [set(runtimeSetting(Number(id)), allowed === true, reading)],
  'market.allowCurrency': ([address, allowed], reading) => [
    set(currencySetting(reading.currencyOf(String(address))), allowed === true, reading),
  ],
  'market.setGuardian': ([guardian, until]) => [
    {
      label: 'Guardian of the Market',
      to: String(guardian),
      effect: say('May stop new jobs and claims for up to three days at a time, until {time}.', {
        time: formatTime(Number(until)),
      }),
      grave: true,
    },
  ],
  'market.setTier': ([node, tier, until]) => [
    {
      label: say('Tier of node {node}', { node: String(node) }),
      to: String(tier),
      effect: say('Counts as proven until {time}.', { time: formatTime(Number(until)) }),
      grave: false,
    },
  ],
  'market.setProver': ([prover]) => [
    {
      label: 'Prover of the Market',
      to: String(prover),
      effect: say('Gives tiers of capability to nodes from then on.'),
      grave: false,
    },
  ],
  'market.transferOwnership': power(
    'New owner of the Market',
    'Could turn every number from then on, once it accepts.',
  ),
  'market.renounceOwnership': () => [
    {
      label: 'Owner of the Market',
      to: say('Nobody'),
      effect: say('No number could ever be turned again.'),
      grave: true,
    },
  ],
  'governor.setVotingDelay': one('votingDelay'),
  'governor.setVotingPeriod': one('votingPeriod'),
  'governor.setLateQuorumVoteExtension': one('lateQuorumExtension'),
  'governor.setProposalThreshold': one('proposalThreshold'),
  'governor.updateQuorumNumerator': one('quorumPercent'),
  'governor.setProposalGuardian': power(
    'Guardian of the governor',
    'May cancel any proposal before it is executed, for a term of a year.',
  ),
  'governor.updateTimelock': power('New timelock', 'Decisions would be executed from there.'),
  'timelock.updateDelay': one('timelockDelay'),
  'timelock.grantRole': power('Role in the timelock given', ROLE),
  'timelock.revokeRole': power('Role in the timelock taken', ROLE),
  'token.transfer': transfer,
  'currency.transfer': transfer,
  'token.delegate': power('Votes of the treasury’s DPU', 'Could be cast by this account from then on.'),
};
