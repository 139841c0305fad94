import type { Params } from '@dpu/sdk/governance';
import {
  MIN_STAKE_BOUNDS,
  paramBounds,
  PROPOSAL_THRESHOLD_BOUNDS,
  QUORUM_BOUNDS,
  UNBONDING_BOUNDS,
  windowBounds,
  type Bounds,
} from '@dpu/sdk/governanceBounds';
import type { InForce } from '@dpu/sdk/governanceValues';
import { AUDIT_RATES, baseAuditBps } from '@dpu/sdk/rules';
import { RUNTIMES } from '@dpu/sdk/terms';

import type { Currency } from '../currency.ts';
import { effectOf } from './effects.ts';
import { say } from '../i18n/say.ts';
import type { Open } from './open.ts';
import { sayValue, type Unit, type Value } from './values.ts';

/** What is known about the present when a proposal is read or written. */
export interface Facts {
  force: InForce;
  open: Open;
}

/** Groups of settings, in the order in which they are offered. */
export const GROUPS = ['Jobs', 'Nodes', 'Draw and windows', 'What is open', 'Money', 'Governance'] as const;
export type Group = (typeof GROUPS)[number];

/** Something that a vote may turn. */
export interface Setting {
  /** `params.feeBps`, `minStake`, `runtime.3`, `currency.0x…` */
  id: string;
  group: Group;
  label: string;
  unit: Unit;
  /** What it is, in one sentence. */
  help: string;
  /** Its value in force; undefined when it has none. */
  read: (facts: Facts) => Value | undefined;
  /** Least and most that the contracts allow; absent where there is no such thing. `burnBps` is what is proposed beside it. */
  bounds?: (facts: Facts, burnBps?: number) => Bounds;
  /** What else must hold. */
  check?: (value: Value) => string | undefined;
}

const param = (name: keyof Params, group: Group, label: string, unit: Unit, help: string): Setting => ({
  id: `params.${name}`,
  group,
  label,
  unit,
  help,
  read: ({ force }) => BigInt(force.params[name]),
  bounds: ({ force }, burnBps) => paramBounds(name, { burnBps: burnBps ?? force.params.burnBps }),
});

type Window = keyof InForce['first'];
const window = (name: Window, label: string, help: string): Setting => ({
  id: name,
  group: 'Governance',
  label,
  unit: 'seconds',
  help,
  read: ({ force }) => BigInt(force.settings[name]),
  bounds: ({ force }) => windowBounds(force.first[name]),
});

const FIXED: readonly Setting[] = [
  param('feeBps', 'Jobs', 'Protocol fee', 'bps', 'Part of every payment for work that goes to the treasury.'),
  param('bondTenths', 'Jobs', 'Least bond', 'tenths', 'What a node must lock for each shard of a job paid in DPU.'),
  param(
    'openFor',
    'Jobs',
    'Time before a cancel',
    'seconds',
    'How long a job stays open before its requester may cancel it.',
  ),
  param(
    'noShowBps',
    'Nodes',
    'Cost of a missed commit',
    'bps',
    'Part of the bond that a node loses when it does not deliver in time.',
  ),
  param('burnBps', 'Nodes', 'Burnt part of a slash', 'bps', 'Part of what a node loses that is destroyed.'),
  param(
    'retryBps',
    'Nodes',
    'Retry part of a slash',
    'bps',
    'Part of what a node loses that is paid to whoever takes its work over.',
  ),
  {
    id: 'minStake',
    group: 'Nodes',
    label: 'Least stake',
    unit: 'dpu',
    help: 'What a node must have at stake to take work.',
    read: ({ force }) => force.minStake,
    bounds: () => MIN_STAKE_BOUNDS,
    check: (value) => ((value as bigint) % 10n ** 18n === 0n ? undefined : say('Whole DPU only.')),
  },
  {
    id: 'unbonding',
    group: 'Nodes',
    label: 'Unbonding time',
    unit: 'seconds',
    help: 'How long stake waits in the exit queue before it may leave.',
    read: ({ force }) => BigInt(force.unbonding),
    bounds: () => UNBONDING_BOUNDS,
  },
  param(
    'revealWindow',
    'Draw and windows',
    'Reveal window',
    'seconds',
    'Time from a commit to the last second of its reveal.',
  ),
  param('auditWindow', 'Draw and windows', 'Audit window', 'seconds', 'Time in which a drawn audit must be answered.'),
  param(
    'drawStep',
    'Draw and windows',
    'Step of the draw',
    'seconds',
    'Every such step lets one more node in, on average.',
  ),
  param(
    'drawOpenAfter',
    'Draw and windows',
    'Open to everyone after',
    'seconds',
    'After this time every node may take a shard, drawn or not.',
  ),
  {
    id: 'seats',
    group: 'What is open',
    label: 'Jobs with several seats',
    unit: 'switch',
    help: 'Whether new jobs may have each shard computed by three or five nodes.',
    read: ({ open }) => open.seats,
  },
  {
    id: 'treasury',
    group: 'Money',
    label: 'Treasury',
    unit: 'address',
    help: 'Who receives fees and the treasury’s part of slashes.',
    read: ({ force }) => force.treasury,
  },
  window('votingDelay', 'Voting delay', 'Time from a proposal to the begin of its vote.'),
  window('votingPeriod', 'Voting period', 'How long a vote is open.'),
  window('lateQuorumExtension', 'Late-quorum extension', 'What is left of a vote at least, once quorum is reached.'),
  window('timelockDelay', 'Timelock', 'Time from queueing a decision to its execution.'),
  {
    id: 'proposalThreshold',
    group: 'Governance',
    label: 'Proposal threshold',
    unit: 'dpu',
    help: 'Votes that somebody needs to propose.',
    read: ({ force }) => force.settings.proposalThreshold,
    bounds: () => PROPOSAL_THRESHOLD_BOUNDS,
  },
  {
    id: 'quorumPercent',
    group: 'Governance',
    label: 'Quorum',
    unit: 'percent',
    help: 'Share of all DPU that must vote for or abstain.',
    read: ({ force }) => BigInt(force.settings.quorumPercent),
    bounds: () => QUORUM_BOUNDS,
  },
];

