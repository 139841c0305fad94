import { GAS_SOURCE, GAS_STEPS, GAS_TOTALS, type GasStep, type GasTotal } from '@dpu/sdk/gasTable';
import type { Address } from 'viem';

/** What of a job decides which calls are made. */
interface Calls {
  currency: Address;
  shards: number;
  maxLease: number;
  seats: number;
  direct: boolean;
}

interface Step {
  step: string;
  by: 'requester' | 'node';
  gas: number;
}

/** The transactions of a job and of one of its ranges, each with the gas that the contracts' own tests measured. */
export function gasSteps(
  calls: Calls,
  token: Address | undefined,
): { source: string; steps: Step[]; requester: number } {
  const money = token !== undefined && calls.currency.toLowerCase() === token.toLowerCase() ? 'DPU' : 'ERC-20';
  const step = (by: Step['by'], name: GasStep): Step => ({ step: name, by, gas: GAS_STEPS[name] });
  const total = (name: GasTotal): Step => ({
    step: `${name}: all calls of a range`,
    by: 'node',
    gas: GAS_TOTALS[name],
  });
  const alone = calls.maxLease >= calls.shards;
  const requester = [step('requester', 'deposit'), step('requester', money === 'DPU' ? 'post, DPU' : 'post, ERC-20')];
  const nodes =
    calls.seats === 1
      ? [
          step('node', alone ? 'claim, solo' : 'claim, shared'),
          ...(calls.direct
            ? [step('node', 'submit, solo')]
            : [
                step('node', alone ? 'commit, solo' : 'commit, shared'),
                step('node', alone ? 'reveal, solo' : 'reveal, shared'),
              ]),
          step('node', alone ? 'settle, solo' : 'settle, shared'),
        ]
      : [
          total(
            calls.seats === 3
              ? `three seats, claim and commit together, ${money}`
              : `five seats, claim and commit together, ${money}`,
          ),
        ];
  const sum = requester.reduce((all, { gas }) => all + gas, 0);
  return { source: GAS_SOURCE, steps: [...requester, ...nodes], requester: sum };
}