const runtimeName = (id: number): string =>
  Object.entries(RUNTIMES).find(([, number]) => number === id)?.[0] ?? String(id);

/** The base rate of audits of runtime `id`. The protocol pays for them, so it may be at most its fee. */
export function auditSetting(id: number): Setting {
  return {
    id: `audits.${id}`,
    group: 'Jobs',
    get label() {
      return say('Audits of {runtime}', { runtime: runtimeName(id) });
    },
    unit: 'bps',
    help: 'Share of single-seat leases that a second node computes again, paid by the protocol.',
    read: ({ force }) => BigInt(baseAuditBps(force.params, id)),
    bounds: ({ force }) => ({ least: 0n, most: BigInt(Math.min(Math.max(...AUDIT_RATES), force.params.feeBps)) }),
    check: (value) =>
      (AUDIT_RATES as readonly number[]).includes(Number(value)) ? undefined : say('It is 0, 1, 2 or 5 %.'),
  };
}

/** The setting that opens and closes runtime `id`. */
export function runtimeSetting(id: number): Setting {
  return {
    id: `runtime.${id}`,
    group: 'What is open',
    get label() {
      return say('Runtime {runtime}', { runtime: runtimeName(id) });
    },
    unit: 'switch',
    help: 'Whether new jobs may use this runtime.',
    read: ({ open }) => open.runtimes.has(id),
  };
}

/** The setting that opens and closes a currency. */
export function currencySetting({ address, symbol }: Pick<Currency, 'address' | 'symbol'>): Setting {
  return {
    id: `currency.${address.toLowerCase()}`,
    group: 'Money',
    get label() {
      return say('Currency {symbol}', { symbol });
    },
    unit: 'switch',
    get help() {
      return say('Whether {symbol} ({address}) may be deposited to pay for jobs.', { symbol, address });
    },
    read: ({ open }) => open.currencies.has(address.toLowerCase()),
  };
}

/** Everything that can be proposed on a network with these currencies. */
export function settingsOf(currencies: readonly Pick<Currency, 'address' | 'symbol'>[]): Setting[] {
  const runtimes = Object.values(RUNTIMES);
  const open = [...runtimes.map(runtimeSetting), ...currencies.map(currencySetting)];
  const all = [...FIXED, ...runtimes.map(auditSetting), ...open];
  return all.toSorted((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));
}

/** The setting called `id` among those that every network has. @throws RangeError for another */
export function fixedSetting(id: string): Setting {
  const found = FIXED.find((setting) => setting.id === id);
  if (!found) throw new RangeError(`there is no setting ${id}`);
  return found;
}

/** Why `value` cannot be set, or undefined when it can. */
export function problemOf(setting: Setting, value: Value, facts: Facts, burnBps?: number): string | undefined {
  const bounds = setting.bounds?.(facts, burnBps);
  if (bounds && typeof value === 'bigint' && (value < bounds.least || value > bounds.most))
    return say('The contracts allow {bounds}.', { bounds: sayBounds(setting, bounds) });
  return setting.check?.(value);
}

/** `5 d to 60 d` */
export function sayBounds({ unit }: Pick<Setting, 'unit'>, { least, most }: Bounds): string {
  return say('{from} to {to}', { from: sayValue(unit, least), to: sayValue(unit, most) });
}

/** What changes for people when the setting goes from one value to the other. */
export function sayEffect({ id }: Pick<Setting, 'id'>, from: Value | undefined, to: Value): string {
  return effectOf(id, from, to);
}
